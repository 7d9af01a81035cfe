"""Outlines of shapes in figures: the boundary of the domain, and interfaces within it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from matplotlib.axes import Axes

from pinnkit.reporting.figure_style import span

RESOLUTION = 201
"""Points along each axis at which a shape is asked for its points."""
DOMAIN = {"colors": "black", "linewidths": 1.6}
WITHIN = {"colors": "black", "linewidths": 1.0, "linestyles": "dashed"}

Contains = Callable[[Mapping[str, np.ndarray]], np.ndarray]
"""Coordinates, arrays of one shape -> mask of the points in a shape."""


@dataclass(frozen=True, eq=False)
class Outlines:
    """Shapes whose boundary is drawn.

    domain: None where it is a box; within: those that lie in it, by name; space: the coordinates on which shapes depend.
    """

    domain: Contains | None = None
    within: Mapping[str, Contains] = field(default_factory=dict)
    space: tuple[str, ...] = ()
    _known: dict = field(default_factory=dict, repr=False)

    def draw(self, axes: Axes, horizontal: str, vertical: str, ends: Mapping[str, np.ndarray], at: Mapping) -> None:
        """Lines on a plane.

        ends: values of the plane's two coordinates, whose ranges it has; at: the value of every other coordinate.
        """
        shapes = [(self.domain, DOMAIN)] if self.domain is not None else []
        for contains, style in [*shapes, *((one, WITHIN) for one in self.within.values())]:
            where = sorted((name, value) for name, value in at.items() if not self.space or name in self.space)
            key = (id(contains), horizontal, vertical, *where)
            if key not in self._known:
                self._known[key] = self._mask(contains, horizontal, vertical, ends, at)
            x, y, mask = self._known[key]
            if mask.any() and not mask.all():
                axes.contour(x, y, mask, [0.5], **style)

    @staticmethod
    def _mask(
        contains: Contains, horizontal: str, vertical: str, ends: Mapping[str, np.ndarray], at: Mapping
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        x, y = (np.linspace(*span(ends[name]), RESOLUTION) for name in (horizontal, vertical))
        across, up = np.meshgrid(x, y)
        others = {name: np.full(across.shape, value) for name, value in at.items()}
        return x, y, contains({horizontal: across, vertical: up, **others}).astype(float)
