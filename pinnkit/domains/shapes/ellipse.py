"""Ellipses, and the curves that bound them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, cast

import numpy as np
import sympy
from scipy.special import ellipe, ellipeinc

from pinnkit.domains import quadrature
from pinnkit.domains.distances import coordinate, number
from pinnkit.domains.registry import SHAPES
from pinnkit.domains.shape import Shape, ShapeError
from pinnkit.domains.shapes.disk import Disk
from pinnkit.domains.trimmed import slice_of
from pinnkit.domains.whole_boundary import WholeBoundary

ROUNDING = 1e-12
"""By how much a computed point may miss the shape, relative to the size of its coordinates."""
THINNEST = 1e-4
"""The least ratio of the radii."""
NODES = 4096
"""Angles of the table from which the angle at an arc length is found, before Newton's method."""


@SHAPES.register("ellipse")
@dataclass(frozen=True)
class Ellipse(Shape):
    """{c + R(angle) (a s, b v) : s^2 + v^2 <= 1} in the plane of two coordinates; R turns from the first to the second.

    Args:
        names: the two coordinates.
        center: (c_1, c_2).
        radii: (a, b), the half axes, above zero.
        angle: of the first axis with the first coordinate, in radians.

    Raises:
        ShapeError: another number of coordinates or numbers, or radii that are not positive or too unequal.
    """

    example: ClassVar[Mapping[str, Any]] = {
        "names": ("x", "y"), "center": (0.5, -2.0), "radii": (3.0, 1.0), "angle": 0.5,
    }  # fmt: skip

    names: tuple[str, ...]
    center: tuple[float, ...]
    radii: tuple[float, ...]
    angle: float = 0.0

    def __post_init__(self) -> None:
        listed = ", ".join(self.names) or "none"
        if len(self.names) != 2:
            raise ShapeError("", f"an ellipse lies in a plane of two space coordinates; here they are {listed}")
        if len(self.center) != 2:
            raise ShapeError("center", f"has {len(self.center)} numbers: write one for each of {listed}")
        if len(self.radii) != 2:
            raise ShapeError("radii", f"has {len(self.radii)} numbers: write two, the half axes")
        if not min(self.radii) > THINNEST * max(self.radii):
            raise ShapeError(
                "radii", f"are {self.radii[0]:g} and {self.radii[1]:g}: numbers above zero, of like size, are needed"
            )

    @cached_property
    def axes(self) -> np.ndarray:
        """The unit vectors (2, 2) along the two axes, as rows."""
        cosine, sine = np.cos(self.angle), np.sin(self.angle)
        return np.array([[cosine, sine], [-sine, cosine]])

    @property
    def rounding(self) -> float:
        return ROUNDING * (max(self.radii) + max(map(abs, self.center)))

    @property
    def bounds(self) -> Mapping[str, tuple[float, float]]:
        reach = np.linalg.norm(np.array(self.radii)[:, None] * self.axes, axis=0).tolist()
        ends = [(middle - half, middle + half) for middle, half in zip(self.center, reach, strict=True)]
        return dict(zip(self.names, ends, strict=True))

    @property
    def dimension(self) -> int:
        return 2

    @property
    def measure(self) -> float:
        return float(np.pi * self.radii[0] * self.radii[1])

    @property
    def description(self) -> str:
        middle, radii = (", ".join(f"{value:.6g}" for value in pair) for pair in (self.center, self.radii))
        turned = f", turned by {self.angle:.6g}" if self.angle else ""
        return f"({', '.join(self.names)}) in the ellipse with half axes {radii}{turned} about ({middle})"

    def local(self, points: np.ndarray) -> np.ndarray:
        """Components (n, 2) along the axes, from the center."""
        return (points - self.center) @ self.axes.T

    def globally(self, components: np.ndarray) -> np.ndarray:
        return self.center + components @ self.axes

    def sample(self, unit: np.ndarray) -> np.ndarray:
        """The image of the uniform points of a disk, for the unit point (s, v): sqrt(s) (cos 2 pi v, sin 2 pi v)."""
        self._check_unit(unit)
        angle = 2 * np.pi * unit[:, 1]
        return self.globally(np.sqrt(unit[:, :1]) * np.stack([np.cos(angle), np.sin(angle)], axis=1) * self.radii)

    def quadrature(self, order: int) -> quadrature.Rule:
        """The image of the rule of the unit disk."""
        points, weights = Disk(self.names, (0.0, 0.0), 1.0).quadrature(order)
        return self.globally(points * self.radii), weights * self.radii[0] * self.radii[1]

    def nearest(self, points: np.ndarray) -> np.ndarray:
        """The nearest points (n, 2) of the curve.

        For components y >= 0 and radii e it is x_i = e_i^2 y_i / (t + e_i^2), where t is the largest
        root of sum (e_i y_i / (t + e_i^2))^2 = 1. The sum is convex and falls there, so that Newton's method from the
        left never passes it (D. Eberly, "Distance from a point to an ellipse", 2013).
        """
        radii = np.array(self.radii)
        size = radii.max()
        local = self.local(points) / size
        squares = (radii / size) ** 2
        reach = np.abs(local) * radii / size
        root = np.max(reach - squares, axis=1)
        for _ in range(100):
            below = np.maximum(root[:, None] + squares, 1e-150)
            share = (reach / below) ** 2
            excess = share.sum(axis=1) - 1
            step = excess / np.maximum(2 * (share / below).sum(axis=1), 1e-300)
            root = root + np.maximum(step, 0.0)
            if np.all(step <= 1e-16 * (1 + np.abs(root))):
                break
        found = np.sqrt(squares) * reach / np.maximum(root[:, None] + squares, 1e-150)
        found = self._on_long_axis(np.minimum(found, np.sqrt(squares)), reach, squares)
        return self.globally(np.where(local < 0, -found, found) * size)

    @staticmethod
    def _on_long_axis(found: np.ndarray, reach: np.ndarray, squares: np.ndarray) -> np.ndarray:
        """The same with the component along the short axis from the equation of the ellipse where it would be 0/0."""
        short = int(np.argmin(squares))
        long = 1 - short
        degenerate = reach[:, short] <= 1e-14
        if squares[long] > squares[short] and degenerate.any():
            along = np.minimum(found[degenerate, long] ** 2 / squares[long], 1.0)
            found[degenerate, short] = np.sqrt(squares[short] * (1 - along))
        return found

    @property
    def distance_expression(self) -> sympy.Expr:
        """f / sqrt(|grad f|^2 + f^2 / (a b)) with f = 1 - (s / a)^2 - (v / b)^2, s and v along the axes."""
        first, second = map(number, self.radii)
        offsets = [coordinate(name) - number(at) for name, at in zip(self.names, self.center, strict=True)]
        s, v = (sympy.Add(*(number(one) * by for one, by in zip(axis, offsets, strict=True))) for axis in self.axes)
        level = 1 - (s / first) ** 2 - (v / second) ** 2
        gradient = 4 * (s / first**2) ** 2 + 4 * (v / second**2) ** 2
        return level / sympy.sqrt(gradient + level**2 / (first * second))

    def distance(self, points: np.ndarray) -> np.ndarray:
        away = np.linalg.norm(points - self.nearest(points), axis=1)
        return np.where(np.linalg.norm(self.local(points) / self.radii, axis=1) <= 1, away, -away)

    def contains(self, points: np.ndarray, slack: float | np.ndarray = 0.0) -> np.ndarray:
        """By the level where that is enough, else by the distance."""
        level = np.linalg.norm(self.local(points) / self.radii, axis=1)
        reach = np.max(slack) + self.rounding
        mask = level <= 1
        doubtful = np.abs(level - 1) <= 2 * abs(reach) / min(self.radii)
        mask[doubtful] = self.distance(points[doubtful]) >= -reach
        return mask

    def near_edge(self, points: np.ndarray, slack: np.ndarray) -> np.ndarray:
        return np.abs(self.distance(points)) <= np.max(slack)

    def boundary(self, coordinates: Collection[str]) -> tuple[Shape, ...]:
        return (EllipseCurve(self),) if set(self.names) <= set(coordinates) else ()

    def at(self, /, **values: float) -> Shape:
        return slice_of(self, values)


