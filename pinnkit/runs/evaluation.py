"""Evaluation of a trained network: fields on a grid, errors against the reference, residuals, figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure

from pinnkit.losses.residuals import TermGroup
from pinnkit.problem.groups import equation_groups, region_of
from pinnkit.problem.problem import Problem
from pinnkit.problem.unknowns import combined
from pinnkit.references.choose import Reference
from pinnkit.references.exact import exact_parameters
from pinnkit.reporting.error_norms import max_error, relative_l2, rms
from pinnkit.reporting.figures import draw
from pinnkit.reporting.grid import Grid
from pinnkit.reporting.history_figure import History
from pinnkit.reporting.planes import Planes
from pinnkit.runs import planes
from pinnkit.runs.drawn_points import drawn_points, measured
from pinnkit.runs.singular_points import ROUNDING, singular
from pinnkit.sampling.point_set import PointSet
from pinnkit.sampling.points import complete
from pinnkit.sampling.settings import unit_points
from pinnkit.training.module import PINN

GRID = {1: 1001, 2: 201, 3: 41}
"""Evaluation points along each coordinate, by the number of coordinates."""
SCATTERED = 10_000
"""Evaluation points in more coordinates than a grid can fill."""
CHUNK = 4096
"""Points evaluated at once: enough to be quick, few enough for memory."""


@dataclass(frozen=True)
class Evaluation:
    """The fields on a grid, the reference there, and the equations' residuals.

    `left_out`: equation -> mask of the points where its residual is no number for any field, as u_r/r at r = 0.
    `regions`: equation -> mask of the points where it holds, for those that hold in a part of the domain.
    `inside`: mask of the points in the domain; everything is NaN outside.
    `planes`: what is drawn of four or more coordinates.
    """

    grid: Grid
    fields: Mapping[str, np.ndarray]
    references: Mapping[str, np.ndarray]
    residuals: Mapping[str, np.ndarray]
    left_out: Mapping[str, np.ndarray]
    inside: np.ndarray
    planes: Planes | None = None
    regions: Mapping[str, np.ndarray] = field(default_factory=dict)

    def errors(self) -> dict[str, Any]:
        """relative_l2 and max_error for each field with a reference, residual_rms for each equation.

        residual_left_out: how many points that leaves out, for equations that are singular at some.
        reference_left_out: how many points have no finite reference, for fields where some have none.
        """
        known = {name: _known(self.fields[name], reference) for name, reference in self.references.items()}
        unknown = {
            name: int(np.sum(self.inside & ~np.isfinite(reference))) for name, reference in self.references.items()
        }
        return {
            "relative_l2": {name: relative_l2(*pair) for name, pair in known.items()},
            "max_error": {name: max_error(*pair) for name, pair in known.items()},
            "reference_left_out": {name: count for name, count in unknown.items() if count},
            "residual_rms": {name: rms(values[self._counted(name)]) for name, values in self.residuals.items()},
            "residual_left_out": {name: int(mask.sum()) for name, mask in self.left_out.items()},
        }

    def _counted(self, name: str) -> np.ndarray:
        mask = self.left_out.get(name)
        counted = self.inside & self.regions.get(name, True)
        return counted if mask is None else counted & ~mask

    def arrays(self) -> dict[str, np.ndarray]:
        """What solution.npz holds: coordinates and fields by name, references as u_reference."""
        references = {f"{name}_reference": values for name, values in self.references.items()}
        return {**self.grid.coordinates, **self.fields, **references}

    def extremes(self) -> dict[str, dict[str, float]]:
        """`minimum` and `maximum` of each field on the grid, of a complex one those of the modulus."""
        sizes = {name: np.abs(one) if np.iscomplexobj(one) else one for name, one in self.fields.items()}
        return {
            what: {name: float(of(values[self.inside])) for name, values in sizes.items()}
            for what, of in (("minimum", np.nanmin), ("maximum", np.nanmax))
        }

    def draw(
        self,
        problem: Problem,
        history: History,
        points: Mapping[str, PointSet],
        estimates: tuple[Grid, Mapping[str, np.ndarray]] | None = None,
    ) -> dict[str, Figure]:
        """The run's figures by file name.

        Args:
            estimates: of the errors of fields, at points of their own.
        """
        counted = {name: np.where(self._counted(name), values, np.nan) for name, values in self.residuals.items()}
        functions = {one.name: one.inputs[0] for one in problem.fields if one.arguments and len(one.inputs) == 1}
        return draw(
            problem.name,
            self.grid,
            self.fields,
            self.references,
            counted,
            history,
            drawn_points(problem, points),
            functions,
            self.planes,
            measured(problem),
            exact_parameters(problem),
            estimates,
        )


def _known(values: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both (n,) at the points where the reference is finite; at every point where it is so nowhere."""
    finite = np.isfinite(reference)
    return (values[finite], reference[finite]) if finite.any() else (values, reference)


