"""Continuation over parameters: the values of a run, and its stages at each of them."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from pinnkit.language.errors import SHOWN, Report, suggestion
from pinnkit.optimizers.settings import Optimizer
from pinnkit.problem.problem import Problem
from pinnkit.runs.constraints import hard_constraints
from pinnkit.training.parameter_values import ParameterValues
from pinnkit.training.settings import Trainer
from pinnkit.training.stages import Stage

log = logging.getLogger(__name__)

LAST = 0.5
"""The share of the steps or the time for the problem's own values; those before share the rest equally."""
MOST = 100
"""Values of a parameter at most."""
EXAMPLE = "write {nu: [0.1, 0.03]}, or {nu: {from: 0.1, steps: 4}}"
GEOMETRY = ("coordinates", "shapes", "domain")
PLACES = ("at", "where")


def continued_values(problem: Problem, continuation: Mapping[str, Any] | None) -> tuple[ParameterValues, ...]:
    """The values at which a network is trained before the problem's own; none without a continuation.

    Raises:
        ProblemError: a name is no number of the problem, or shapes the domain; values that are no such; no closed form
            meets the hard conditions there.
    """
    report, found = Report(), {}
    for name, written in (continuation or {}).items():
        key = f"continuation.{name}"
        own = _own_value(problem, name, key, report)
        if own is not None:
            found[name] = _values(written, own, key, report)
    lengths = {len(values) for values in found.values() if values}
    if len(lengths) > 1:
        told = ", ".join(f"{name} has {len(values)}" for name, values in found.items())
        report.add("continuation", f"{told} before the problem's own: as many values of each are needed")
    report.raise_if_any()
    rows = zip(*found.values(), strict=True)
    passed = tuple(_with_constraints(problem, dict(zip(found, row, strict=True))) for row in rows)
    if passed:
        last = ", ".join(f"{one.name} = {one.value:.6g}" for one in problem.parameters if one.name in found)
        log.info("continuation: %s; then %s for half of the run", "; ".join(one.label for one in passed), last)
    return passed


def continued_stages(
    optimizers: Sequence[Optimizer], values: Sequence[ParameterValues], limits: Trainer
) -> tuple[Stage, ...]:
    """All optimizers one after the other at the first values, the last of them at the others and the problem's own."""
    stages, share = [], (1 - LAST) / len(values)
    before = sum(one.steps or 0 for one in optimizers[:-1])
    for number, at in enumerate(values):
        stages += [Stage(one, at=at) for one in (optimizers if number == 0 else optimizers[-1:])]
        last = stages[-1].settings
        steps = [] if last.steps is None else [last.steps]
        if limits.steps is not None:
            steps.append(max(round(share * limits.steps) - (before if number == 0 else 0), 1))
        until = None if limits.max_time is None else (number + 1) * share * limits.max_time
        stages[-1] = replace(stages[-1], settings=replace(last, steps=min(steps, default=None)), until=until)
    return (*stages, Stage(optimizers[-1]))


def _own_value(problem: Problem, name: str, key: str, report: Report) -> float | None:
    """The problem's own value of a parameter; None: there is none that could be another."""
    known = {one.name: one for one in problem.parameters}
    if name in problem.axes.parameters:
        report.add(key, f"{name} has a range, so the network is trained at all of its values at once: leave it out")
    elif name not in known:
        report.add(key, f"there is no parameter '{name}'{suggestion(name, known)}")
    elif known[name].learn:
        report.add(key, f"{name} is learned: continuation needs a parameter that is a number")
    elif place := _shaped(problem, name):
        report.add(key, f"{name} decides where the problem holds ({place}), and the points stay: leave it out")
    else:
        return known[name].value
    return None


def _values(written: Any, own: float, key: str, report: Report) -> list[float]:
    """The values before the problem's own, which may end a list of them."""
    if isinstance(written, Mapping):
        return _geometric(written, own, key, report)
    values = written if isinstance(written, Sequence) and not isinstance(written, str) else [written]
    if not all(map(_is_number, values)):
        report.add(key, f"{str(written)[:SHOWN]}: finite numbers are needed; {EXAMPLE}")
        return []
    values = [float(one) for one in values]
    values = values[:-1] if values and values[-1] == own else values
    if not values or len(values) > MOST:
        report.add(key, f"has {len(values)} values besides the problem's own, {own:g}: 1 to {MOST} are needed")
        return []
    return values


def _geometric(written: Mapping[str, Any], own: float, key: str, report: Report) -> list[float]:
    """from * (own / from)^(k / steps), k = 0 ... steps - 1."""
    first, steps = cast(float, written.get("from")), written.get("steps")
    if set(written) != {"from", "steps"} or not _is_number(first) or not isinstance(steps, int):
        report.add(
            key, f"{str(dict(written))[:SHOWN]}: a number `from` and a whole number `steps` are needed; {EXAMPLE}"
        )
    elif not 1 <= steps <= MOST:
        report.add(f"{key}.steps", f"{steps}: 1 to {MOST} are possible")
    elif first * own <= 0 or first == own:
        rule = "steps of one ratio lead from a number to another of the same sign"
        report.add(f"{key}.from", f"{first:g}, and the problem's own is {own:g}: {rule}; write a list of values")
    else:
        return [float(first * (own / first) ** (k / steps)) for k in range(steps)]
    return []


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")


def _with_constraints(problem: Problem, values: dict[str, float]) -> ParameterValues:
    """The values, and what the fields meet exactly there where it depends on them."""
    hard = [equation for condition in problem.hard_conditions for equation in condition.equations]
    symbols = {str(one) for equation in hard for one in getattr(equation.residual, "free_symbols", ())}
    if not symbols & set(values):
        return ParameterValues(values)
    parameters = tuple(replace(one, value=values.get(one.name, one.value)) for one in problem.parameters)
    return ParameterValues(values, hard_constraints(problem.replace(parameters=parameters)))


def _shaped(problem: Problem, name: str) -> str | None:
    """The key of what a parameter, or a number that is derived from it, decides of the geometry; None: nothing."""
    names = {name, *(one for one, expr in problem.definitions.items() if name in map(str, expr.free_symbols))}
    conditions = problem.config.get("conditions")
    written = [(key, problem.config.get(key)) for key in GEOMETRY]
    for condition, words in conditions.items() if isinstance(conditions, Mapping) else ():
        written += [(f"conditions.{condition}.{key}", words.get(key)) for key in PLACES if isinstance(words, Mapping)]
    return next((key for key, words in written if names & set(_words(words))), None)


def _words(config: Any) -> Iterable[str]:
    """The names in the texts of a configuration, without those of its keys."""
    if isinstance(config, Mapping):
        return [word for one in config.values() for word in _words(one)]
    if isinstance(config, str):
        return re.findall(r"[^\W\d]\w*", config)
    return [word for one in config for word in _words(one)] if isinstance(config, Sequence) else []
