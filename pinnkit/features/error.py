"""The error of an answer without a reference: its distance from answers by independent sets of features.

With r(u) the residuals of all terms and L their derivative, L d = -r(u) is solved by features for the correction d. Of
an answer u and two such corrected ones v and w, whose errors are independent,

    |error of u|^2 = (|u - v|^2 + |u - w|^2 - |v - w|^2) / 2,

which is |d|^2 where the corrected ones are much better, and right where they are as good (the three-cornered hat of
Gray and Allan 1974). It is known where both distances agree, and where the corrected answers have the smaller residual
on points that no solve has seen; and only of what the linearised problem determines (`singular`).
"""

from __future__ import annotations

import copy
import logging
import math
import time
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor, nn

from pinnkit.features.choice import Choice
from pinnkit.features.marching import march
from pinnkit.features.newton import newton
from pinnkit.features.points import FRESH
from pinnkit.features.singular import Undetermined, undetermined
from pinnkit.features.solver import FeatureSolver
from pinnkit.features.system import System, expansions_of
from pinnkit.networks.fields import Zero
from pinnkit.sampling.settings import unit_points

log = logging.getLogger(__name__)

AGREE = 2.0
"""The factor up to which two distances must agree."""
RESOLVED = 10.0
"""The factor by which the residual on fresh points must fall, where the answer is not one of features itself: with 6 an
estimate at a front was a quarter of the error, as both sets missed the same."""
WORSE = 3.0
"""The factor by which that of an independent set may be larger, where it is."""
EXACT = 1e-11
"""The share of a field's size below which distances are those of rounding."""
NOISE = 1e-4
"""The share of samples by which an answer may miss them, or the error that their noise brings is not known."""
LEFT = 1e-3
"""The share of the residual of zero fields that an answer by features may leave: at a front that no set resolves, all
sets miss the same."""
SOLVED = 1e-2
"""The share of the residual of zero fields from which on a state is too far from a solution of a nonlinear problem for
the linearisation about it to tell whether that is singular."""
POINTS = 2000
"""Points of the domain at which distances are measured."""
MORE = 1.1
"""Features of the second set, as a multiple of those of the first."""
MORE_IN_SLABS = 1.2
"""The same of both sets, of each slab: what one misses, the following ones inherit."""
STEPS = 4
"""Newton steps of a set that takes the place of features."""


@dataclass(frozen=True)
class Estimate:
    """The estimated error of an answer.

    Attributes:
        fields: field -> relative L2 error; None: not known.
        learned: learned number -> error of its value; None: not known.
        reasons: field or number -> why it is not known.
        seconds: that the estimate took.
        points, error: points (n, d), and the estimated error of each field there (n, fields), for a map.
        singular: what the problem does not determine, in words; None: nothing was found.
    """

    fields: dict[str, float | None]
    learned: dict[str, float | None]
    reasons: dict[str, str]
    seconds: float
    points: np.ndarray = field(repr=False)
    error: np.ndarray = field(repr=False)
    singular: str | None = None


@dataclass(frozen=True)
class Answer:
    """Fields at points (n, fields), learned numbers, and the residual on fresh points."""

    values: Tensor
    learned: dict[str, float]
    residual: float


def estimate(solver: FeatureSolver, choice: Choice, own: bool) -> Estimate:
    """The error of the answer that the solver's network holds, which is left as it is.

    Args:
        choice: of the features.
        own: whether features are a part of the answer, whose place independent ones take.
    """
    began = time.perf_counter()
    points, masks = points_inside(solver)
    with torch.no_grad():
        present = _present(solver, points, choice)
        others = [independent(solver, choice, 1, points, own)]
        others.append(independent(solver, replace(choice, count=math.ceil(MORE * choice.count)), 2, points, own))
    log.debug("residuals: %.2e; independent: %.2e, %.2e", present.residual, *(one.residual for one in others))
    noise, doubt = _unfinished(solver) or _noise(solver), _doubt(solver, present, others, own)
    found = _undetermined(solver, present, choice, points)
    singular = dict.fromkeys(found.names, found.text) if found else {}
    fields: dict[str, float | None] = {}
    learned: dict[str, float | None] = {}
    reasons: dict[str, str] = {}
    for index, one in enumerate(solver.problem.fields):
        three = [answer.values[masks[one.part], index] for answer in (present, *others)]
        size = float(three[2].square().mean().sqrt())
        distances = [
            float((a - b).square().mean().sqrt())
            for a, b in ((three[0], three[1]), (three[0], three[2]), (three[1], three[2]))
        ]
        error, reason = _error(*distances)
        exact = error <= EXACT * size  # the distances are those of rounding, which need not agree
        reason = singular.get(one.name) or noise or (None if exact else doubt or reason)
        reason = reason or ("the field is zero" if size == 0 else None)
        fields[one.name] = None if reason else error / size
        if reason:
            reasons[one.name] = reason
    for name in present.learned:
        a, b, c = (answer.learned[name] for answer in (present, *others))
        error, reason = _error(abs(a - b), abs(a - c), abs(b - c))
        reason = singular.get(name) or noise or (None if error <= EXACT * abs(c) else doubt or reason)
        learned[name] = None if reason else error
        if reason:
            reasons[name] = reason
    change = (others[1].values - present.values).cpu().numpy()
    seconds = time.perf_counter() - began
    return Estimate(fields, learned, reasons, seconds, points.cpu().numpy(), change, found.text if found else None)


