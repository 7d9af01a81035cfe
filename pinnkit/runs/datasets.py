"""Solutions as xarray datasets: fields on labelled grids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pinnkit.problem.problem import Problem
from pinnkit.references.choose import Reference
from pinnkit.reporting.grid import Grid
from pinnkit.runs import evaluation, planes
from pinnkit.training.module import PINN
from pinnkit.versions import __version__

if TYPE_CHECKING:
    import xarray

SCATTERED = "point"
"""The dimension of points that form no grid."""
Axis = float | Sequence[float] | np.ndarray


def dataset(
    module: PINN,
    reference: Reference | None,
    points: int | None,
    axes: Mapping[str, Axis],
    status: str,
    metrics: Mapping[str, Any],
) -> xarray.Dataset:
    """The fields on a grid; see `Solution.to_xarray`."""
    try:
        import xarray
    except ImportError as error:
        raise ImportError('to_xarray needs the package xarray: pip install "pinnkit[xarray]"') from error
    problem = module.problem
    grid = _grid(problem, points, axes)
    inside = evaluation.inside_domain(problem, grid)
    arrays = evaluation.blanked(evaluation.predict(module, grid.coordinates), inside)
    if reference is not None:
        known = _reference(reference, grid)
        arrays |= {f"{name}_reference": values for name, values in evaluation.blanked(known, inside).items()}

    def labelled(name: str) -> dict[str, str]:
        unit = problem.units.get(name.removesuffix("_reference"))
        return {} if unit is None else {"units": unit}

    dimensions = grid.names if grid.structured else (SCATTERED,)
    variables = {name: (dimensions, values, labelled(name)) for name, values in arrays.items()}
    coordinates = {
        name: ((name,) if grid.structured else (SCATTERED,), grid.axis(name), labelled(name)) for name in grid.names
    }
    return xarray.Dataset(variables, coordinates, attributes(problem, status, metrics))


def attributes(problem: Problem, status: str, metrics: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of a solution, as texts and numbers that a NetCDF file can hold."""
    found: dict[str, Any] = {
        "title": problem.name,
        "description": problem.description,
        "equations": "\n".join(f"{one.name}: {one.text}" for one in problem.equations),
        "source": f"pinnkit {__version__}, a physics-informed neural network",
        "status": status,
        "verdict": metrics.get("verdict"),
        "reference": metrics.get("reference"),
    }
    found |= {f"relative_l2_{name}": value for name, value in (metrics.get("relative_l2") or {}).items()}
    found |= {f"learned_{name}": one["value"] for name, one in (metrics.get("learned") or {}).items()}
    return {name: value for name, value in found.items() if value not in (None, "")}


def _grid(problem: Problem, points: int | None, axes: Mapping[str, Axis]) -> Grid:
    """The evaluation grid, with the given values of some coordinates.

    Raises:
        ValueError: an axis is no coordinate, or has no values.
    """
    if unknown := [name for name in axes if name not in problem.coordinates]:
        raise ValueError(f"there is no coordinate {unknown[0]}; coordinates are {', '.join(problem.coordinates)}")
    if not axes:
        return evaluation.evaluation_grid(problem, points)
    dimension = len(problem.coordinates)
    count = points or evaluation.GRID.get(dimension, 11)
    rows = []
    for name in problem.coordinates:
        if name in axes:
            values = np.atleast_1d(np.asarray(axes[name], dtype=np.float64))
        else:
            lower, upper = problem.domain.bounds[name]
            logarithmic = name in problem.axes.logarithmic
            values = np.geomspace(lower, upper, count) if logarithmic else np.linspace(lower, upper, count)
        if values.ndim != 1 or not values.size:
            raise ValueError(f"{name} has shape {values.shape}: the values along an axis are (n,), at least one")
        rows.append(values)
    meshes = np.meshgrid(*rows, indexing="ij")
    return planes.grid(problem, dict(zip(problem.coordinates, meshes, strict=True)), structured=True)


def _reference(reference: Reference, grid: Grid) -> dict[str, np.ndarray]:
    """The reference at the points of the grid.

    Raises:
        ValueError: it is a table, which is known at its own points alone.
    """
    if reference.grid is not None:
        raise ValueError(f"the reference {reference.name} is known at its own points alone: see solution.error()")
    return reference(grid.coordinates)
