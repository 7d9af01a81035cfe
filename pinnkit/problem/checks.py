"""Checks of a problem before training."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

import numpy as np
import sympy

from pinnkit.language.calculus import Partial, partials
from pinnkit.language.errors import Report
from pinnkit.language.evaluate import Program
from pinnkit.language.integral import Integral, all_partials
from pinnkit.problem.condition_counts import too_few_in_space, too_few_in_time
from pinnkit.problem.displaced_arguments import check_displaced_arguments
from pinnkit.problem.exactness import check_exact, check_smooth, exact_values
from pinnkit.problem.hard.checks import check_hard
from pinnkit.problem.idle_cuts import idle_cuts
from pinnkit.problem.integral_checks import check_integrals, check_quadrature
from pinnkit.problem.integral_places import needed_coordinates
from pinnkit.problem.parts import Equation
from pinnkit.problem.places import equations_with_keys, point, samples, singular_at
from pinnkit.problem.problem import Problem
from pinnkit.problem.representable import check_representable
from pinnkit.problem.signs import check_signs


def check(problem: Problem, activation: str = "", smoothness: float = np.inf) -> Report:
    """Every check that needs no training; the report holds all mistakes and warnings.

    Args:
        activation, smoothness: the network's activation, and the highest derivative of it that is useful
            (infinity for tanh; 1 for ReLU, whose second derivative is zero wherever it exists).
    """
    report = Report()
    _check_use(problem, report)
    _check_smoothness(problem, activation, smoothness, report)
    for sentence in too_few_in_time(problem):
        report.warn("conditions", sentence)
    _check_imaginary_unit(problem, report)
    _check_single_points(problem, report)
    _check_finite(problem, report)
    check_signs(problem, report)
    check_displaced_arguments(problem, report)
    check_integrals(problem, report)
    values = exact_values(problem, report)
    check_exact(problem, values, report)
    check_smooth(problem, values, report)
    check_representable(problem, values, report)
    check_quadrature(problem, values, report)
    _check_weights(problem, report)
    check_hard(problem, report)
    if not report.mistakes:  # which may be the reason
        _doubt_geometry(problem, report)
    return report


def _doubt_geometry(problem: Problem, report: Report) -> None:
    """Warn of ends without conditions, and of shapes that are cut out of nothing."""
    if found := too_few_in_space(problem):
        others = f", and {len(found) - 1} more like it" if len(found) > 1 else ""
        report.warn("conditions", f"{found[0]}{others}")
    for sentence in idle_cuts(problem):
        report.warn("domain", sentence)


def _symbolic(equation: Equation) -> bool:
    return isinstance(equation.residual, sympy.Basic)


def _check_use(problem: Problem, report: Report) -> None:
    """A field or a learned parameter that no equation mentions would be trained on nothing, and the solution does not
    depend on a parameter with a range that none mentions."""
    pairs = [(equation.residual, condition) for _, equation, condition in equations_with_keys(problem)]
    residuals = [residual for residual, condition in pairs if condition is None or not condition.hard]
    if any(callable(residual) for residual in residuals):
        return  # what a callable reads is known only when it runs
    fields = {partial.field for residual in residuals for partial in all_partials(residual)}
    names = {str(name) for residual in residuals for name in cast(sympy.Expr, residual).free_symbols}
    for field in problem.fields:
        if field.name not in fields:
            part = f"its part {field.name} " if field.component else ""
            soft = "soft " if problem.hard_conditions else ""
            message = f"{part}stands in no equation and no {soft}condition, so nothing would train it"
            report.add(f"fields.{field.unknown}", message)
    for parameter in problem.learned:
        if parameter.name not in names:
            report.add(f"parameters.{parameter.name}", "is to be learned, but stands in no equation")
    held = set().union(*map(_named, residuals), *(one.coordinates for one in problem.columns.values()))
    for name in problem.axes.parameters:
        if name not in held:
            report.add(f"parameters.{name}", "has a range, but stands in no equation and no condition")
    for name in problem.tables:
        if all(one.name != name for one in problem.columns.values()):
            report.add(f"tables.{name}", "stands in no equation and no condition: leave it out")


def _named(expr: sympy.Basic) -> set[str]:
    """What an expression names besides the coordinates on which its fields depend: these by derivatives alone."""
    found, stack = set(), [expr]
    while stack:
        node = stack.pop()
        if isinstance(node, sympy.Symbol):
            found.add(str(node))
        elif isinstance(node, Partial):
            found |= set(node.derivative)
            stack += [value for _, value in node.at]
        elif isinstance(node, Integral):
            stack += [one for one in (node.body, node.lower, node.upper) if one is not None]
        stack += node.args
    return found


def _check_smoothness(problem: Problem, activation: str, smoothness: float, report: Report) -> None:
    for key, equation, _ in equations_with_keys(problem):
        if not _symbolic(equation):
            continue
        highest = max(all_partials(equation.residual), key=lambda partial: len(partial.derivative))
        if len(highest.derivative) > smoothness:
            report.add(
                key,
                f"needs {highest}, but a network with activation {activation} has no useful derivative of order "
                f"{len(highest.derivative)}; choose network.activation=tanh, or another smooth one",
                equation.text,
            )


def _check_finite(problem: Problem, report: Report) -> None:
    """An equation without a value at points of its place, whatever the fields are there, ends training at once."""
    for key, equation, condition in equations_with_keys(problem):
        if not _symbolic(equation):
            continue
        for inputs in samples(problem, condition, equation.region):
            rows = np.flatnonzero(singular_at(equation.residual, {**problem.values, **inputs}))
            if len(rows):
                where = point(problem, inputs, rows[0])
                share = f"{len(rows)} of {len(next(iter(inputs.values())))} points"
                report.add(key, f"is no finite number at {share}, such as {where}, whatever the fields are")
                break


def _check_imaginary_unit(problem: Problem, report: Report) -> None:
    """Warn of a complex equation without i: one in time, or one of a problem that has no i at all.

    Its real and its imaginary part are then the same real equation twice, but for products of h with itself.
    """
    everywhere = [equation for _, equation, _ in equations_with_keys(problem)]
    somewhere = any(re.search(r"\bi\b", one.text) for one in everywhere)
    for equation in problem.equations:
        name = equation.name.removesuffix("_re")
        twin = next((one for one in problem.equations if one.name == f"{name}_im"), None)
        if name == equation.name or twin is None or twin.text != equation.text or re.search(r"\bi\b", equation.text):
            continue
        in_time = any(problem.time in one.derivative for one in partials(equation.residual))
        if in_time or not somewhere:
            report.warn(
                f"equations.{name}", f"is complex and holds no i: is one missing, as in i*h_t? It reads {equation.text}"
            )


def _check_single_points(problem: Problem, report: Report) -> None:
    """Warn of x = 1 where the line only touches a curved domain: its rim was probably meant."""
    given = problem.config.get("conditions")
    for condition in problem.conditions:
        part = given.get(condition.origin) if isinstance(given, Mapping) else None
        at = part.get("at") if isinstance(part, Mapping) else None
        if needed_coordinates(condition.equations, problem.coordinates) is not None:
            continue  # it holds where its integrals differ, in a single point if they do not
        if isinstance(at, str) and "=" in at:
            for place in condition.places:
                if place.dimension < problem.domain.dimension - 1:
                    message = f"'{at}' touches the domain in a single point: its rim is at: boundary"
                    report.warn(f"conditions.{condition.origin}.at", message)


def _check_weights(problem: Problem, report: Report) -> None:
    """A weight that training could make small, or that is negative or no finite number somewhere.

    One that holds a field is known only while training, which reports where it is not finite. In a condition, where the
    field's values are known, it is a warning: with u in the weight of its start, Allen and Cahn's equation ends far
    from it.
    """
    for key, equation, condition in equations_with_keys(problem):
        learned = [str(one) for one in equation.weight.free_symbols if str(one) in _learned(problem)]
        if learned:
            report.add(key, f"has a weight with {learned[0]}, which is learned: training would lower it")
        elif partials(equation.weight):
            if condition is not None and not condition.data:
                held = min(map(str, partials(equation.weight)))
                report.warn(
                    key,
                    f"has a weight with {held}, which is trained too: a wrong {held} may make the weight small; "
                    "better write the values that it has there",
                )
        elif not equation.weight.is_number:
            for inputs in samples(problem, condition, equation.region):
                found = np.ravel(Program([equation.weight])({**problem.values, **inputs})[0])
                wrong = np.flatnonzero(~(np.isfinite(found) & (found >= 0)))
                if len(wrong):
                    where = point(problem, inputs, wrong[0]) if len(found) > 1 else "every point"
                    report.add(key, f"has the weight {found[wrong[0]]:.4g} at {where}: 0 or more is needed")
                    break


def _learned(problem: Problem) -> tuple[str, ...]:
    return tuple(parameter.name for parameter in problem.learned)
