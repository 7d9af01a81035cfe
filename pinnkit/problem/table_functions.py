"""Known functions from tables: `tables: {q: {file: source.npz, columns: [x, y], smooth: cubic}}`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, cast

import numpy as np

from pinnkit.domains.shape import Shape
from pinnkit.language.errors import LanguageError, Report, suggestion
from pinnkit.language.grammar import check_name
from pinnkit.language.known import Known
from pinnkit.problem.equations import check_keys
from pinnkit.problem.interpolation import DEGREES, MOST_SCATTERED, GridSpline, Interpolant, PointSpline, Triangles
from pinnkit.problem.tables import Files, TableError, given, load

KEYS = ("file", "columns", "value", "smooth")
MOST = 4_000_000
"""Values of a grid at most."""
SLACK = 1e-9
"""How far the domain may reach beyond a grid, relative to the range."""
GAP = 2.0
"""How far a place of the domain may lie from scattered points, in multiples of their even distance."""
PROBES = 2000


@dataclass(frozen=True, eq=False)
class TableFunction:
    """A function of some of the coordinates through the values of a table.

    Attributes:
        columns: the table's own numbers by name, for checksums.
    """

    name: str
    coordinates: tuple[str, ...]
    interpolant: Interpolant
    columns: Mapping[str, np.ndarray]

    def __eq__(self, other: object) -> bool:
        """Equal names and equal numbers."""
        if not isinstance(other, TableFunction):
            return NotImplemented
        mine, theirs = ((one.name, one.coordinates, type(one.interpolant), list(one.columns)) for one in (self, other))
        return mine == theirs and all(np.array_equal(self.columns[one], other.columns[one]) for one in self.columns)

    __hash__ = None  # type: ignore[assignment]

    @property
    def atom(self) -> Known:
        """What it is called in expressions."""
        return Known(self.name, self.coordinates, self.interpolant.highest)

    @property
    def description(self) -> str:
        """What the function is made of, as text."""
        return self.interpolant.description

    def values(self, coordinates: Mapping[str, np.ndarray], derivative: Sequence[str]) -> np.ndarray:
        """A derivative at points, from the columns (n,) of their coordinates, (n,)."""
        points = np.stack([coordinates[name] for name in self.coordinates], axis=1)
        return self.interpolant(points, [list(derivative).count(name) for name in self.coordinates])


def read_tables(
    config: Any, coordinates: tuple[str, ...], files: Files, taken: list[str], report: Report
) -> Mapping[str, TableFunction]:
    """The tables by name; those with a mistake are left out, and their names are taken too."""
    found: dict[str, TableFunction] = {}
    if not isinstance(config, Mapping):
        report.add("tables", f"{config!r} is not a mapping: write {{q: {{file: source.csv, columns: [x, y]}}}}")
        return MappingProxyType(found)
    for name, given_table in config.items():
        key = f"tables.{name}"
        with report.at(key):
            check_name(name, taken)
            taken.append(name)
            if not isinstance(given_table, Mapping) or "file" not in given_table:
                raise LanguageError(f"{given_table!r} is no table: write {{file: source.csv, columns: [x, y]}}")
            check_keys(report, key, given_table, KEYS)
            try:
                found[name] = _read(str(name), given_table, coordinates, files)
            except TableError as error:
                raise LanguageError(str(error)) from None
    return MappingProxyType(found)


def check_covered(tables: Mapping[str, TableFunction], domain: Shape, report: Report) -> None:
    """Report each table that does not cover the domain, with a place that it leaves out."""
    for name, table in tables.items():
        if missing := _not_covered(table, domain):
            report.add(f"tables.{name}", f"does not cover the domain: {missing}")


def _read(name: str, config: Mapping[str, Any], coordinates: tuple[str, ...], files: Files) -> TableFunction:
    file, smooth = config["file"], config.get("smooth", "cubic")
    if not isinstance(smooth, str) or smooth not in DEGREES:
        raise LanguageError(f"smooth is {smooth!r}: write one of {', '.join(DEGREES)}")
    if isinstance(file, Mapping):
        columns = given(file)
    elif isinstance(file, str):
        columns = load(files.path(file))
    else:
        raise LanguageError(f"file is {file!r}: write the name of a .csv or .npz file")
    names = config.get("columns", [one for one in coordinates if one in columns])
    listed = isinstance(names, Sequence) and not isinstance(names, str) and all(isinstance(one, str) for one in names)
    if not listed or not names or len(set(names)) < len(names):
        raise LanguageError(f"columns is {names!r}: write a list of coordinates that the table has, such as [x, y]")
    for one in names:
        if one not in coordinates:
            raise LanguageError(f"columns: there is no coordinate '{one}'{suggestion(str(one), coordinates)}")
    value = config.get("value", name)
    if not isinstance(value, str):
        raise LanguageError(f"value is {value!r}: write the name of the column that holds the values")
    for one in (*names, value):
        if one not in columns:
            hint = "; value: NAME says which column is the value" if one == value else ""
            raise LanguageError(f"the table has no column '{one}': it has {', '.join(columns)}{hint}")
    names = tuple(names)
    used = {one: columns[one] for one in (*names, value)}
    return TableFunction(name, names, _interpolant(names, used, value, smooth), used)


def _interpolant(
    names: tuple[str, ...], columns: Mapping[str, np.ndarray], value: str, smooth: str
) -> GridSpline | PointSpline | Triangles:
    """The function through values on a grid, or at scattered points.

    Raises:
        LanguageError: the shapes do not fit, there are too few points or too many, or two at one place.
    """
    axes, values = [columns[name].ravel() for name in names], columns[value]
    sizes = [len(axis) for axis in axes]
    if values.shape != tuple(sizes) or (len(names) > 1 and values.ndim == 1):
        if any(size != values.size for size in sizes):
            shapes = ", ".join(f"{name} {columns[name].shape}" for name in (*names, value))
            raise LanguageError(f"the columns have the shapes {shapes}: give axes and values over their grid, or all "
                                "columns in one shape with an entry for each point")  # fmt: skip
        points = np.stack(axes, axis=1)
        unique = [np.unique(axis) for axis in axes]
        if np.prod([float(len(axis)) for axis in unique]) != values.size:
            return _scattered(points, values.ravel(), smooth)
        place = tuple(np.searchsorted(axis, column) for axis, column in zip(unique, axes, strict=True))
        grid = np.full([len(axis) for axis in unique], np.nan)
        grid[place] = values.ravel()
        if np.isnan(grid).any():
            return _scattered(points, values.ravel(), smooth)
        axes, values = unique, grid
    if values.size > MOST:
        raise LanguageError(f"has {values.size} values; the most is {MOST}")
    for number, (name, axis) in enumerate(zip(names, axes, strict=True)):
        order = np.argsort(axis, kind="stable")
        axes[number], values = axis[order], np.take(values, order, axis=number)
        if np.any(np.diff(axes[number]) <= 0):
            raise LanguageError(f"names {name} = {axes[number][np.argmin(np.diff(axes[number]))]:g} twice")
        if len(axis) <= DEGREES[smooth]:
            least = DEGREES[smooth] + 1
            raise LanguageError(f"has {len(axis)} values of {name}, and smooth: {smooth} needs {least} or more")
    return GridSpline(axes, values, smooth)


def _scattered(points: np.ndarray, values: np.ndarray, smooth: str) -> PointSpline | Triangles:
    if len(np.unique(points, axis=0)) < len(points):
        raise LanguageError("has two rows at one place")
    least = points.shape[1] + 1 if smooth != "quintic" else (points.shape[1] + 1) * (points.shape[1] + 2) // 2
    centred = points - points.mean(axis=0)
    if len(points) < least or np.linalg.matrix_rank(centred / np.maximum(np.ptp(points, axis=0), 1e-300)) < len(
        points[0]
    ):
        raise LanguageError(f"has {len(points)} scattered points, which are too few or lie in a line or a plane")
    if smooth == "linear":
        return Triangles(points, values)
    if len(points) > MOST_SCATTERED:
        raise LanguageError(
            f"has {len(points)} scattered points; the most is {MOST_SCATTERED}: give a grid, or smooth: linear"
        )
    return PointSpline(points, values, smooth)


def _not_covered(table: TableFunction, domain: Shape) -> str:
    """A place of the domain where the table says nothing, as text; empty where there is none."""
    interpolant = table.interpolant
    if isinstance(interpolant, GridSpline):
        for name, axis in zip(table.coordinates, interpolant.axes, strict=True):
            lower, upper = domain.bounds[name]
            slack = SLACK * (upper - lower)
            if axis[0] > lower + slack or axis[-1] < upper - slack:
                there, here = f"from {axis[0]:g} to {axis[-1]:g}", f"from {lower:g} to {upper:g}"
                return f"it has {name} {there}, and the domain reaches {here}"
        return ""
    drawn = domain.draw(PROBES, lambda count: np.random.default_rng(0).random((count, domain.dimension)))
    places = drawn[:, [domain.coordinates.index(name) for name in table.coordinates]]
    if isinstance(interpolant, Triangles):
        away = np.isnan(interpolant(places, ()))
    else:
        from scipy.spatial import cKDTree

        scattered = cast(Any, interpolant)
        even = (1 / len(scattered.centres)) ** (1 / places.shape[1])
        scaled = (places - scattered.low) / scattered.size
        distance, _ = cKDTree(scattered.centres).query(scaled)
        away = distance > GAP * even
    if not away.any():
        return ""
    worst = places[np.flatnonzero(away)[0]]
    where = ", ".join(f"{name} = {value:.4g}" for name, value in zip(table.coordinates, worst, strict=True))
    return f"there is no point of it near {where}"
