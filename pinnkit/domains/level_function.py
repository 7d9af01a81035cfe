"""Functions whose negative set is a shape."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import sympy

STEPS = 40
"""Newton's steps at most."""
EPSILON = 4 * np.finfo(float).eps


@dataclass(frozen=True)
class LevelFunction:
    """phi, negative inside a shape and zero on its boundary.

    Args:
        text: as the user wrote it.
        expression: with a real SymPy symbol for each coordinate, and numbers.
        value, gradient: points (n, d) -> (n,) and (n, d); NaN or infinite where they have no value.
    """

    text: str
    expression: sympy.Expr
    value: Callable[[np.ndarray], np.ndarray] = field(compare=False, repr=False)
    gradient: Callable[[np.ndarray], np.ndarray] = field(compare=False, repr=False)

    def onto(self, points: np.ndarray, reach: float, scale: float) -> np.ndarray:
        """Points (n, d) moved onto the zero set by Newton's method along the gradient, each by itself.

        p -> p - phi grad phi / |grad phi|^2, until a step is below the rounding of the coordinates.

        Args:
            reach: the length of a step at most.
            scale: the size of the coordinates.
        """
        points = points.copy()
        active = np.arange(len(points))
        former = np.full(len(points), np.inf)
        for _ in range(STEPS):
            step = self.newton_step(points[active], reach)
            length = np.sqrt(np.sum(step**2, axis=1))
            better = (length < former[active]) | (length > 1e-6 * scale)  # near the end the steps get shorter, or end
            points[active[better]] += step[better]
            former[active] = length
            active = active[better & (length > EPSILON * scale)]
            if not len(active):
                break
        return points

    def newton_step(self, points: np.ndarray, reach: float = np.inf) -> np.ndarray:
        """-phi grad phi / |grad phi|^2, (n, d); zero where it has no value."""
        value, gradient = self.value(points), self.gradient(points)
        with np.errstate(all="ignore"):
            square = np.sum(gradient**2, axis=1)
            step = -(value / square)[:, None] * gradient
            step *= np.minimum(1.0, reach / np.sqrt(np.sum(step**2, axis=1)))[:, None]
        return np.where(np.isfinite(step).all(axis=1)[:, None], step, 0.0)

    def distances(self, points: np.ndarray) -> np.ndarray:
        """-phi / |grad phi| (n,): the distance to the zero set to first order, positive inside."""
        value, gradient = self.value(points), self.gradient(points)
        with np.errstate(all="ignore"):
            return -value / np.sqrt(np.sum(gradient**2, axis=1))

    def is_zero(self, points: np.ndarray, slack: float) -> np.ndarray:
        """Mask (n,) of the points that lie on the zero set, but for `slack`, to first order."""
        return (self.value(points) == 0) | (np.abs(self.distances(points)) <= slack)

    @property
    def distance_expression(self) -> sympy.Expr:
        """-phi / |grad phi| where the gradient is constant, else -phi / sqrt(phi^2 + |grad phi|^2).

        Zero on the zero set, positive inside, with the derivative 1 along the inward normal there; smooth where phi is
        and has no critical point of value zero. (Rvachev's normalisation: Shapiro, Semi-analytic geometry with
        R-functions, Acta Numerica 2007.)
        """
        phi = self.expression
        square = sympy.Add(*[phi.diff(one) ** 2 for one in sorted(phi.free_symbols, key=str)])
        return -phi / sympy.sqrt(square if square.is_number else phi**2 + square)
