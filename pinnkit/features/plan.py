"""Plans of slabs of time, and what solves one of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from pinnkit.features.attached import Attached, Kept
from pinnkit.features.choice import Choice
from pinnkit.features.slab import Slab


class SlabSolver(Protocol):
    """The least-squares problems of a slab."""

    slab: Slab | None
    size: float
    attached: Attached

    def measure(self) -> None: ...

    def search(self, seconds_left: Callable[[], float] = ...) -> tuple[Choice, float]: ...

    def try_choice(self, choice: Choice, warm: bool = True, *, enough: float = 0.0) -> float: ...


@dataclass(frozen=True)
class Plan:
    """How slabs are solved: their width, and the features of each."""

    width: float
    choice: Choice
    residual: float
    size: float
    kept: Kept
    """The features of the first slab."""

    def work(self, fields: int, total: float) -> float:
        """Work of all slabs: the third power of the unknowns of each."""
        return total / self.width * (self.choice.count * fields) ** 3


@dataclass(frozen=True)
class Next:
    """A slab that is solved, and what is asked of the following ones.

    Attributes:
        easy: whether they may be wider.
    """

    part: SlabSolver
    choice: Choice
    residual: float
    limit: float
    easy: bool
