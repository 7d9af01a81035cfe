"""Shapes with the coordinates fixed that make no difference."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from pinnkit.domains.box import Box
from pinnkit.domains.product import Product
from pinnkit.domains.shape import Shape


def narrowed(place: Shape, needed: Collection[str]) -> Shape:
    """The place with its coordinates that are not needed fixed at some value, where they vary on their own.

    >>> narrowed(Box({"x": (0.0, 1.0), "t": (0.0, 2.0)}), {"t"}).fixed
    {'x': 0.5}
    """
    if isinstance(place, Product):
        return Product(tuple(narrowed(factor, needed) for factor in place.factors), place.order)
    if isinstance(place, Box):
        bounds = {
            name: ends if name in needed else (sum(ends) / 2, sum(ends) / 2) for name, ends in place.bounds.items()
        }
        return Box(bounds, place.normal, place.logarithmic)
    if set(place.coordinates) & set(needed) or place.has_normals:
        return place
    (point,) = place.draw(1, lambda count: np.random.default_rng(0).random((count, place.dimension)))
    return Box({name: (float(value), float(value)) for name, value in zip(place.coordinates, point, strict=True)})
