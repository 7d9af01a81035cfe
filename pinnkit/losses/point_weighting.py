"""Strategies that give the single points of a term weights of their own, and how these follow points."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pinnkit.losses.settings import Memory, Weighting

NEAR = ".points"
ATTENTION = ".attention"
"""Endings of what is kept of a group: its points at the last update, and the attention of each."""


@dataclass(frozen=True)
class PointGroup:
    """The points of a group of terms.

    Attributes:
        coordinates: (n, d), scaled to [0, 1] by the bounds of the domain.
        sizes: (n,), sqrt(sum over terms of u r^2) there, u the weights of the start; None: they are not known.
        times: (n,), the time, scaled likewise; None: the problem has none.
        of_equations: whether its terms are equations, and no conditions.
    """

    coordinates: np.ndarray
    sizes: np.ndarray | None
    times: np.ndarray | None
    of_equations: bool


@dataclass(frozen=True)
class PointWeighting(Weighting, ABC):
    """Factors of the squared residuals of single points, besides the weights of the terms.

    What a strategy has learned is in its memory, from which it gives the factors of any points: of those it has seen,
    and of those of the next draw.
    """

    needs_time: ClassVar[bool] = False
    at_start: ClassVar[bool] = False
    """Whether the first update comes before the first step."""

    @property
    def terms(self) -> str:
        """The strategy for the weights of the terms."""
        return "fixed"

    @abstractmethod
    def observe(self, memory: Memory, groups: Mapping[str, PointGroup], step: int, steps: int) -> None:
        """Change the memory by the sizes of the residuals.

        Args:
            step: the number of the next optimizer step.
            steps: optimizer steps since the last update.
        """

    @abstractmethod
    def factors(self, memory: Memory, groups: Mapping[str, PointGroup]) -> dict[str, np.ndarray]:
        """Group -> factors (n,) of its points; a group that is not there has none."""

    @abstractmethod
    def summary(self, memory: Memory) -> dict[str, float]:
        """Numbers for the record of training, by their names."""


@dataclass(frozen=True)
class Attention(PointWeighting):
    """A number of each point, its attention, 1 at the start, that follows the sizes of the residuals there.

    A point of another draw takes over the attention of the nearest point of the last update, in coordinates scaled by
    the bounds of the domain; one that has stayed keeps its own.
    """

    @abstractmethod
    def attend(
        self, attention: Mapping[str, np.ndarray], sizes: Mapping[str, np.ndarray], step: int, steps: int
    ) -> dict[str, np.ndarray]:
        """The next attention (n,) of the points of each group, from the present one and the sizes of the residuals."""

    @abstractmethod
    def factor(self, attention: np.ndarray) -> np.ndarray:
        """The factors (n,) of the squared residuals."""

    def observe(self, memory: Memory, groups: Mapping[str, PointGroup], step: int, steps: int) -> None:
        sizes = {name: group.sizes for name, group in groups.items() if group.sizes is not None}
        attention = {name: _followed(memory, name, groups[name]) for name in sizes}
        for name, found in self.attend(attention, sizes, step, steps).items():
            memory[name + NEAR], memory[name + ATTENTION] = groups[name].coordinates, found

    def factors(self, memory: Memory, groups: Mapping[str, PointGroup]) -> dict[str, np.ndarray]:
        known = [name for name in groups if name + ATTENTION in memory]
        return {name: self.factor(_followed(memory, name, groups[name])) for name in known}

    def summary(self, memory: Memory) -> dict[str, float]:
        found: dict[str, float] = {}
        for name, attention in memory.items():
            if name.endswith(ATTENTION):
                factors = self.factor(attention)
                group = name.removesuffix(ATTENTION)
                found |= {f"{group}.mean": float(factors.mean()), f"{group}.largest": float(factors.max())}
        return found


def _followed(memory: Memory, name: str, group: PointGroup) -> np.ndarray:
    """The attention (n,) of the points of a group: that of the nearest point of the last update, 1 without one."""
    if name + ATTENTION not in memory:
        return np.ones(len(group.coordinates))
    near, attention = memory[name + NEAR], memory[name + ATTENTION]
    if np.array_equal(near, group.coordinates):
        return attention
    from scipy.spatial import cKDTree  # SciPy takes its time

    return attention[cKDTree(near).query(group.coordinates)[1]]