def evaluation_grid(problem: Problem, per_coordinate: int | None = None) -> Grid:
    """A tensor grid up to three coordinates (1001, 201 x 201, 41 x 41 x 41 points), scattered points in more.

    Args:
        per_coordinate: points along each coordinate, in place of these.
    """
    dimension = len(problem.coordinates)
    if dimension in GRID:
        count = per_coordinate or GRID[dimension]
        return planes.grid(problem, problem.domain.grid(dict.fromkeys(problem.coordinates, count)), structured=True)
    domain = problem.domain
    points = domain.draw(SCATTERED, lambda drawn: unit_points("uniform", drawn, domain.dimension, 0, "evaluation"))
    columns = {name: points[:, index] for index, name in enumerate(problem.coordinates)}
    return planes.grid(problem, columns, structured=False)


def grid_of(problem: Problem, reference: Reference | None, per_coordinate: int | None = None) -> Grid:
    """The reference's own points where it has some, the evaluation grid otherwise."""
    if reference is None or reference.grid is None:
        return evaluation_grid(problem, per_coordinate)
    first = next(iter(reference.grid.values()))
    return planes.grid(problem, reference.grid, structured=first.ndim == len(problem.coordinates))


def predict(module: PINN, coordinates: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Every unknown at arrays of points of any one shape, in float64 or complex128."""
    first = next(iter(coordinates.values()))
    with torch.no_grad():
        parts = [module(part) for part in _chunks(module, coordinates)]
    values = torch.cat(parts).double().cpu().numpy()
    found = {one.name: values[:, index].reshape(first.shape) for index, one in enumerate(module.problem.fields)}
    return combined(module.problem, found, coordinates)


def residuals(module: PINN, coordinates: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The residual of every equation at arrays of points of any one shape; NaN outside its region."""
    shape = next(iter(coordinates.values())).shape
    every: dict[str, np.ndarray] = {}
    for group in equation_groups(module.problem):
        within = in_part(module.problem, coordinates, region_of(group))
        chosen = {name: values[within] for name, values in coordinates.items()}
        for name, values in residuals_of(module, module.problem, module.groups[group], chosen).items():
            every[name] = np.full(shape, np.nan)
            every[name][within] = values
    return every


def residuals_of(
    module: PINN, problem: Problem, group: TermGroup, coordinates: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """The residuals of a group of terms, without the roots of their weights, at points (n,).

    problem: whose terms these are, with the coordinates, fields and parameters of the module's.
    """
    found: dict[str, list[torch.Tensor]] = {name: [] for name in group.terms}
    with torch.enable_grad():
        for part in _chunks(module, coordinates, group.cost):
            batch, parameters = _completed(problem, part), module.parameter_values()
            for name, values in group(module.network, batch, parameters, weigh=False).items():
                found[name].append(values.detach()[:, 0])
    return {name: torch.cat(parts).double().cpu().numpy() for name, parts in found.items()}


def in_part(problem: Problem, coordinates: Mapping[str, np.ndarray], region: str) -> np.ndarray:
    """Mask, in the shape of the coordinates, of the points in a region; "": all."""
    first = next(iter(coordinates.values()))
    if not region:
        return np.full(first.shape, True)
    points = np.stack([np.ravel(coordinates[name]) for name in problem.coordinates], axis=1)
    slack = ROUNDING * (problem.domain.upper - problem.domain.lower)
    return problem.solid(region).contains(points, slack).reshape(first.shape)


def _completed(problem: Problem, points: torch.Tensor) -> PointSet:
    """Points (n, d) with the values of tables there."""
    if not problem.columns:
        return PointSet(points)
    found = complete(problem, PointSet(points.double().cpu().numpy()))
    return replace(found.mapped(lambda one: torch.as_tensor(one).to(points)), coordinates=points)


def evaluate(module: PINN, reference: Reference | None, per_coordinate: int | None = None) -> Evaluation:
    """Evaluate the network, its reference and its residuals on the grid."""
    grid = grid_of(module.problem, reference, per_coordinate)
    inside = inside_domain(module.problem, grid)
    references = reference(grid.coordinates) if reference is not None else {}
    fields = predict(module, grid.coordinates)
    found = residuals(module, grid.coordinates)
    fields, references, found = (blanked(arrays, inside) for arrays in (fields, references, found))
    regions = {
        one.name: in_part(module.problem, grid.coordinates, one.region)
        for one in module.problem.equations
        if one.region
    }
    left_out = singular(module, grid, fields, found, regions)
    drawn = _planes(module, reference)
    return Evaluation(grid, fields, references, found, left_out, inside, drawn, regions)


def _planes(module: PINN, reference: Reference | None) -> Planes | None:
    """Fields and reference on planes through four or more coordinates."""
    grid = planes.planes_grid(module.problem)
    if grid is None:
        return None
    inside = inside_domain(module.problem, grid)
    references = reference(grid.coordinates) if reference is not None and reference.grid is None else {}
    return Planes(grid, blanked(predict(module, grid.coordinates), inside), blanked(references, inside))


def inside_domain(problem: Problem, grid: Grid) -> np.ndarray:
    """Mask of the grid's points in the domain: a grid over the bounding box of a disk has others too."""
    if problem.domain.fills_bounds or not grid.structured:  # scattered points lie inside
        return np.full(grid.shape, True)
    points = np.stack([grid.coordinates[name].ravel() for name in problem.coordinates], axis=1)
    slack = ROUNDING * (problem.domain.upper - problem.domain.lower)
    return problem.domain.contains(points, slack).reshape(grid.shape)


def blanked(arrays: Mapping[str, np.ndarray], inside: np.ndarray) -> dict[str, np.ndarray]:
    """The arrays with NaN outside the domain."""
    if inside.all():
        return dict(arrays)
    return {name: np.where(inside, values, np.nan) for name, values in arrays.items()}


class Errors:
    """The error of each field that has a reference, measured again at each call."""

    def __init__(self, module: PINN, reference: Reference | None, per_coordinate: int | None = None) -> None:
        self._module = module
        self._grid = grid_of(module.problem, reference, per_coordinate)
        references = reference(self._grid.coordinates) if reference is not None else {}
        self._references = blanked(references, inside_domain(module.problem, self._grid))

    def __call__(self) -> dict[str, float]:
        """Field -> its relative L2 error."""
        return {name: relative_l2(*pair) for name, pair in self._pairs().items()}

    def norms(self) -> dict[str, dict[str, float]]:
        """Field -> relative_l2 and max_error."""
        pairs = self._pairs()
        return {name: {"relative_l2": relative_l2(*one), "max_error": max_error(*one)} for name, one in pairs.items()}

    def _pairs(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Field -> its values and those of the reference, where that is known."""
        if not self._references:
            return {}
        fields = predict(self._module, self._grid.coordinates)
        return {name: _known(fields[name], values) for name, values in self._references.items()}


def _chunks(module: PINN, coordinates: Mapping[str, np.ndarray], cost: int = 1) -> Iterable[torch.Tensor]:
    """The points (n, d) in parts, on the module's device and in its dtype.

    cost: points at which the network is evaluated for each of them.
    """
    flat = np.stack([np.ravel(coordinates[name]) for name in module.problem.coordinates], axis=1)
    like = module.model.like
    return torch.as_tensor(flat).to(like).split(max(CHUNK // cost, 1))