def _undetermined(solver: FeatureSolver, present: Answer, choice: Choice, points: Tensor) -> Undetermined | None:
    """What the linearised problem does not determine, where that tells of the solution."""
    if not solver.linear and not present.residual <= SOLVED * residual_of_zero(solver):
        return None
    return undetermined(solver, choice, points)


def _error(first: float, second: float, between: float) -> tuple[float, str | None]:
    """The error from its distances to two independent answers and theirs; why it is not known, where it is not."""
    least, most = sorted((first, second))
    if not most <= AGREE * least:
        return most, f"two independent sets of features disagree: {first:.1e} and {second:.1e}"
    square = (first**2 + second**2 - between**2) / 2
    return math.sqrt(max(square, most**2 / 4)), None


def _doubt(solver: FeatureSolver, present: Answer, others: list[Answer], own: bool) -> str | None:
    """Why nothing is known by these answers; None: something is."""
    most = max(one.residual for one in others)
    if own:
        if not most <= max(WORSE * present.residual, solver.exact):
            return f"independent features leave a residual of {most:.2g}, and the answer {present.residual:.2g}"
        zero = residual_of_zero(solver)
        if not zero > 0:
            return "fields that are zero solve the problem too"
        left = present.residual / zero
        if not left <= LEFT:
            return (
                f"the residual is {left:.1e} of what it is for fields that are zero: features do not resolve the answer"
            )
        return None
    drop = present.residual / most if most > 0 else math.inf
    if not drop >= RESOLVED:
        return f"features do not resolve the correction: the residual falls by a factor {drop:.2g} only"
    return None


def _unfinished(solver: FeatureSolver) -> str | None:
    """That slabs of time do not come to the end of the domain; None: they do, or there are none."""
    slab = solver.slabs[-1][0] if solver.slabs else None
    return None if slab is None or slab.last else f"only {solver.problem.time} up to {slab.upper:.4g} is solved"


def _noise(solver: FeatureSolver) -> str | None:
    """That samples are not met, whose noise brings an error that no correction shows; None: they are."""
    for one in solver.problem.soft_conditions:
        if one.data:
            missed = _missed(solver, one.name)
            if missed > NOISE:
                return f"the samples of {one.name} are missed by {missed:.1e} of their size: what noise does is unknown"
    return None


def _missed(solver: FeatureSolver, condition: str) -> float:
    """RMS of the residuals of a condition's samples, as a share of that of the samples."""
    batch = solver.system(solver.trial_unknowns, 0).batches[condition]
    size = max((float(one.square().mean().sqrt()) for one in batch.columns.values()), default=1.0)
    scales = dict.fromkeys(solver.groups[condition].terms, 1.0)
    found = System(solver.model, solver.groups, {condition: batch}, scales).norm()
    return found / size if size > 0 else found


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


def _present(solver: FeatureSolver, points: Tensor, choice: Choice) -> Answer:
    unknowns = choice.unknowns(solver.network.members)
    return Answer(solver.network(points), solver.numbers(), solver.system(unknowns, FRESH + 1, share=0.5).norm())


def independent(solver: FeatureSolver, choice: Choice, stream: int, points: Tensor, own: bool) -> Answer:
    """The answer with an independent set of features; the solver is left as it was."""
    network, learned = solver.network, solver.model.learned
    former = network.added
    kept = copy.deepcopy([module.state_dict() for module, _ in former])
    numbers = {name: float(one) for name, one in learned.items()}
    try:
        if solver.slabs:
            march(solver, stream, MORE_IN_SLABS * choice.count / solver.choice.count, STEPS)
            return _present(solver, points, choice)
        solver.add(choice, stream)
        expansions = expansions_of(network)
        unknown, replaced = expansions[len(former) :], expansions[: len(former)] if own else []
        system = solver.system(sum(one.size for one in unknown), stream)
        newton(system, unknown, STEPS if own and not solver.linear else 1, not own or solver.linear, replaced)
        return _present(solver, points, choice)
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
