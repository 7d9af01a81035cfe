"""Round holes, at which coordinates are inverted.

Outside a disk, or a ball, a field may go on as a smooth function within it only as far as a pole: that of a dipole is
x / |x|^2. In the coordinates q = c + R^2 (p - c) / |p - c|^2, which maps what is outside the hole into it, such a field
is smooth. A harmonic field is the sum of one that is smooth in p, and for each hole one that is smooth in q, but for
a factor |q|^(d - 2) (Axler, Bourdon and Ramey, Harmonic Function Theory, 4); in elasticity they come as products.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pinnkit.domains.combination import Combination
from pinnkit.domains.product import Product
from pinnkit.domains.round import Round
from pinnkit.domains.shape import Shape
from pinnkit.features.choice import Choice
from pinnkit.features.points import Beneath
from pinnkit.networks.fields import FieldNetworks, Output
from pinnkit.problem.problem import Problem
from pinnkit.sampling.settings import unit_points

SAMPLES = 256
"""Points by which a disk, or a ball, is found to be empty."""
WITHIN = 1 - 1e-9
"""The share of its radius in which they lie."""


@dataclass(frozen=True)
class Hole:
    """A disk or a ball that a region leaves out: coordinates (their indices), center, radius."""

    axes: tuple[int, ...]
    center: tuple[float, ...]
    radius: float

    def beneath(self, choice: Choice) -> Beneath:
        """The inverted coordinates as inputs of features."""
        lower, upper = (tuple(one + sign * self.radius for one in self.center) for sign in (-1, 1))
        return Beneath(lower, upper, choice.inverted[0], (*self.center, self.radius), self.axes)


def any_holes(problem: Problem, network: FieldNetworks) -> bool:
    """Whether the region of some field leaves out a disk or a ball."""
    return any(holes(problem, network.outputs[fields[0]]) for fields in network.members)


def holes(problem: Problem, output: Output) -> list[Hole]:
    """The disks and balls that the region of a field leaves out."""
    solid, found = problem.solid(output.part), []
    for shape in _cut_out(solid):
        axes = tuple(problem.coordinates.index(name) for name in shape.names)
        if not set(axes) <= set(output.columns) or set(axes) & set(output.periodic):
            continue
        inside = unit_points("sobol", SAMPLES, len(axes), 0, "hole")
        points = problem.domain.lower + (problem.domain.upper - problem.domain.lower) * unit_points(
            "sobol", SAMPLES, len(problem.coordinates), 0, "hole"
        )
        points[:, list(axes)] = np.array(shape.center) + WITHIN * (shape.sample(inside) - np.array(shape.center))
        if not solid.contains(points).any():
            found.append(Hole(axes, tuple(map(float, shape.center)), float(shape.radius)))
    return found


def _cut_out(solid: Shape) -> Iterator[Round]:
    for factor in _factors(solid):
        if isinstance(factor, Combination):
            for leaf, side in factor.leaves():
                if side < 0:
                    yield from (one for one in _factors(leaf) if isinstance(one, Round))


def _factors(shape: Shape) -> tuple[Shape, ...]:
    return shape.factors if isinstance(shape, Product) else (shape,)
