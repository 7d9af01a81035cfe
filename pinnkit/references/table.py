"""Tabulated reference solutions."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from pinnkit.problem.problem import Problem
from pinnkit.problem.tables import TableError, load
from pinnkit.problem.unknowns import combined
from pinnkit.references.table_check import check_table


class Table:
    """Fields of a table, defined at the table's points only.

    The coordinates of an NPZ table may be axes, and the fields arrays over their tensor grid; or every column may
    have one entry a point, all in one shape, as np.meshgrid writes them.

    `warnings`: messages about conditions of the problem that the table violates a little.

    Args:
        path: a CSV or NPZ file with a column for each coordinate and for at least one field.

    Raises:
        TableError: the file is missing or damaged, has no column for a coordinate or for any field, or is of another
            domain or another problem than this one.
    """

    claimed_error: float | None = None  # unknown

    def __init__(self, problem: Problem, path: Path) -> None:
        self.name = f"table {path.name}"
        columns = _whole(load(path, split=any(one.is_complex for one in problem.unknowns)), problem)
        missing = [name for name in problem.coordinates if name not in columns]
        if missing:
            raise TableError(f"'{path.name}' has no column {missing[0]}; columns are {', '.join(columns)}")
        given = [one for one in problem.unknowns if all(field.name in columns for field in one.fields)]
        self.fields = tuple(one.name for one in given)
        names = [field.name for one in given for field in one.fields]
        if not names:
            fields = ", ".join(dict.fromkeys(one.unknown if one.part else one.name for one in problem.fields))
            raise TableError(f"'{path.name}' has no column for any field ({fields}); columns are {', '.join(columns)}")
        columns = _plain({name: columns[name] for name in (*problem.coordinates, *names)}, problem.coordinates)
        axes = [columns[name].ravel() for name in problem.coordinates]
        shape = tuple(len(axis) for axis in axes)
        axed = all(columns[name].shape == shape for name in names) and len(shape) > 1
        meshes = np.meshgrid(*axes, indexing="ij") if axed else axes
        self.grid = dict(zip(problem.coordinates, meshes, strict=True))
        read = {name: columns[name] for name in names}
        for name, values in read.items():
            if values.shape != meshes[0].shape:
                each = ", ".join(f"{one} {columns[one].shape}" for one in problem.coordinates)
                raise TableError(
                    f"'{path.name}': {name} has shape {values.shape}, and the coordinates have {each}: give axes and "
                    f"fields of shape {shape}, or all columns in one shape with an entry for each point"
                )
        try:
            self.warnings = check_table(problem, self.grid, read)
        except TableError as error:
            order = f"; its arrays are read with the axes {', '.join(problem.coordinates)}" if axed else ""
            raise TableError(f"'{path.name}' is no table of this problem: {error}{order}") from None
        self._values = combined(problem, read, self.grid)

    def __call__(self, coordinates: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The table's values; the coordinates must be those of `grid`."""
        if any(not np.array_equal(coordinates[name], values) for name, values in self.grid.items()):
            raise ValueError(f"{self.name} is defined at its own points only; evaluate on its grid")
        return dict(self._values)


def _whole(columns: dict[str, np.ndarray], problem: Problem) -> dict[str, np.ndarray]:
    """The columns, those of an unknown with parts for the function of each, and of a complex unknown whose column is
    real its imaginary part, which is zero."""
    for one in problem.unknowns:
        if one.parts and one.name in columns:
            columns |= dict.fromkeys([field.name for field in one.fields], columns[one.name])
        if one.is_complex and one.name in columns and not any(field.name in columns for field in one.fields):
            whole = columns[one.name]
            columns |= {field.name: whole if field.component == "re" else 0.0 * whole for field in one.fields}
    return columns


def _plain(columns: Mapping[str, np.ndarray], coordinates: Sequence[str]) -> dict[str, np.ndarray]:
    """The columns of a mesh as axes (k_i,) and fields (k_1, ..., k_d), the axes of the mesh in any order.

    Other columns of one shape become (n,), scattered points; columns of several shapes stay.
    """
    shape = columns[coordinates[0]].shape
    if len(shape) == 1 or any(values.shape != shape for values in columns.values()):
        return dict(columns)
    if len(shape) == len(coordinates):
        for order in itertools.permutations(range(len(shape))):
            turned = {name: values.transpose(order) for name, values in columns.items()}
            axes = [np.moveaxis(turned[name], place, 0).reshape(shape[order[place]], -1)[:, 0]
                    for place, name in enumerate(coordinates)]  # fmt: skip
            meshes = np.meshgrid(*axes, indexing="ij")
            if all(np.array_equal(turned[name], mesh) for name, mesh in zip(coordinates, meshes, strict=True)):
                return turned | dict(zip(coordinates, axes, strict=True))
    return {name: values.ravel() for name, values in columns.items()}
