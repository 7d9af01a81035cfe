"""Restarts of a run from other first weights, as its answer solved nothing: what was tried, and the best answer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor

from pinnkit.optimizers.state_check import InvalidStateError, NonFiniteStateError, number, short, whole
from pinnkit.training.rises import KEY as RISES
from pinnkit.training.rises import check_rises

KEY = "restarts"
"""Of a checkpoint's restarts."""


@dataclass(frozen=True)
class Restart:
    """A restart.

    Attributes:
        step, time_s: where training was.
        reason: what was wrong with the answer.
        misfit: the largest ratio of residual to terms that it had.
    """

    step: int
    time_s: float
    reason: str
    misfit: float


@dataclass
class Restarts:
    """The restarts of a run.

    Attributes:
        done: one after the other.
        best: the parameters of the best of the answers that were left, by name, and its number, from 0.
        kept: the number of the answer that was taken at the end; None: training has not ended.
    """

    done: list[Restart] = field(default_factory=list)
    best: tuple[int, dict[str, Tensor]] | None = None
    kept: int | None = None

    @property
    def began(self) -> tuple[int, float]:
        """The step and the time at which the present answer began."""
        return (self.done[-1].step, self.done[-1].time_s) if self.done else (0, 0.0)

    @property
    def left_last(self) -> bool:
        """Whether training ended with an earlier answer than the last one."""
        return self.kept is not None and self.kept < len(self.done)

    def leave(self, restart: Restart, state: Mapping[str, Tensor]) -> None:
        """Leave an answer, which is kept where it is the best of them."""
        if all(restart.misfit < one.misfit for one in self.done):
            self.best = len(self.done), {name: one.detach().clone() for name, one in state.items()}
        self.done.append(restart)

    def span(self, number: int) -> tuple[int, float]:
        """The steps of an answer: after the first, to the second; infinity: to the end."""
        first = self.done[number - 1].step if number else -1
        return first, self.done[number].step if number < len(self.done) else math.inf

    def state_dict(self) -> dict[str, Any]:
        """Plain data and tensors, for a checkpoint."""
        best = None if self.best is None else {"number": self.best[0], "state": self.best[1]}
        return {"done": [asdict(one) for one in self.done], "best": best, "kept": self.kept}

    @classmethod
    def of(cls, state: Mapping[str, Any] | None) -> Restarts:
        """Those of a checkpoint; None: it has none."""
        if state is None:
            return cls()
        best = state["best"]
        kept = None if best is None else (best["number"], dict(best["state"]))
        return cls([Restart(**one) for one in state["done"]], kept, state["kept"])


def check_guards(content: Mapping[str, Any], here: Mapping[str, Tensor]) -> None:
    """Make sure that a checkpoint holds what training did against rises and spurious answers, or nothing of it.

    Args:
        here: the parameters of the module.

    Raises:
        InvalidStateError: it does not. NonFiniteStateError: a number that must be finite is not.
    """
    check_rises(content.get(RISES))
    check_restarts(content.get(KEY), here)


def check_restarts(kept: Any, here: Mapping[str, Tensor]) -> None:
    """Make sure that a part of a checkpoint holds restarts.

    Args:
        here: the parameters of the module.

    Raises:
        InvalidStateError: it does not. NonFiniteStateError: a number that must be finite is not.
    """
    if kept is None:
        return
    if not isinstance(kept, Mapping) or not {"done", "best", "kept"} <= set(kept) or not isinstance(kept["done"], list):
        raise InvalidStateError(f"{KEY}: is not whole")
    for place, one in enumerate(kept["done"]):
        where = f"{KEY}.done[{place}]"
        if not isinstance(one, Mapping) or set(one) != {"step", "time_s", "reason", "misfit"}:
            raise InvalidStateError(f"{where}: is not whole")
        if not whole(one["step"]) or not isinstance(one["reason"], str) or not isinstance(one["misfit"], float):
            raise InvalidStateError(f"{where}: {short(one['step'])}, {short(one['misfit'])}")
        number(f"{where}.time_s", one["time_s"])
    best, count = kept["best"], len(kept["done"])
    if not (kept["kept"] is None or (whole(kept["kept"]) and kept["kept"] <= count)):
        raise InvalidStateError(f"{KEY}.kept: is {short(kept['kept'])}, after {count}")
    if best is None:
        return
    state = best.get("state") if isinstance(best, Mapping) else None
    shapes = {name: (one.shape, one.dtype) for name, one in here.items()}
    if not isinstance(state, Mapping) or not whole(best.get("number")) or best["number"] >= count:
        raise InvalidStateError(f"{KEY}.best: is not whole")
    if {name: (getattr(one, "shape", None), getattr(one, "dtype", None)) for name, one in state.items()} != shapes:
        raise InvalidStateError(f"{KEY}.best.state: is of other parameters")
    if any(bool(torch.isnan(one).any()) for one in state.values()):
        raise NonFiniteStateError(f"{KEY}.best.state: holds NaN")
