"""Boxes by two corners: intervals, rectangles, cuboids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from pinnkit.domains.box import Box
from pinnkit.domains.registry import SHAPES
from pinnkit.domains.shape import ShapeError


@SHAPES.register("box")
@dataclass(frozen=True, init=False)
class CornerBox(Box):
    """{p : lower_i <= p_i <= upper_i}.

    Args:
        names: the coordinates, any number of them.
        lower, upper: two opposite corners.

    Raises:
        ShapeError: another number of coordinates, or a side that has no length.
    """

    example: ClassVar[Mapping[str, Any]] = {"names": ("x", "y"), "lower": (0.5, -2.0), "upper": (2.0, 1.0)}

    def __init__(self, names: tuple[str, ...], lower: tuple[float, ...], upper: tuple[float, ...]) -> None:
        for setting, corner in (("lower", lower), ("upper", upper)):
            if len(corner) != len(names):
                raise ShapeError(setting, f"has {len(corner)} numbers: write one for each of {', '.join(names)}")
        for name, low, high in zip(names, lower, upper, strict=True):
            if not low < high:
                raise ShapeError("upper", f"is {high:g} in {name}, where lower is {low:g}: a larger number is needed")
        super().__init__(dict(zip(names, zip(lower, upper, strict=True), strict=True)))
