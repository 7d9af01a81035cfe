"""Grids of evaluation points: tensor grids or scattered points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from pinnkit.reporting.error_norms import numbers
from pinnkit.reporting.labels import NO_UNIT, math_name, quantity, with_unit
from pinnkit.reporting.outlines import Outlines


@dataclass(frozen=True, eq=False)
class Grid:
    """Where fields were evaluated.

    coordinates: name -> array. On a structured grid each is the mesh of that coordinate, of the grid's shape,
    with one axis for each coordinate in their order (np.meshgrid with indexing="ij"); scattered points are
    (n,) each. `time`: the name of the time coordinate, None where there is none. `parameters`: the coordinates that are
    parameters of a family; `logarithmic`: those drawn on logarithmic axes; `outlines`: shapes drawn as lines;
    `units`: name of a coordinate, a field or a parameter -> its unit.

    Raises ValueError for shapes that differ or that are not such a mesh.
    """

    coordinates: Mapping[str, np.ndarray]
    structured: bool
    time: str | None = None
    parameters: tuple[str, ...] = ()
    logarithmic: tuple[str, ...] = ()
    outlines: Outlines = field(default_factory=Outlines)
    units: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        arrays = {name: np.asarray(values, dtype=np.float64) for name, values in self.coordinates.items()}
        object.__setattr__(self, "coordinates", arrays)
        shapes = {name: values.shape for name, values in arrays.items()}
        if len(set(shapes.values())) != 1:
            raise ValueError(f"coordinates have shapes {shapes}: expected one and the same shape for all")
        if 0 in self.shape:
            raise ValueError(f"coordinates have shape {self.shape}: there are no points")
        expected = len(arrays) if self.structured else 1
        if len(self.shape) != expected:
            kind = "a structured grid has one axis for each coordinate" if self.structured else "scattered: (n,)"
            raise ValueError(f"coordinates {', '.join(arrays)} have shape {self.shape}: {kind}")
        if self.structured:
            for name, values in arrays.items():
                along = self.axis(name).reshape([-1 if other == name else 1 for other in arrays])
                if not np.array_equal(values, np.broadcast_to(along, self.shape)):
                    raise ValueError(
                        f"coordinate {name!r} varies along more than its own axis: "
                        'expected the meshes of np.meshgrid(..., indexing="ij")'
                    )

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.coordinates)

    @property
    def frames(self) -> str | None:
        """The coordinate along which pictures stand side by side: the first parameter of a family, else time."""
        return self.parameters[0] if self.parameters else self.time

    def is_spatial(self, *names: str) -> bool:
        """Whether all these coordinates are space, so that a picture over them may be to scale."""
        return not any(name == self.time or name in self.parameters for name in names)

    def to_scale(self, *names: str) -> bool:
        """Whether a picture over these coordinates may be to scale: they are space, of one unit."""
        return self.is_spatial(*names) and len({self.units[name] for name in names if name in self.units}) < 2

    def unit(self, name: str) -> str:
        """The unit of a coordinate, a field or a parameter; "" where it has none."""
        unit = self.units.get(name, "")
        return "" if unit in NO_UNIT else unit

    def label(self, name: str, text: str = "") -> str:
        """The label of a name, or a text about it, with its unit."""
        return with_unit(text or math_name(name), self.unit(name))

    def quantity(self, name: str, value: float) -> str:
        """`name = value unit`."""
        return quantity(math_name(name), value, self.unit(name))

    @property
    def shape(self) -> tuple[int, ...]:
        return next(iter(self.coordinates.values())).shape

    def axis(self, name: str) -> np.ndarray:
        """The values of a coordinate along its own axis, (n,)."""
        values = self.coordinates[name]
        if not self.structured:
            return values
        own = self.names.index(name)
        return values[tuple(slice(None) if axis == own else 0 for axis in range(values.ndim))]

    def checked(self, name: str, values: ArrayLike) -> np.ndarray:
        """`values` in float64 or complex128; a ValueError where their shape is not the grid's."""
        array = numbers(values)
        if array.shape != self.shape:
            raise ValueError(f"{name!r} has shape {array.shape}; expected the grid's shape {self.shape}")
        return array

    def plane(self, values: np.ndarray, horizontal: str, vertical: str, at: Mapping[str, int]) -> np.ndarray:
        """The values on a plane, (n_vertical, n_horizontal); `at`: the index of every other coordinate."""
        picked = values[tuple(at.get(name, slice(None)) for name in self.names)]
        return picked.T if self.names.index(horizontal) < self.names.index(vertical) else picked
