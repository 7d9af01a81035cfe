"""Windows of time of a run: why a problem has none, and what trains them."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

import sympy

from pinnkit.features.slab import initial_value_problem, time_orders
from pinnkit.language.calculus import partials
from pinnkit.language.errors import Report
from pinnkit.language.integral import Integral, all_partials
from pinnkit.losses.residuals import TermGroup
from pinnkit.networks.fields import FieldNetworks
from pinnkit.problem.narrowed_time import START, TimeDependentShape, at_start, narrowed_to, start_terms
from pinnkit.problem.parts import Equation
from pinnkit.problem.problem import Problem
from pinnkit.problem.scales import Scales
from pinnkit.settings import Settings
from pinnkit.training.feature_state import network_of
from pinnkit.training.module import PINN
from pinnkit.training.stages import Stage
from pinnkit.training.time_windows import TimeWindows

log = logging.getLogger("pinnkit")

WINDOWS_HELP = "windows=auto trains a nonlinear evolution in windows of time, where one network loses its way"
"""What the log says of a problem for which they may pay."""


def unfit_for_windows(problem: Problem) -> str:
    """Why a problem cannot be trained in windows of time; "": it can."""
    if reason := initial_value_problem(problem):
        return reason
    for condition in problem.conditions:
        if condition.data:
            return f"the samples of the condition '{condition.name}' belong to the whole time"
        if condition.hard and at_start(problem, condition):
            return f"the condition '{condition.name}' at the start is hard, and each window has another start"
    if any(field.part for field in problem.fields):
        return "fields have parts of the domain"
    for one in (*problem.equations, *(each for condition in problem.conditions for each in condition.equations)):
        if _reads_another_time(problem, one.residual):
            return f"'{one.name}' reads another time"
    if any(
        name.startswith(START)
        for name in [one.name for ones in (problem.equations, problem.conditions) for one in ones]
    ):
        return f"a name begins with {START}, as those of the terms at the start of windows do"
    begin, end = problem.domain.bounds[str(problem.time)]
    try:
        narrowed_to(problem, begin, end, _start(problem))
    except TimeDependentShape as error:
        return str(error)
    return ""


def windows_may_help(problem: Problem) -> bool:
    """Whether a problem is a nonlinear evolution that can be trained in windows of time."""
    return not problem.linear and not unfit_for_windows(problem)


def _reads_another_time(problem: Problem, residual: Any) -> bool:
    elsewhere = any(problem.time in dict(one.at) for one in all_partials(residual))
    return elsewhere or any(problem.time in one.names or bool(one.region) for one in residual.atoms(Integral))


def check_windows(problem: Problem, settings: Settings, custom: bool) -> None:
    """Refuse windows of time where there can be none, and what does not go with them.

    Raises:
        ProblemError: naming the key.
    """
    report = Report()
    if settings.windows is None:
        return
    if reason := unfit_for_windows(problem):
        report.add("windows", f"cannot be: {reason}; leave it out, and one network is trained for the whole time")
    if custom:
        report.add("windows", "need a network of pinnkit's own for each, and one was given in Python: leave one out")
    if settings.networks > 1:
        report.add(
            "levels" if settings.levels > 1 else "stages", "levels and windows do not go together: leave one out"
        )
    for key in ("continuation", "deflation"):
        if getattr(settings, key) is not None:
            report.add(key, "and windows do not go together: leave one of both out")
    if settings.polishes == "true":
        report.add("polish" if settings.polish == "true" else "stages", "features cannot correct windows of time")
    if settings.trainer.stop_estimated_error is not None:
        message = "the error of windows of time cannot be estimated: trainer.stop_error has a reference"
        report.add("trainer.stop_estimated_error", message)
    report.raise_if_any()


def time_windows(
    problem: Problem, settings: Settings, networks: FieldNetworks, stages: Sequence[Stage], groups: Sequence[TermGroup]
) -> tuple[TimeWindows, TermGroup]:
    """The windows of a run, and the terms at the start of each but the first."""
    start = TermGroup(START, problem, _start(problem))
    first = {one.name for each in problem.soft_conditions if at_start(problem, each) for one in each.equations}
    terms = frozenset(term for group in groups for term in group.terms)

    def in_window(stage: Stage, later: bool) -> Stage:
        own = terms if stage.terms is None else stage.terms
        if later and own & first:
            own = own - first | set(start.terms)
        return replace(stage, terms=own)

    pair = ([in_window(one, later=False) for one in stages], [in_window(one, later=True) for one in stages])
    return TimeWindows(problem, networks, settings.window_count, pair, start, settings.seed), start


def start_weights(problem: Problem, start: TermGroup, scales: Scales) -> dict[str, float]:
    """The weights of the terms at the start of windows, scaled where those of the problem are: d^m u / dt^m has the
    size of u over half the time to the power m."""
    begin, end = problem.domain.bounds[str(problem.time)]
    found = {}
    for one in start.symbolic:
        (partial,) = partials(cast(sympy.Expr, one.residual))
        size = scales.fields[partial.field] / ((end - begin) / 2) ** len(partial.derivative) if scales.terms else 1.0
        found[one.name] = float(one.weight) / size**2
    return found


@contextmanager
def joined(module: PINN) -> Iterator[None]:
    """Let the networks stand for the whole time, while training goes on in one window of it."""
    windows = network_of(module.model).windows
    former = windows is not None and windows.alone
    if windows is not None:
        windows.alone = False
    try:
        yield
    finally:
        if windows is not None:
            windows.alone = former


def window_metrics(module: PINN) -> dict[str, Any]:
    """windows: of each one that counts its ends in time, optimizer steps and relative residual, and how many others
    failed, in whose places narrower ones came."""
    windows = module.state.windows
    if windows is None:
        return {}
    placed, time = network_of(module.model).windows, module.problem.time
    if placed is not None and not windows.last:
        reached = f"{time} = {placed.upper:.6g} of {placed.end:.6g}"
        log.warning("the windows of time reached %s: behind it nothing is solved. Give it more steps or time", reached)
    every = [*windows.told, *([windows.final] if windows.final is not None else [])]
    kept = [one for one in every if not one.failed]
    return {
        "windows": [{"from": one.lower, "to": one.upper, "steps": one.steps, "residual": one.residual} for one in kept],
        "windows_failed": len(every) - len(kept),
    }


def rows_of_last_window(module: PINN, rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The record of training in the last window, its steps counted from there; all of a run without windows."""
    windows = module.state.windows
    began = 0 if windows is None else windows.began_step
    return [{**row, "step": row["step"] - began} for row in rows if row["step"] > began] if began else list(rows)


def _start(problem: Problem) -> tuple[Equation, ...]:
    names = [field.name for field in problem.fields]
    return start_terms(problem, dict(zip(names, time_orders(problem), strict=True)))
