"""Paths of run folders: in Hydra's syntax, and whether they can be made."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from pinnkit.language.errors import Mistake, ProblemError

KEYS = ("resume", "hydra.run.dir", "hydra.sweep.dir")
"""Whose value is the path of a folder."""


def quoted(path: object) -> str:
    r"""A text as Hydra's override grammar reads it back.

    >>> print(quoted("it's"), quoted("a b, c=d"))
    'it\'s' 'a b, c=d'
    """
    return "'" + re.sub(r"(\\*)('|$)", lambda found: found[1] * 2 + (found[2] and r"\'"), str(path)) + "'"


def unquoted(text: str) -> str:
    """What a text of an override stands for.

    >>> unquoted(quoted("it's")), unquoted("plain")
    ("it's", 'plain')
    """
    if len(text) < 2 or text[0] != text[-1] or text[0] not in "'\"":
        return text
    return re.sub(rf"(\\*)(\\{text[0]}|$)", lambda found: found[1][::2] + found[2][-1:], text[1:-1])


def with_quotes(override: str) -> str:
    r"""An override with its value quoted where it is a path that Hydra would read as something else.

    >>> print(with_quotes("resume=out/it's"), with_quotes("resume=out/1"), with_quotes("seed=1,2"))
    resume='out/it\'s' resume=out/1 seed=1,2
    """
    key, equals, value = override.partition("=")
    if key not in KEYS or re.fullmatch(r"[\w./:%+@~-]*", value, re.ASCII) or unquoted(value) != value:
        return override
    return f"{key}{equals}{quoted(value)}"


def run_folder(config: DictConfig, multirun: bool) -> str:
    """The folder of a run, or of a sweep.

    Raises:
        ProblemError: it refers to something that is not there.
    """
    key = "sweep.dir" if multirun else "run.dir"
    former, HydraConfig.instance().cfg = HydraConfig.instance().cfg, None
    try:
        HydraConfig.instance().set_config(config)
        folder = str(HydraConfig.get().sweep.dir if multirun else HydraConfig.get().run.dir)
    except OmegaConfBaseException as error:
        raise ProblemError([Mistake(f"hydra.{key}", str(error).splitlines()[0])]) from None
    finally:
        HydraConfig.instance().cfg = former
    if not folder.strip():
        raise ProblemError([Mistake(f"hydra.{key}", "is empty: name a folder")])
    return folder


def closed(path: Path) -> str:
    """The reason why no folder can be made at a path, or used there; else an empty text."""
    try:
        there = next(one for one in (path.absolute(), *path.absolute().parents) if one.exists())
        if not there.is_dir() or not os.access(there, os.W_OK):
            return f"no folder can be made at {there}"
        probe = there / f".pinnkit-{secrets.token_hex(8)}"  # permissions alone do not say it: /proc, a full disk
        probe.mkdir()
        probe.rmdir()
    except (OSError, ValueError) as error:
        return f"no folder can be made at {path}: {getattr(error, 'strerror', None) or error}"
    return ""
