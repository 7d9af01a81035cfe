"""Checkpoints: written whole or not at all, checked before they are used, and what to do where one is damaged."""

from __future__ import annotations

import hashlib
import logging
import os
import pickle
import platform
import shutil
import time
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback

from pinnkit.optimizers.state_check import InvalidStateError, NonFiniteStateError
from pinnkit.problem.problem import Problem
from pinnkit.references.table import Table
from pinnkit.sampling.point_set import PointSet
from pinnkit.training.exceptions import CannotWrite, RankLost
from pinnkit.training.module import PINN
from pinnkit.training.schema import KINDS, OTHER, check_contents, check_parts

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
WRITER = ("PytorchStreamWriter", "inline_container")
"""By these torch's complaints of a file that it cannot write are told from others."""
FORMAT = 6
"""Of what a checkpoint holds; another number is not read."""


class DamagedCheckpoint(ValueError):
    """A checkpoint that cannot be used; the message names it and says why.

    Attributes:
        diverged: whether it is whole, but a number in it is not finite.
    """

    def __init__(self, path: Path, reason: str, diverged: bool = False) -> None:
        super().__init__(f"{path}: {reason}")
        self.diverged = diverged


def read(path: Path) -> dict[str, Any]:
    """What a checkpoint holds, after checking that every byte of it is as it was written, and every part of its kind.
    Nothing in it is executed.

    Raises:
        DamagedCheckpoint: it is missing, cut short, altered, of another format, or holds more than numbers and texts.
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
        content = torch.load(path, map_location="cpu", weights_only=True)
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
    missing = [key for key in KINDS if not isinstance(content, dict) or key not in content]
    if missing:
        raise DamagedCheckpoint(path, f"is no checkpoint of pinnkit: it has no '{missing[0]}'")
    written = content["pinnkit"]
    if not isinstance(written, dict) or not isinstance(written.get("format"), int) or written["format"] != FORMAT:
        had = written.get("format") if isinstance(written, dict) else written
        raise DamagedCheckpoint(path, f"has the format {had!r}, and this version of pinnkit reads {FORMAT}")
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
    """The first checkpoint that can be used, newer ones first, and what it holds; what is wrong with others is told.

    Args:
        module: what it is to fit; None: that is not looked at.

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
    message = f"no checkpoint can be used: {'; '.join(map(str, found))}"
    raise DamagedCheckpoint(path.parent, message, any(one.diverged for one in found))


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


def roll_back(last: Path, previous: Path, step: int | None, module: PINN) -> tuple[Path, int]:
    """The newest checkpoint that can be used and is of this step or an earlier one (None: the newest), and its step.

    Where there is no such one, the oldest. It is `last` from now on: a later one has the fault that training goes back
    from.

    Raises:
        DamagedCheckpoint: none can be used.
        CannotWrite: it cannot be renamed.
    """
    path, content = newest([path for path in (last, previous) if path.exists()], module)
    if step is not None and content["progress"]["step"] > step and path == last and previous.exists():
        with suppress(DamagedCheckpoint):
            path, content = newest([previous], module)
    if path != last:
        try:
            os.replace(path, last)
        except OSError as error:
            raise CannotWrite(last, error) from error
    return last, content["progress"]["step"]


def remove_later(best: Path, step: int) -> None:
    """Remove `best` where it is of a later step than training went back to: of weights that were given up.

    Raises:
        CannotWrite: it cannot be removed.
    """
    with suppress(DamagedCheckpoint):
        if read(best)["progress"]["step"] > step:
            try:
                best.unlink()
            except OSError as error:
                raise CannotWrite(best, error) from error


def digests(problem: Problem, reference: Any) -> dict[str, str]:
    """The SHA-256 of the samples of each condition that has some, and of a table that errors are measured against, by
    their keys: a run does not go on with others."""
    samples = {f"conditions.{one.name}.data": one.data for one in problem.conditions if one.data}
    if isinstance(reference, Table):
        samples["reference"] = {**reference.grid, **reference(reference.grid)}
    found = {}
    for key, columns in samples.items():
        sums = hashlib.sha256()
        for name in sorted(columns):
            sums.update(name.encode())
            sums.update(np.ascontiguousarray(columns[name]).tobytes())
        found[key] = sums.hexdigest()
    return found


