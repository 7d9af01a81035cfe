"""Triangles between scattered points of a plane, without those that lie outside of the domain."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.tri import Triangulation

from pinnkit.reporting.grid import Grid
from pinnkit.reporting.outlines import BLANK
from pinnkit.reporting.scales import CYCLIC, Scale

LONGEST = 8.0
"""The longest edge of a triangle, relative to the median of all edges: longer ones bridge a gap without points."""
WIDE = 0.1
"""Gaps are at least this share of the plane wide."""
FEWEST = 10
"""Points of which triangles are made."""


def triangulated(grid: Grid, horizontal: str, vertical: str, known: np.ndarray) -> Triangulation | None:
    """The Delaunay triangles between the points that are known; None where these are few, or on a line.

    Left out are triangles whose middle lies outside of the domain, and those across a wide gap.
    """
    x, y = grid.axis(horizontal), grid.axis(vertical)
    if np.count_nonzero(known) < FEWEST or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    places = np.flatnonzero(known)
    # In units of the ranges: of a thin plane the triangles would be slivers.
    scaled = (x[places] - x.min()) / np.ptp(x), (y[places] - y.min()) / np.ptp(y)
    try:
        found = Triangulation(*scaled)
    except (RuntimeError, ValueError):  # all points on a line
        return None
    corners = np.stack(scaled, axis=1)[found.triangles]
    edges = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2)
    left_out = edges.max(axis=1) > max(LONGEST * float(np.median(edges)), WIDE * np.sqrt(2))
    triangles = places[found.triangles]
    if grid.outlines.domain is not None:
        middle = {name: grid.axis(name)[triangles].mean(axis=1) for name in grid.names}
        left_out |= ~grid.outlines.domain.contains(middle)
    return None if left_out.all() else Triangulation(x, y, triangles, left_out)


def draw_triangles(axes: Axes, triangles: Triangulation, values: np.ndarray, scale: Scale) -> None:
    """Coloured triangles, smooth within each; of angles, which jump by 2 pi, each has one colour."""
    axes.set_facecolor(BLANK)
    style: dict[str, Any] = {"cmap": scale.colours, "norm": scale.norm, "rasterized": True}
    if scale.colours == CYCLIC:
        middle = np.angle(np.exp(1j * values)[triangles.triangles].mean(axis=1))
        axes.tripcolor(triangles, facecolors=middle, **style)
    else:
        axes.tripcolor(triangles, values, shading="gouraud", **style)
