"""The error of an answer without a reference: its distance from answers by independent sets of features.

With r(u) the residuals of all terms and L their derivative, L d = -r(u) is solved by features for the correction d. Of
an answer u and two such corrected ones v and w, whose errors are independent,

    |error of u|^2 = (|u - v|^2 + |u - w|^2 - |v - w|^2) / 2,

which is |d|^2 where the corrected ones are much better, and right where they are as good (the three-cornered hat of
Gray and Allan 1974). It is known where both distances agree, and where the corrected answers have the smaller residual
on points that no solve has seen; and only of what the linearised problem determines (`singular`).
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from pinnkit.features.choice import Choice
from pinnkit.features.independent import Answer, independent, points_inside, present_answer, residual_of_zero
from pinnkit.features.singular import Undetermined, undetermined
from pinnkit.features.solver import FeatureSolver
from pinnkit.features.system import System

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
MORE = 1.1
"""Features of the second set, as a multiple of those of the first, where these resolve the answer."""
FINER = 1.6
"""The same where they correct a trained network: sets of one size have errors in common, where neither resolves the
correction, and a finer one has others."""
GROWTHS = 2
"""Sets that are finer still, each of which is compared with the one before, where two do not tell the error."""
LARGEST = 1200
"""Coefficients of such a set at most."""
LARGEST_OWN = 2100
"""The same where features are a part of the answer, which may be the luckiest of several sets."""
FEWER = 2000
"""Points by which changes that nothing notices are found."""


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


def estimate(solver: FeatureSolver, choice: Choice, own: bool) -> Estimate:
    """The error of the answer that the solver's network holds, which is left as it is.

    Args:
        choice: of the features.
        own: whether features are a part of the answer, whose place independent ones take.
    """
    began = time.perf_counter()
    points, masks = points_inside(solver)
    with torch.no_grad():
        present = present_answer(solver, points, choice)
        larger = choice.more(MORE if own else FINER)
        others = [independent(solver, one, 1 + number, points, own) for number, one in enumerate((choice, larger))]
        unknown = _unfinished(solver) or _noise(solver)  # which finer sets do not change
        found = _compared(solver, present, others, masks, unknown, _doubt(solver, present, others, own))
        for number in range(3, 3 + GROWTHS):
            larger = larger.more(FINER)
            most = LARGEST_OWN if own else LARGEST
            if unknown or solver.slabs or not found.reasons or larger.unknowns(solver.network.members) > most:
                break
            others = [others[1], independent(solver, larger, number, points, own)]
            found = _compared(solver, present, others, masks, unknown, _doubt(solver, present, others, own))
    log.debug("residuals: %.2e; independent: %.2e, %.2e", present.residual, *(one.residual for one in others))
    free = _undetermined(solver, present, choice, points)
    if free:
        for name in free.names:
            (found.learned if name in found.learned else found.fields)[name] = None
            found.reasons[name] = free.text
    change = (others[1].values - present.values).cpu().numpy()
    seconds = time.perf_counter() - began
    text = free.text if free else None
    return replace(found, seconds=seconds, points=points.cpu().numpy(), error=change, singular=text)


def _compared(
    solver: FeatureSolver,
    present: Answer,
    others: Sequence[Answer],
    masks: Mapping[str, Tensor],
    unknown: str | None,
    doubt: str | None,
) -> Estimate:
    """The error of each field and learned number by its distances to two other answers, where these tell it.

    Args:
        unknown: why no answers tell it. doubt: why these do not, unless they are equal to rounding.
    """
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
        reason = unknown or (None if exact else doubt or reason) or ("the field is zero" if size == 0 else None)
        fields[one.name] = None if reason else error / size
        if reason:
            reasons[one.name] = reason
    for name in present.learned:
        a, b, c = (answer.learned[name] for answer in (present, *others))
        error, reason = _error(abs(a - b), abs(a - c), abs(b - c))
        reason = unknown or (None if error <= EXACT * abs(c) else doubt or reason)
        learned[name] = None if reason else error
        if reason:
            reasons[name] = reason
    return Estimate(fields, learned, reasons, 0.0, np.zeros((0, 0)), np.zeros((0, 0)))


def _undetermined(solver: FeatureSolver, present: Answer, choice: Choice, points: Tensor) -> Undetermined | None:
    """What the linearised problem does not determine, where that tells of the solution."""
    if not solver.linear and not present.residual <= SOLVED * residual_of_zero(solver):
        return None
    return undetermined(solver, choice, points[:FEWER])


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
    most = max(one.judged for one in others)
    drop = present.judged / most if most > 0 else math.inf
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
