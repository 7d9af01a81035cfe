"""The decision on a run, in one word, and its reasons."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from pinnkit.verdict.balance import Balance, Slab
from pinnkit.verdict.evidence import Evidence

SOLVED, FALLING, STALLED, UNSOLVED, UNKNOWN = "solved", "falling", "stalled", "unsolved", "unknown"

WRONG_ERROR = 0.1
"""Relative error from which on an answer is no solution: a tenth of the field is wrong."""
FAIR_ERROR, FINE_ERROR = 2e-2, 1e-3
"""Errors up to which it is solved: where it no longer falls, and in any case."""
CLAIMED = 3.0
"""Errors up to so many times the reference's own cannot be told from it."""
OUT_OF_BALANCE, SLAB_OUT_OF_BALANCE = 0.1, 0.3
"""Ratio of residual to terms from which on an equation is not met: of the domain, and of one slab in ten."""
VIOLATED, VIOLATED_DATA = 0.1, 0.5
"""Ratio from which on a condition is violated, and one that fits measured data, which has noise."""
FAIR_RATIO, FINE_RATIO = 1e-2, 1e-3
"""Ratios up to which an answer without a reference is solved: where nothing falls any more, and in any case."""
FAIR_CHANGE, FINE_CHANGE = 1e-2, 1e-3
"""Changes of the answer in the last third of training, likewise."""
FALLS, ERROR_FALLS = 2.0, 1.5
"""Factors in the last third by which the objective, and the error, still fall."""
SMALL_TERM = 1e-2
"""A term counts as if it had at least this share of the largest term's size."""


@dataclass(frozen=True)
class Worst:
    """The equation or condition that is farthest from being met; `slab`: where, if only there."""

    name: str
    ratio: float
    slab: Slab | None = None


@dataclass(frozen=True)
class Findings:
    """What the evidence amounts to.

    Attributes:
        word: the verdict.
        error: the largest error and its field; None: there is no reference.
        unmet: the equation that is not met. violated: the condition.
        ratio: the largest ratio of residual to terms of all equations and conditions but data; None: none is known.
        estimate: the largest of the estimated errors and its field; None: there is none of some field.
        falls: whether its budget ended the run while it still fell, or before it could be told whether it does.
        factor: by which error, or objective, fell in the last third; None: not known.
    """

    word: str
    error: tuple[str, float] | None
    unmet: Worst | None
    violated: Worst | None
    ratio: float | None
    estimate: tuple[str, float] | None
    falls: bool
    factor: float | None


def judge(evidence: Evidence) -> Findings:
    """Decide; every rank of a run decides the same from the same numbers."""
    equations, conditions = (_comparable(ones) for ones in (evidence.equations, evidence.conditions))
    ratios = [one.ratio for one in (*equations.values(), *conditions.values()) if not one.measured]
    found = Findings(
        UNKNOWN,
        max(evidence.errors.items(), key=lambda one: (not math.isfinite(one[1]), one[1]), default=None),
        _unmet(equations),
        _violated(conditions),
        max((one for one in ratios if math.isfinite(one)), default=None),
        _estimate(evidence),
        *_falls(evidence),
    )
    return replace(found, word=_by_error(evidence, found) if found.error else _by_residuals(evidence, found))


def shortcomings(
    equations: Mapping[str, Balance], conditions: Mapping[str, Balance]
) -> tuple[Worst | None, Worst | None]:
    """The equation that is farthest from being met, and the condition; None: all are met."""
    return _unmet(_comparable(equations)), _violated(_comparable(conditions))


def _by_error(evidence: Evidence, found: Findings) -> str:
    """With a reference the error is the judge."""
    assert found.error is not None
    (_, error), claimed = found.error, CLAIMED * (evidence.reference_error or 0.0)
    if not error < WRONG_ERROR:
        return UNSOLVED
    if error <= (FINE_ERROR if evidence.asked is None else evidence.asked) or error <= claimed:
        return SOLVED
    if found.falls:
        return FALLING
    return SOLVED if error <= FAIR_ERROR and evidence.asked is None else STALLED


def _by_residuals(evidence: Evidence, found: Findings) -> str:
    """Without one, the estimate of the error, or the residuals against their terms, and the change of the answer."""
    if evidence.doubts or found.unmet or found.violated:
        return UNSOLVED
    if found.estimate:
        return _by_estimate(evidence, found)
    if found.ratio is None:
        return UNKNOWN
    change = 0.0 if evidence.late_change is None else evidence.late_change
    if found.ratio <= FINE_RATIO and change <= FINE_CHANGE:
        return SOLVED
    if found.falls:
        return FALLING
    return SOLVED if found.ratio <= FAIR_RATIO and change <= FAIR_CHANGE else STALLED


def _by_estimate(evidence: Evidence, found: Findings) -> str:
    """An estimate that two corrections agree on is judged as an error would be."""
    assert found.estimate is not None
    _, error = found.estimate
    if not error < WRONG_ERROR:
        return UNSOLVED
    if error <= (FINE_ERROR if evidence.asked is None else evidence.asked):
        return SOLVED
    if found.falls:
        return FALLING
    return SOLVED if error <= FAIR_ERROR and evidence.asked is None else STALLED


def _estimate(evidence: Evidence) -> tuple[str, float] | None:
    """The largest estimated error, where there is one of every field."""
    known = [(name, error) for name, error in evidence.estimated.items() if error is not None and math.isfinite(error)]
    return max(known, key=lambda one: one[1]) if known and len(known) == len(evidence.estimated) else None


def _comparable(balances: Mapping[str, Balance]) -> dict[str, Balance]:
    """The balances with ratios for which no term counts less than a share of the largest."""
    floor = SMALL_TERM * max((one.scale for one in balances.values() if math.isfinite(one.scale)), default=0.0)
    found = {}
    for name, one in balances.items():
        factor = min(1.0, one.scale / floor) if floor > 0 else 1.0
        slab = one.worst and replace(one.worst, ratio=factor * one.worst.ratio)
        found[name] = replace(one, ratio=factor * one.ratio, worst=slab)
    return found


def _unmet(equations: Mapping[str, Balance]) -> Worst | None:
    """The equation with the largest ratio, of those that are not met."""
    found = []
    for name, one in equations.items():
        if not one.ratio < OUT_OF_BALANCE:
            found.append(Worst(name, one.ratio, one.worst if one.worst and one.worst.ratio > one.ratio else None))
        elif one.worst and not one.worst.ratio < SLAB_OUT_OF_BALANCE:
            found.append(Worst(name, one.ratio, one.worst))
    return max(found, key=lambda one: one.slab.ratio if one.slab else one.ratio, default=None)


def _violated(conditions: Mapping[str, Balance]) -> Worst | None:
    found = [
        Worst(name, one.ratio)
        for name, one in conditions.items()
        if not one.ratio < (VIOLATED_DATA if one.measured else VIOLATED)
    ]
    return max(found, key=lambda one: one.ratio, default=None)


def _falls(evidence: Evidence) -> tuple[bool, float | None]:
    """Whether a budget ended the run while it fell, or too early to tell, and by which factor it fell."""
    progress = evidence.progress
    factor, least = progress.error_fell, ERROR_FALLS
    if factor is None:
        factor, least = progress.objective_fell, FALLS
    return progress.budget and (factor is None or factor >= least), factor
