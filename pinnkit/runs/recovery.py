"""Recovery from failures: named errors, rollback, checkpoint to resume from."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from pinnkit.language.errors import Report
from pinnkit.losses.view import ResidualError
from pinnkit.optimizers.sample_space import JacobianTooLargeError
from pinnkit.reporting.artifacts import RunFolder
from pinnkit.runs import environment
from pinnkit.runs.configuration import check_same
from pinnkit.training.checkpoint_reader import DamagedCheckpoint, newest
from pinnkit.training.distributed import cannot_rendezvous, is_rank_lost
from pinnkit.training.divergence import ROLLBACKS
from pinnkit.training.exceptions import (
    CannotWrite,
    Diverged,
    InvalidWeights,
    NoFiniteCheckpoint,
    NoGradient,
    OptimizerUnsupported,
    OutOfMemory,
    RankLost,
    RendezvousError,
    cannot_write,
)
from pinnkit.training.module import PINN
from pinnkit.training.restarts import KEY as RESTARTS
from pinnkit.training.restarts import Restarts
from pinnkit.training.rises import KEY as RISES
from pinnkit.training.rises import loaded_rises
from pinnkit.training.rollback import remove_later, roll_back

log = logging.getLogger("pinnkit")

NAMED = (
    NoGradient, OutOfMemory, RankLost, OptimizerUnsupported, JacobianTooLargeError, ResidualError, RendezvousError,
    InvalidWeights,
)  # fmt: skip
"""Failures whose message says what happened and what to do."""
FAILURES = (*NAMED, RuntimeError, OSError)
"""What `failure_of` may be given."""


def failure_of(error: Exception, folder: Path) -> Exception:
    """The named failure behind an error of training; the error itself where it is one, or unforeseen.

    Args:
        folder: the run folder.
    """
    if isinstance(error, NAMED):
        return error
    if isinstance(error, OSError):
        found = cannot_write(error, folder) and not isinstance(error, CannotWrite)
        return CannotWrite(folder, error) if found else error
    reason = (str(error).splitlines() or [""])[0]
    if is_rank_lost(error):  # in a message of Lightning's own
        return RankLost(environment.rank() or 0, environment.process_count() or 1, reason)
    if cannot_rendezvous(error):
        address = ":".join(os.environ.get(f"MASTER_{part}", "?") for part in ("ADDR", "PORT"))
        return RendezvousError(address, reason)
    return error


def check_resumed(config: str, folder: RunFolder) -> None:
    """Make sure that a run goes on with the configuration that its checkpoints were written with.

    Raises:
        ProblemError: it does not, or no checkpoint can be read.
    """
    report = Report()
    try:
        path, content = newest(checkpoint_paths(folder))
        check_same(config, content["pinnkit"]["config"], path, report)
    except DamagedCheckpoint as error:
        report.add("resume", str(error))
    report.raise_if_any()


def checkpoint_to_resume(folder: RunFolder, module: PINN, digests: Mapping[str, str]) -> Path:
    """The newest checkpoint of a folder that can be used; the module takes over its rollbacks, rises and restarts.

    Args:
        digests: of the samples that the run has now.

    Raises:
        ProblemError: there is none, it is one of other networks, or the samples of a condition are not those that the
            run began with.
        NoFiniteCheckpoint: none is free of NaN and infinity.
    """
    report = Report()
    try:
        path, content = newest(checkpoint_paths(folder), module)
    except DamagedCheckpoint as error:
        if error.diverged:
            failure = NoFiniteCheckpoint(str(error))
            log.error(str(failure))
            raise failure from None
        _check_samples(folder, digests, report)  # in another domain the points seem damaged
        report.add("resume", str(error))
        report.raise_if_any()
    module.progress.rollbacks = content["progress"]["rollbacks"]
    module.state.rises = loaded_rises(content.get(RISES))
    module.state.restarts = Restarts.of(content.get(RESTARTS))
    _compare_samples(content["pinnkit"]["data"], digests, report)
    return path


def _check_samples(folder: RunFolder, digests: Mapping[str, str], report: Report) -> None:
    """Compare the samples with those of the newest checkpoint that can be read, if there is one."""
    with contextlib.suppress(DamagedCheckpoint):
        _compare_samples(newest(checkpoint_paths(folder))[1]["pinnkit"]["data"], digests, report)


def _compare_samples(former: Mapping[str, str], digests: Mapping[str, str], report: Report) -> None:
    for key, digest in digests.items():
        if former.get(key) != digest:
            message = "its samples are not those that the run began with: put the file back, or start a new run"
            report.add(key, message)
    report.raise_if_any()


def check_rollbacks(error: Diverged, rollbacks: int, folder: RunFolder) -> None:
    """Make sure that a run that diverged may go back once more.

    Raises:
        Diverged: it has gone back often enough, or diverged in its first step.
    """
    if rollbacks < ROLLBACKS and error.step > 0:
        return
    there = [path for path in checkpoint_paths(folder) if path.exists()]
    points = " and more points" if error.rose else ""
    tried = f"{rollbacks} times training went back and took smaller steps{points}, in vain; " if rollbacks else ""
    kept = f"the last good checkpoint is {there[0]}" if there else "no checkpoint had been written"
    raise error.then(tried + kept)


def last_good(error: Diverged, folder: RunFolder, module: PINN) -> tuple[Path | None, int]:
    """The last checkpoint before a divergence, and its step; None and 0 where training begins anew.

    It is `last.ckpt` from now on, and `best.ckpt` is removed where it is of a later step.
    """
    checkpoint, step = None, 0
    if any(path.exists() for path in checkpoint_paths(folder)):
        try:
            checkpoint, step = roll_back(*cast(tuple[Path, Path], checkpoint_paths(folder)), error.sound, module)
        except DamagedCheckpoint as damaged:
            log.warning("%s; training begins anew", damaged)
        remove_later(folder.best_checkpoint, step)
    return checkpoint, step


def checkpoint_paths(folder: RunFolder) -> list[Path]:
    """The checkpoints to go on from, the newer one first."""
    return [folder.last_checkpoint, folder.previous_checkpoint]
