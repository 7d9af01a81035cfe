"""Drift of the quantities that a problem calls conserved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pinnkit.problem.problem import Problem
from pinnkit.problem.units import unit_behind
from pinnkit.runs.expressions import Expression
from pinnkit.runs.windows import window_metrics
from pinnkit.training.module import PINN

TIMES, MEMBERS = 101, 5
"""Times at which they are looked at, and values of each parameter with a range."""
ZERO = 1e-9
"""A start below this share of the largest value over time counts as zero: no drift is relative to it."""
CLAIMED = 3.0
"""Drifts up to so many times the claimed error of the fields go with it."""
LOST = 0.1
"""The relative drift from which on an answer is no solution, where no reference says more."""


def over_time(module: PINN) -> dict[str, Any]:
    """What metrics.json has of the windows of time, and of conserved quantities."""
    return {**window_metrics(module), **conserved(module)}


def conserved(module: PINN) -> dict[str, Any]:
    """conserved: of each quantity Q its `start`, Q(0), its `end`, the largest `drift` |Q(t) - Q(0)| over a grid of
    times, and `relative_drift`, that over |Q(0)|; null where Q(0) is zero. With parameters that have a range the member
    counts whose drift is the largest. Nothing of a problem without such quantities."""
    problem = module.problem
    if not problem.conserve:
        return {}
    points = _points(problem)
    found = {name: _drift(Expression(module, text)(points)) for name, text in problem.conserve.items()}
    return {"conserved": found}


def _points(problem: Problem) -> dict[str, np.ndarray]:
    """Arrays (times, members) of each coordinate; those in space make no difference, and stand in the middle."""
    ranges = dict(problem.domain.bounds)
    times = np.linspace(*ranges[str(problem.time)], TIMES)
    axes = [np.linspace(*ranges[name], MEMBERS) for name in problem.axes.parameters]
    members = np.stack([one.ravel() for one in np.meshgrid(*axes, indexing="ij")]) if axes else np.zeros((0, 1))
    shape = (TIMES, members.shape[1])
    found = {name: np.full(shape, sum(ends) / 2) for name, ends in ranges.items()}
    found[str(problem.time)] = np.broadcast_to(times[:, None], shape).copy()
    for name, values in zip(problem.axes.parameters, members, strict=True):
        found[name] = np.broadcast_to(values, shape).copy()
    return found


def _drift(values: np.ndarray) -> dict[str, float | None]:
    """The numbers of one quantity from its values (times, members)."""
    drifts = np.abs(values - values[0]).max(axis=0)
    known = np.abs(values[0]) > ZERO * np.abs(values).max(axis=0)
    relative = np.divide(drifts, np.abs(values[0]), out=np.full(len(drifts), np.nan), where=known)
    chosen = int(np.nanargmax(relative)) if np.isfinite(relative).any() else int(np.argmax(np.nan_to_num(drifts)))
    numbers = {"start": values[0, chosen], "end": values[-1, chosen], "drift": drifts[chosen]}
    share = float(relative[chosen])
    return {**{key: float(one) for key, one in numbers.items()}, "relative_drift": share if known[chosen] else None}


def drift_lines(metrics: Mapping[str, Any]) -> list[str]:
    """What the summary of a run says of each quantity."""
    units, lines = metrics.get("units", {}), []
    for name, one in (metrics.get("conserved") or {}).items():
        share = one["relative_drift"]
        part = "" if share is None else f", {share:.1e} of it"
        start = f"{one['start']:.6g}{unit_behind(units, name)}"
        lines.append(f"{name}, conserved: {start} at the start, drifts by up to {one['drift']:.1e}{part}")
    return lines


def drifts_more_than_claimed(metrics: Mapping[str, Any]) -> str:
    """A sentence on the quantity that drifts most, where that is more than the error that is claimed; "": none does.

    The error is measured against a reference, or estimated; without either a tenth of a per cent stands for it.
    """
    name, drift = largest(metrics)
    errors = [*metrics.get("relative_l2", {}).values(), *(metrics.get("estimated_error") or {}).values()]
    known = [one for one in errors if one is not None and np.isfinite(one)]
    claimed = max(known, default=1e-3 / CLAIMED)
    if not name or not drift > CLAIMED * claimed:
        return ""
    than = f"more than the error of {claimed:.1e} would explain" if known else "the fields are no more exact than that"
    return f"{name}, which is to be conserved, drifts by {drift:.1e} of its value at the start: {than}."


def lost(metrics: Mapping[str, Any]) -> list[str]:
    """The same where a quantity that is to be conserved is not, as a reason against the answer."""
    name, drift = largest(metrics)
    return [f"{name}, which is to be conserved, changes by {100 * drift:.0f} %"] if name and not drift < LOST else []


def largest(metrics: Mapping[str, Any]) -> tuple[str, float]:
    """The quantity with the largest relative drift, and that; "" where none is known."""
    drifts = {name: one["relative_drift"] for name, one in (metrics.get("conserved") or {}).items()}
    known = {name: np.inf if np.isnan(one) else one for name, one in drifts.items() if one is not None}
    return max(known.items(), key=lambda one: one[1], default=("", 0.0))
