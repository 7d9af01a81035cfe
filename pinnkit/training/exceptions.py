"""Training exceptions."""

from __future__ import annotations

import errno
from collections.abc import Mapping, Sequence
from pathlib import Path

INTERRUPTED = "interrupted by "
"""How the reason begins where a signal ended training."""


class NoGradient(Exception):
    """A term whose gradient by every trainable parameter is missing."""

    def __init__(self, term: str) -> None:
        super().__init__(
            f"the term '{term}' trains nothing: its gradient with respect to every trainable parameter is missing. "
            "Something in its residual cuts the graph: a .detach(), a torch.no_grad(), a conversion to NumPy, or a "
            "Jacobian that was computed without create_graph=True. Read derivatives from the point (p.u_x) instead."
        )
        self.term = term


class OptimizerUnsupported(Exception):
    """An optimizer that cannot treat this network or these residuals."""

    def __init__(self, optimizer: str, reason: str) -> None:
        super().__init__(
            f"{optimizer} needs the residuals' derivatives by the parameters point by point, and cannot have them: "
            f"{reason}. Take ssbroyden, lbfgs, soap or adam, which need the gradient alone"
        )


class InvalidWeights(Exception):
    """A strategy that gives something else than weights."""

    def __init__(self, strategy: str, reason: str) -> None:
        super().__init__(f"weighting={strategy} gave {reason}. Correct its `update`, or take weighting=fixed")


class WeightingUnsupported(InvalidWeights):
    """A strategy of weights that this network or these residuals do not allow."""

    def __init__(self, strategy: str, reason: str) -> None:
        Exception.__init__(
            self,
            f"weighting={strategy} needs the residuals' derivatives by the parameters point by point, and cannot have "
            f"them: {reason}. Take weighting=gradient_norm, which needs the gradients of the losses alone",
        )


class Diverged(Exception):
    """A loss that is not finite, or an objective that has risen too far: at which step, in which term, at which points.

    Args:
        points: the first few of them, as mappings of the coordinates.
        values: of the residual there.
        count: how many there are in all.
        after: a message about what is left of the run.
        rose: the objective's least value on new points, and its present one, where it is finite.
        sound: the last step whose weights were seen to be good, where the cause is older than `step`.
    """

    def __init__(
        self,
        step: int,
        term: str,
        points: Sequence[Mapping[str, float]] = (),
        values: Sequence[float] = (),
        count: int = 0,
        after: str = "",
        rose: tuple[float, float] | None = None,
        sound: int | None = None,
    ) -> None:
        shown = [
            f"{value:{'.3g' if rose else ''}} at "
            + ", ".join(f"{name} = {number:.6g}" for name, number in point.items())
            for point, value in zip(points, values, strict=True)
        ]
        message = f"is {'; '.join(shown)}" if shown else "is no finite number"
        more = f" (and at {count - len(shown)} more points)" if count > len(shown) else ""
        what = f"the term '{term}' {message}{more}"
        if rose:
            what = f"the objective rose from {rose[0]:.2g} to {rose[1]:.2g}; the residual of {what}"
        super().__init__(f"training diverged at step {step}: {what}" + (f"; {after}" if after else ""))
        self.step, self.term, self.points, self.values, self.count = step, term, list(points), list(values), count
        self.rose, self.sound = rose, sound

    def then(self, after: str) -> Diverged:
        """The same, with a message about what is left of the run."""
        return Diverged(self.step, self.term, self.points, self.values, self.count, after, self.rose, self.sound)


class SpuriousAnswer(Exception):
    """An answer that no longer changes and solves nothing, from which training begins anew.

    Args:
        reason: what is wrong with it.
    """

    def __init__(self, step: int, reason: str) -> None:
        super().__init__(f"step {step}: {reason}")
        self.step, self.reason = step, reason


class NoFiniteCheckpoint(Diverged):
    """A run that is to go on, and has no checkpoint that is free of NaN and infinity."""

    def __init__(self, reason: str) -> None:
        super().__init__(0, "every checkpoint")
        self.args = (f"{reason}. Start a new run, with a smaller learning rate or another optimizer",)


class CannotWrite(OSError):
    """A file of the run that cannot be written: the disk is full, or the folder is closed."""

    def __init__(self, path: Path, reason: object) -> None:
        super().__init__(
            f"{path} cannot be written ({reason}): the run ends here. The last checkpoint, if there is one, is as it "
            "was; make room, and resume=RUN_FOLDER goes on from it"
        )


WRITING = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.ESTALE)
"""Errors that only writing has."""


def cannot_write(error: OSError, folder: Path) -> bool:
    """Whether an error says that a file of a run folder cannot be written; others are of a user's own files."""
    if isinstance(error, CannotWrite) or error.errno in WRITING:
        return True
    if isinstance(error.filename, str | Path):
        return Path(error.filename).resolve().is_relative_to(folder.resolve())
    return error.errno in (errno.EACCES, errno.EIO)


class RankLost(Exception):
    """Another process of this run has ended or is silent."""

    def __init__(self, rank: int, count: int, reason: str) -> None:
        super().__init__(
            f"rank {rank} of {count} cannot go on: another process of this run has ended or is silent ({reason}). Its "
            "own output says why; resume=RUN_FOLDER goes on from the last checkpoint"
        )


class RendezvousError(Exception):
    """The processes of a run do not find each other."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(
            f"the processes of this run cannot meet at {address} ({reason}). Where another program has that port, name "
            "a free one: --rdzv-endpoint=HOST:PORT of torchrun, or MASTER_PORT for srun"
        )


class RankOutOfMemory(MemoryError):
    """Too little memory on some rank, which all of them know."""


class OutOfMemory(Exception):
    """Too many points were evaluated at once.

    Args:
        points: how many of each group.
        fits: how many were seen to fit.
    """

    def __init__(self, points: int, fits: int) -> None:
        super().__init__(
            f"memory ran out while {points} points were evaluated at once: set operators.chunk={fits}, which fits; "
            "the gradient is the same, summed over chunks"
        )
        self.points, self.fits = points, fits
