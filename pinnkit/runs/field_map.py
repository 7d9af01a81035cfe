"""The whole map from coordinates to fields as one module of plain torch operations, for export."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from pinnkit.language.calculus import symbol
from pinnkit.language.errors import Mistake, ProblemError
from pinnkit.language.evaluate import Program
from pinnkit.problem.at import random_points
from pinnkit.problem.parts import Unknown
from pinnkit.problem.problem import Problem
from pinnkit.problem.unknowns import ROUNDING
from pinnkit.runs import evaluation
from pinnkit.training.module import PINN

POINTS = 500
"""Points of the domain at which an exported map is compared with the network."""
TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-6}
"""The largest difference, relative to the size of each field."""


class FieldMap(nn.Module):
    """Coordinates (n,) by their names -> every field (n,) by its name, a complex one h as h_re and h_im.

    Scaling, embeddings, hard conditions, transforms and bounds are in it. A field with a function for each part of the
    domain has the value of the part in which a point lies: the first one that contains it, and NaN in none.

    Raises ProblemError at construction where a part has no closed form.
    """

    def __init__(self, module: PINN) -> None:
        super().__init__()
        self.network = copy.deepcopy(module.network).cpu().eval().requires_grad_(False)
        problem = module.problem
        self.coordinates = list(problem.coordinates)
        fields = [one.name for one in problem.fields]
        regions = {part: _depth(problem, part) for one in problem.unknowns for part in one.parts}
        self.outputs: dict[str, list[tuple[int, Callable[[Tensor], Tensor] | None]]] = {}
        for unknown in problem.unknowns:
            for one in unknown.fields:
                name = f"{unknown.name}_{one.component}" if one.component else unknown.name
                part = regions[one.part] if one.part else None
                self.outputs.setdefault(name, []).append((fields.index(one.name), part))
        span = torch.as_tensor(problem.domain.upper - problem.domain.lower)
        self.slack = ROUNDING * float(span.max())

    def forward(self, coordinates: dict[str, Tensor]) -> dict[str, Tensor]:
        points = torch.stack([coordinates[name] for name in self.coordinates], dim=1)
        values = self.network(points)
        return {name: self._joined(points, values, parts) for name, parts in self.outputs.items()}

    def _joined(self, points: Tensor, values: Tensor, parts: list) -> Tensor:
        if len(parts) == 1 and parts[0][1] is None:
            return values[:, parts[0][0]]
        result = torch.full_like(points[:, 0], torch.nan)
        missing = torch.ones_like(points[:, 0], dtype=torch.bool)
        for slack in (0.0, self.slack):
            for column, depth in parts:
                here = missing & (depth(points) >= -slack)
                result = torch.where(here, values[:, column], result)
                missing = missing & ~here
        return result


def _depth(problem: Problem, part: str) -> Callable[[Tensor], Tensor]:
    """A function of points (n, d) that is positive inside a part of the domain, zero on its boundary, else negative.

    Raises:
        ProblemError: there is no closed form.
    """
    expression = problem.regions[part].distance_expression
    if expression is None:
        message = f"a field has a function of its own in '{part}', {problem.regions[part].description}, "
        raise ProblemError(
            [Mistake("export", f"{message}which has no closed form: csv, netcdf and vtk hold its values")]
        )
    program = Program([expression])
    symbols = [symbol(name) for name in problem.coordinates]

    def depth(points: Tensor) -> Tensor:
        (found,) = program({**problem.values, **dict(zip(symbols, points.unbind(dim=1), strict=True))})
        return cast(Tensor, found)

    return depth


def sample(module: PINN) -> dict[str, Tensor]:
    """Points of the domain, (n,) for each coordinate, in the dtype of the network and on the CPU."""
    problem, dtype = module.problem, module.model.like.dtype
    points = torch.as_tensor(random_points(problem.domain, POINTS)).to(dtype)
    return dict(zip(problem.coordinates, points.unbind(dim=1), strict=True))


def check_agrees(module: PINN, found: Mapping[str, np.ndarray], points: Mapping[str, Tensor], name: str) -> float:
    """Compare an exported map with the network; the largest difference, relative to each field's size.

    Args:
        found: the fields that the exported map gives at `points`.

    Raises:
        ProblemError: they differ by more than rounding.
    """
    given = {coordinate: values.double().numpy() for coordinate, values in points.items()}
    expected = evaluation.predict(module, given)
    worst = 0.0
    for unknown in module.problem.unknowns:
        own, wanted = joined(unknown, found), expected[unknown.name]
        size = float(np.nanmax(np.abs(wanted))) or 1.0
        same = np.isnan(own) == np.isnan(wanted)
        off = np.where(np.isnan(wanted), 0.0, np.abs(own - wanted)) / size
        worst = max(worst, float(np.max(np.where(same, off, np.inf))))
    tolerance = TOLERANCE[next(iter(points.values())).dtype]
    if not worst <= tolerance:
        message = f"the map in {name} differs from the network by {worst:.1e}, and {tolerance:g} is allowed: "
        raise ProblemError([Mistake("export", f"{message}it is not written")])
    return worst


def joined(unknown: Unknown, found: Mapping[str, np.ndarray]) -> np.ndarray:
    """An unknown from the outputs of a `FieldMap`, in float64 or complex128."""
    if not unknown.is_complex:
        return np.asarray(found[unknown.name], dtype=np.float64)
    return np.asarray(found[f"{unknown.name}_re"], dtype=np.float64) + 1j * np.asarray(found[f"{unknown.name}_im"])
