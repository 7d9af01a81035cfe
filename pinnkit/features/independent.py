"""Answers by independent sets of features, with which that of a solver is compared."""

from __future__ import annotations

import copy
import logging
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pinnkit.features.choice import Choice
from pinnkit.features.marching import march
from pinnkit.features.newton import newton
from pinnkit.features.points import FRESH
from pinnkit.features.solver import FeatureSolver
from pinnkit.features.system import expansions_of
from pinnkit.networks.fields import Zero
from pinnkit.sampling.settings import unit_points

log = logging.getLogger(__name__)

POINTS = 8000
"""Points of the domain at which distances are measured: a front with a hundredth of it has some."""
MORE_IN_SLABS = 1.2
"""Features of a set of each slab of time, as a multiple of those of a choice: what one misses, the following ones
inherit."""
STEPS = 4
"""Newton steps of a set that takes the place of features."""


@dataclass(frozen=True)
class Answer:
    """Fields at points (n, fields), learned numbers, and the residual on fresh points.

    judged: the same of the points and weights by which answers are judged.
    """

    values: Tensor
    learned: dict[str, float]
    residual: float
    judged: float


def residual_of_zero(solver: FeatureSolver) -> float:
    """The residual on fresh points without features and trained networks."""
    network = solver.network
    added, networks = network.added, network.networks
    network.remove([module for module, _ in added])
    network.networks = nn.ModuleList([Zero(len(fields)) for fields in network.members])
    try:
        return solver.fresh_residual(solver.trial_unknowns)
    finally:
        network.networks = networks
        for module, group in added:
            network.add(module, group)


def present_answer(solver: FeatureSolver, points: Tensor, choice: Choice) -> Answer:
    """That of the solver as it is, with the residual on as many points as a choice of features asks for."""
    unknowns = choice.unknowns(solver.network.members)
    residual = solver.system(unknowns, FRESH + 1, share=0.5).norm()
    return Answer(solver.network(points), solver.numbers(), residual, solver.judge.norm())


def independent(solver: FeatureSolver, choice: Choice, stream: int, points: Tensor, own: bool) -> Answer:
    """The answer with an independent set of features; the solver is left as it was."""
    network, learned = solver.network, solver.model.learned
    former = network.added
    kept = copy.deepcopy([module.state_dict() for module, _ in former])
    numbers = {name: float(one) for name, one in learned.items()}
    try:
        if solver.slabs:
            log.info("features: independent ones go through the %d slabs, to estimate the error", len(solver.slabs))
            more = MORE_IN_SLABS * choice.count / solver.choice.count
            march(solver, stream, more, 1 if solver.trained else STEPS, again=not solver.trained)
            return present_answer(solver, points, choice)
        solver.add(choice, stream)
        expansions = expansions_of(network)
        unknown, replaced = expansions[len(former) :], expansions[: len(former)] if own else []
        system = solver.system(sum(one.size for one in unknown), stream)
        newton(system, unknown, STEPS if own and not solver.linear else 1, not own or solver.linear, replaced)
        return present_answer(solver, points, choice)
    finally:
        network.remove(list(network.expansions))
        for (module, group), state in zip(former, kept, strict=True):
            module.load_state_dict(state)
            network.add(module, group)
        for name, value in numbers.items():
            learned[name].fill_(value)


def points_inside(solver: FeatureSolver) -> tuple[Tensor, dict[str, Tensor]]:
    """Points of the domain, and for each part of it those that lie there."""
    problem = solver.problem
    points = problem.domain.draw(
        POINTS, lambda drawn: unit_points("sobol", drawn, problem.domain.dimension, 0, "error")
    )
    masks = {one.part: torch.as_tensor(problem.solid(one.part).contains(points)) for one in problem.fields}
    return torch.as_tensor(points).to(solver.like), masks
