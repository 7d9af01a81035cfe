"""Balances of all equations and conditions of a trained network at points that training has not seen."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from pinnkit.language.calculus import Partial
from pinnkit.losses.residuals import TermGroup
from pinnkit.losses.term_sizes import TermSizes
from pinnkit.problem.groups import equation_groups, is_equations
from pinnkit.problem.parts import Condition
from pinnkit.problem.problem import Problem
from pinnkit.sampling.point_set import PointSet
from pinnkit.sampling.points import condition_points, equation_points
from pinnkit.sampling.sequences.sobol import Sobol
from pinnkit.sampling.settings import unit_points
from pinnkit.training.module import PINN
from pinnkit.verdict.balance import Balance, balance

EQUATIONS, CONDITIONS, INSIDE = 4096, 512, 1024
"""Points of each group of equations, of each condition, and of the domain, by which the fields' sizes are found."""
DRAW = 2**30
"""The number of their draw: training draws with smaller numbers, or from 2^31 on."""
CHUNK = 4096
"""Evaluations of the network at once, about."""


def balances(module: PINN, seed: int) -> tuple[dict[str, Balance], dict[str, Balance]]:
    """The balance of each equation, and of each equation of the soft conditions, by their names.

    The points are a function of the seed alone; every rank computes the same.
    """
    problem, groups = module.problem, module.groups
    levels = Levels(module, seed)
    equations: dict[str, Balance] = {}
    conditions: dict[str, Balance] = {}
    for name in equation_groups(problem):
        points = equation_points(problem, Sobol(), seed, DRAW, max(EQUATIONS // groups[name].cost, 64), name)
        equations |= _balances(module, groups[name], points, levels)
    for one in problem.soft_conditions:
        conditions |= _balances(module, groups[one.name], _condition(problem, one, seed), levels, bool(one.data))
    return equations, conditions


def _condition(problem: Problem, one: Condition, seed: int) -> PointSet:
    points = condition_points(problem, one, Sobol(conditions=CONDITIONS), seed, DRAW)
    return points if len(points) <= EQUATIONS else points.take(slice(0, None, -(-len(points) // EQUATIONS)))


class Levels:
    """Sizes that fields and their derivatives have in the domain.

    `natural` needs no derivative: the RMS of the field, and for a derivative the deviation of the field from its mean
    over the ranges of the coordinates. `inside` is the RMS of the derivative itself.
    """

    def __init__(self, module: PINN, seed: int) -> None:
        self._module, self._seed = module, seed
        problem = module.problem
        self._ranges = dict(zip(problem.coordinates, problem.domain.upper - problem.domain.lower, strict=True))
        self._points = {part: self._inside(part) for part in {field.part for field in problem.fields}}
        self._levels: dict[str, tuple[float, float]] = {}
        with torch.no_grad():
            for index, field in enumerate(problem.fields):
                values = module(self._points[field.part])[:, index]
                deviation = (values - values.mean()).square().mean().sqrt()
                self._levels[field.name] = float(values.square().mean().sqrt()), float(deviation)

    def natural(self, partial: Partial) -> float:
        """The level by the field's scale."""
        rms, deviation = self._levels[partial.field]
        if not partial.derivative:
            return rms
        return deviation / float(np.prod([self._ranges[one] for one in partial.derivative]))

    def inside(self, group: TermGroup, wanted: set[Partial], parameters: Mapping[str, Tensor]) -> dict[Partial, float]:
        """The RMS of each partial derivative, wherever it is evaluated, over its part of the domain."""
        found: dict[Partial, float] = {}
        parts = {field.name: field.part for field in self._module.problem.fields}
        for part, points in self._points.items():
            here = [one for one in wanted if parts[one.field] == part]
            own = {one: Partial(one.field, one.coordinates, one.derivative) for one in here}
            batch = PointSet(points)
            values = group.partials(self._module.network, batch, group.values(batch, parameters), set(own.values()))
            found |= {one: float(values[local].detach().square().mean().sqrt()) for one, local in own.items()}
        return found

    def _inside(self, part: str) -> Tensor:
        solid = self._module.problem.solid(part)
        points = solid.draw(
            INSIDE, lambda drawn: unit_points("sobol", drawn, solid.dimension, self._seed, f"inside.{part}", DRAW)
        )
        return torch.as_tensor(points).to(self._module.model.like)


def _balances(
    module: PINN, group: TermGroup, points: PointSet, levels: Levels, measured: bool = False
) -> dict[str, Balance]:
    sizes, parameters = TermSizes(group), module.parameter_values()
    like = module.model.like
    found: dict[str, list[list[Tensor]]] = {term: [] for term in group.terms}
    inside: dict[Partial, float] | None = None
    step = max(CHUNK // group.cost, 1)
    for start in range(0, len(points), step):
        batch = points.take(slice(start, start + step)).mapped(lambda one: torch.as_tensor(one).to(like))
        values = {key: _detached(one) for key, one in group.point_values(module.network, batch, parameters).items()}
        residuals = group.evaluated(module.network, batch, values)
        own = sizes.at(module.network, batch, values)
        if is_equations(group.name):
            usual = sizes.by_levels(batch, values, levels.natural)
        else:
            if inside is None:
                inside = levels.inside(group, {one for one in values if isinstance(one, Partial)}, parameters)
            usual = sizes.by_levels(batch, values, inside.__getitem__)
        for term in group.terms:
            missing = torch.zeros_like(residuals[term])
            found[term].append([one.detach() for one in (residuals[term], own[term], usual.get(term, missing))])
    coordinates = {name: points.coordinates[:, index] for index, name in enumerate(module.problem.coordinates)}
    ranges = dict(module.problem.domain.bounds)
    balances = {}
    for term, chunks in found.items():
        residual, size, natural = (_joined(parts) for parts in zip(*chunks, strict=True))
        balances[term] = balance(residual, size, natural, coordinates, ranges, measured)
    return balances


def _detached(value: object) -> object:
    return value.detach() if isinstance(value, Tensor) else value


def _joined(parts: tuple[Tensor, ...]) -> np.ndarray:
    return torch.cat(parts).double().cpu().numpy()[:, 0]
