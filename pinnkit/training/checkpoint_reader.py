"""Checkpoints as files: reading and checking them, and the newest one that can be used."""

from __future__ import annotations

import logging
import pickle
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from pinnkit.optimizers.state_check import InvalidStateError, NonFiniteStateError
from pinnkit.training.checkpoint_schema import FORMAT, KINDS, OTHER, check_contents, check_parts
from pinnkit.training.module import PINN

log = logging.getLogger(__name__)

READING = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    EOFError,
    RuntimeError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    NotImplementedError,
    MemoryError,
    OverflowError,
)
"""What zipfile and torch raise where a file is not what they have written."""


class DamagedCheckpoint(ValueError):
    """A checkpoint that cannot be used; the message names it and says why.

    Attributes:
        path, reason: the file, and what is wrong with it.
        diverged: whether it is whole, but a number in it is not finite.
    """

    def __init__(self, path: Path, reason: str, diverged: bool = False) -> None:
        super().__init__(f"{path}: {reason}")
        self.path, self.reason, self.diverged = path, reason, diverged


def read_tensors(path: Path) -> Any:
    """Read a file of tensors, numbers and texts, after checking that every byte is as it was written.

    Nothing in it is executed.

    Raises:
        DamagedCheckpoint: it is missing, cut short, altered, or holds more than numbers and texts.
    """
    if path.exists() and not path.is_file():  # to open a pipe would wait for ever
        raise DamagedCheckpoint(path, "is no file")
    try:
        with zipfile.ZipFile(path) as archive:
            if any(part.compress_type != zipfile.ZIP_STORED for part in archive.infolist()):
                raise DamagedCheckpoint(path, "is compressed, as no checkpoint of pinnkit is: it could fill the memory")
            altered = archive.testzip()  # compares the checksum of every part
        if altered is not None:
            raise DamagedCheckpoint(path, f"is damaged: the checksum of '{altered}' in it is wrong")
        return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise DamagedCheckpoint(path, "there is no such checkpoint") from None
    except pickle.UnpicklingError:
        message = "holds more than numbers and texts: to load it could run code, and is refused"
        raise DamagedCheckpoint(path, message) from None
    except DamagedCheckpoint:
        raise
    except READING as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise DamagedCheckpoint(path, f"is damaged or was cut short ({first})") from error


def read(path: Path) -> dict[str, Any]:
    """Read a checkpoint, after checking that every byte is as it was written, and every part of its kind.

    Nothing in it is executed.

    Raises:
        DamagedCheckpoint: it is missing, cut short, altered, of another format, or holds more than numbers and texts.
    """
    content = read_tensors(path)
    written = content.get("pinnkit") if isinstance(content, dict) else None
    if written is None:
        raise DamagedCheckpoint(path, "is no checkpoint of pinnkit: it has no 'pinnkit'")
    had = written.get("format") if isinstance(written, dict) else written
    if not isinstance(had, int) or had != FORMAT:  # before the parts, which other formats name otherwise
        raise DamagedCheckpoint(path, f"has the format {had!r}, and this version of pinnkit reads {FORMAT}")
    if missing := [key for key in KINDS if key not in content]:
        raise DamagedCheckpoint(path, f"is no checkpoint of pinnkit: it has no '{missing[0]}'")
    with _named(path):
        check_parts(content)
    return content


def check_fits(path: Path, content: Mapping[str, Any], module: PINN) -> None:
    """Make sure that what `read` found at `path` can be loaded into a module and what goes with it.

    Raises:
        DamagedCheckpoint: it is of other networks or parameters, a part of it cannot be, or a number is not finite.
    """
    with _named(path):
        check_contents(content, module)


def newest(paths: Iterable[Path], module: PINN | None = None) -> tuple[Path, dict[str, Any]]:
    """The first checkpoint that can be used, newer ones first, and what it holds; warns of what is wrong with others.

    Args:
        module: what it is to fit; None: any.

    Raises:
        DamagedCheckpoint: none can be.
    """
    found: list[DamagedCheckpoint] = []
    for path in paths:
        try:
            content = read(path)
            if module is not None:
                check_fits(path, content, module)
        except DamagedCheckpoint as error:
            found.append(error)
            continue
        for message in found:
            log.warning(
                "%s; the checkpoint before it is used, %s, of step %d", message, path, content["progress"]["step"]
            )
        return path, content
    reasons = {one.reason: [str(other.path) for other in found if other.reason == one.reason] for one in found}
    wrong = "; ".join(f"{', '.join(paths)}: {reason}" for reason, paths in reasons.items())
    raise DamagedCheckpoint(path.parent, f"no checkpoint can be used: {wrong}", any(one.diverged for one in found))


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """What is wrong with a part, as a DamagedCheckpoint of this path."""
    try:
        yield
    except NonFiniteStateError as error:
        raise DamagedCheckpoint(path, f"cannot be gone on from, as training had diverged: {error}", True) from None
    except InvalidStateError as error:
        reason = str(error)
        raise DamagedCheckpoint(path, reason if reason == OTHER else f"is damaged: {reason}") from None
