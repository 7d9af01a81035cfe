"""The end of a solve by its time, and the best features so far, which it goes back to."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from pinnkit.features.attached import Attached, Kept
from pinnkit.features.choice import Choice
from pinnkit.features.level import Level
from pinnkit.features.system import Stopped


class Deadline:
    """Ends a solve soon after its time, also amid a level.

    Args:
        learned: the learned numbers, which are kept with the features.

    Attributes:
        best: residual, choice and copies of the best features so far; None: there are none to go back to.
    """

    def __init__(self, attached: Attached, learned: nn.ParameterDict) -> None:
        self._attached, self._learned = attached, learned
        self._numbers: dict[str, Tensor] = {}
        self._seconds_left: Callable[[], float] = _endless
        self.best: tuple[float, Choice, Kept] | None = None

    def keep(self, residual: float, choice: Choice) -> None:
        """Keep copies of the features that are attached, if they are the best."""
        if self.best is None or residual < self.best[0]:
            self.best = residual, choice, self._attached.kept()
            self._numbers = {name: one.detach().clone() for name, one in self._learned.items()}

    def check(self) -> None:
        """Raise where no time is left.

        Raises:
            Stopped: that is so, and there is something to go back to.
        """
        if self.best is not None and self._seconds_left() <= 0:
            raise Stopped

    def levels(
        self, levels: Iterator[Level], seconds_left: Callable[[], float], ended: Callable[[Choice], None]
    ) -> Iterator[Level]:
        """Some levels, each within the time; where that ends amid the first, the best trial is one.

        Args:
            ended: called with the choice whose features are attached where the time ended amid a level.
        """
        begun = False
        while True:
            self._seconds_left = seconds_left
            try:
                level = next(levels, None)
            except Stopped:
                restored = self._restored(ended)
                level = None if begun else restored
            finally:
                self._seconds_left = _endless
            if level is None:
                return
            begun = True
            yield level

    def _restored(self, ended: Callable[[Choice], None]) -> Level:
        assert self.best is not None
        residual, choice, kept = self.best
        self._attached.put(kept)
        with torch.no_grad():
            for name, value in self._numbers.items():
                self._learned[name].copy_(value)
        ended(choice)
        unknowns = sum(one.size for one in self._attached.expansions)
        text = f"{choice}: residual {residual:.2e}, the best when the time ended"
        return Level(choice.count, unknowns, residual, text)


def _endless() -> float:
    """The time left where there is no limit."""
    return math.inf
