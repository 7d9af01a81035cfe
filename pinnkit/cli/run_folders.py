"""Folders of runs and sweeps: where they are, and whether they can be made."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from pinnkit.language.errors import Mistake, ProblemError


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


def unwritable_reason(path: Path) -> str:
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
