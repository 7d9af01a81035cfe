"""Cylinders along one of three coordinates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from pinnkit.domains.box import Box
from pinnkit.domains.product import Product
from pinnkit.domains.registry import SHAPES
from pinnkit.domains.shape import ShapeError
from pinnkit.domains.shapes.disk import Disk


@SHAPES.register("cylinder")
@dataclass(frozen=True, init=False)
class Cylinder(Product):
    """The product of a disk in two coordinates and an interval of the third, the axis.

    Args:
        names: the three coordinates.
        axis: the name of one of them.
        center: the middle of the cylinder.
        radius: of the disk, above zero.
        height: the length of the interval, above zero.

    Raises:
        ShapeError: another number of coordinates, an axis that is none of them, or a size that is not positive.
    """

    example: ClassVar[Mapping[str, Any]] = {
        "names": ("x", "y", "z"), "axis": "y", "center": (0.5, -2.0, 1.0), "radius": 1.5, "height": 2.0,
    }  # fmt: skip

    def __init__(
        self, names: tuple[str, ...], axis: str, center: tuple[float, ...], radius: float, height: float
    ) -> None:
        listed = ", ".join(names) or "none"
        if len(names) != 3:
            raise ShapeError("", f"a cylinder has three space coordinates; here they are {listed}")
        if axis not in names:
            raise ShapeError("axis", f"is '{axis}': one of {listed} is needed")
        if len(center) != 3:
            raise ShapeError("center", f"has {len(center)} numbers: write one for each of {listed}")
        for setting, size in (("radius", radius), ("height", height)):
            if not size > 0:
                raise ShapeError(setting, f"is {size:g}: a number above zero is needed")
        along = names.index(axis)
        across = [place for place in range(3) if place != along]
        disk = Disk(tuple(names[one] for one in across), tuple(center[one] for one in across), radius)
        length = Box({axis: (center[along] - height / 2, center[along] + height / 2)})
        super().__init__((disk, length), tuple(names))