@dataclass(frozen=True)
class EllipseCurve(WholeBoundary):
    """The curve c + R(angle) (a cos w, b sin w), with outward normals."""

    solid: Ellipse

    def _length(self, angle: np.ndarray | float) -> np.ndarray:
        """The arc length from w = 0: b E(w | 1 - a^2/b^2), E the incomplete elliptic integral of the second kind."""
        first, second = self.solid.radii
        return cast(np.ndarray, second * ellipeinc(angle, 1 - (first / second) ** 2))

    @cached_property
    def measure(self) -> float:
        first, second = self.solid.radii
        return float(4 * second * ellipe(1 - (first / second) ** 2))

    @property
    def description(self) -> str:
        return self.solid.description.replace("in the ellipse", "on the ellipse")

    @cached_property
    def _table(self) -> tuple[np.ndarray, np.ndarray]:
        angles = np.linspace(0, 2 * np.pi, NODES + 1)
        return self._length(angles), angles

    def sample(self, unit: np.ndarray) -> np.ndarray:
        """Uniform by arc length."""
        self._check_unit(unit)
        wanted = unit[:, 0] * self.measure
        lengths, angles = self._table
        place = np.clip(np.searchsorted(lengths, wanted) - 1, 0, NODES - 1)
        low, high = angles[place], angles[place + 1]
        angle = np.interp(wanted, lengths, angles)
        first, second = self.solid.radii
        for _ in range(4):
            speed = np.hypot(first * np.sin(angle), second * np.cos(angle))
            angle = np.clip(angle - (self._length(angle) - wanted) / speed, low, high)
        components = np.stack([first * np.cos(angle), second * np.sin(angle)], axis=1)
        return self.solid.globally(components)

    def quadrature(self, order: int) -> quadrature.Rule:
        """The trapezoidal rule in the angle, at 8 order of them, which converges as 2 order do on a circle."""
        angle = 2 * np.pi * (np.arange(8 * order) + 0.5) / (8 * order)
        first, second = self.solid.radii
        points = np.stack([first * np.cos(angle), second * np.sin(angle)], axis=1)
        speed = np.hypot(first * np.sin(angle), second * np.cos(angle))
        return self.solid.globally(points), speed * 2 * np.pi / (8 * order)

    def normals(self, points: np.ndarray) -> np.ndarray:
        """Along the gradient of the level function."""
        outward = (self.solid.local(points) / np.square(self.solid.radii)) @ self.solid.axes
        return outward / np.linalg.norm(outward, axis=1, keepdims=True)

    def project(self, points: np.ndarray) -> np.ndarray:
        return self.solid.nearest(points)