class Checkpoints(Callback):
    """Writes `last` at the start, every so many steps and minutes, and at the end; `previous` is the one before it.

    `best` is the last where the objective was least. It is judged by that and never by the error: choosing by the
    reference would flatter the figures. Each is written under a temporary name, forced to the disk and then renamed,
    so that what carries the name is whole.
    """

    def __init__(
        self,
        last: Path,
        previous: Path,
        best: Path,
        every_steps: int,
        every_minutes: float,
        config: str,
        data: Mapping[str, str],
    ) -> None:
        self.last, self.previous, self.best = last, previous, best
        self.every_steps, self.every_minutes = every_steps, every_minutes
        self.config, self.data = config, dict(data)
        self._next = 0
        self._step: int | None = None
        self._written = time.monotonic()
        self._least = float("inf")
        self._whole = True
        """Whether the last one can be used, and so replace the one before it."""

    def on_train_start(self, trainer: lightning.Trainer, module: PINN) -> None:
        if trainer.ckpt_path is not None:
            self._whole = Path(trainer.ckpt_path).name == self.last.name  # known to all ranks by its name alone
        if module.progress.step == 0:
            self._write(trainer, module)
        elif self._whole and not module.rolled_back:  # otherwise it lacks the rollback
            self._step = module.progress.step

    def on_train_batch_end(self, trainer: lightning.Trainer, module: PINN, *_: Any) -> None:
        late = time.monotonic() - self._written >= 60 * self.every_minutes
        if module.progress.step >= self._next or module.ranks.any(late, module.device):
            self._write(trainer, module)

    def on_train_end(self, trainer: lightning.Trainer, module: PINN) -> None:
        if module.progress.step != self._step:  # or the one before it would be lost for the same once more
            self._write(trainer, module)

    def on_save_checkpoint(self, trainer: lightning.Trainer, module: PINN, checkpoint: dict[str, Any]) -> None:
        packages = ("pinnkit", "torch", "lightning", "numpy")
        checkpoint["pinnkit"] = {
            "format": FORMAT,
            "config": self.config,
            "data": self.data,
            "versions": {"python": platform.python_version(), **{name: version(name) for name in packages}},
        }

    def _write(self, trainer: lightning.Trainer, module: PINN) -> None:
        """Write the checkpoints.

        Raises:
            Diverged: a parameter is not finite; the last checkpoint stays.
            CannotWrite, RankLost: as it says.
        """
        if not all(bool(torch.isfinite(one).all()) for one in module.parameters()):
            raise module.divergence.not_finite(_batches(trainer, module), module.progress.step, new=False)
        self._next = module.progress.step // self.every_steps * self.every_steps + self.every_steps
        self._written, self._step = time.monotonic(), module.progress.step
        objective = float(module.losses_now["objective"]) if module.losses_now else float("inf")
        better = objective < self._least
        self._least = min(self._least, objective)
        temporary, copy = self.last.with_suffix(".tmp"), self.best.with_suffix(".tmp")
        try:
            trainer.save_checkpoint(temporary)
            if not module.ranks.first:
                return
            _settle(temporary)
            if better:
                shutil.copyfile(temporary, copy)
                _settle(copy)
                os.replace(copy, self.best)
            if self.last.exists() and self._whole:
                os.replace(self.last, self.previous)  # until the next line the newest whole one has this name
            os.replace(temporary, self.last)
            self._whole = True
        except (OSError, RuntimeError) as error:
            if not isinstance(error, OSError) and not any(word in str(error) for word in WRITER):
                if module.ranks.count == 1:
                    raise
                first = str(error).splitlines()[0]  # they wait for each other
                raise RankLost(module.ranks.rank, module.ranks.count, first) from error
            for path in (temporary, copy):
                path.unlink(missing_ok=True)
            raise CannotWrite(self.last, str(error).splitlines()[0]) from error

    def state_dict(self) -> dict[str, Any]:
        return {"next": self._next, "least": self._least}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._next = state["next"]
        self._least = state["least"] if self.best.exists() else float("inf")


def _batches(trainer: lightning.Trainer, module: PINN) -> dict[str, PointSet]:
    """The present points on the module's device."""
    found = trainer.datamodule.batches()
    return {name: batch.mapped(lambda one: one.to(module.device)) for name, batch in found.items()}


def _settle(path: Path) -> None:
    """Wait until a file is on the disk, so that its new name never stands for less than all of it."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
