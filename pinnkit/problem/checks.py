"""What can be known of a problem before training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import sympy

from pinnkit.language.calculus import normal_symbol, partials, substitute_fields, symbol
from pinnkit.language.errors import LanguageError, Report
from pinnkit.language.evaluate import Program
from pinnkit.problem.conditions import inside, spread
from pinnkit.problem.problem import Condition, Equation, Problem

TOLERANCE = 1e-6
"""How far an exact solution may miss an equation, relative to the equation's largest term."""

POINTS = 200
"""At how many random points of each place that is looked at."""


def check(problem: Problem, activation: str = "", smoothness: float = np.inf) -> Report:
    """Every check that needs no training; the report holds all mistakes and warnings.

    Args:
        activation, smoothness: the network's activation, and the highest derivative of it that is useful
            (infinity for tanh; 1 for ReLU, whose second derivative is zero wherever it exists).
    """
    report = Report()
    _check_use(problem, report)
    _check_smoothness(problem, activation, smoothness, report)
    _check_order_in_time(problem, report)
    _check_exact(problem, report)
    _check_weights(problem, report)
    return report


def located(problem: Problem) -> Iterator[tuple[str, Equation, Condition | None]]:
    """Every equation with the path of its key and its condition, if it has one."""
    for equation in problem.equations:
        yield f"equations.{equation.name}", equation, None
    for condition in problem.conditions:
        for equation in condition.equations:
            yield f"conditions.{condition.name}.equations", equation, condition


def _symbolic(equation: Equation) -> bool:
    return isinstance(equation.residual, sympy.Basic)


def _check_use(problem: Problem, report: Report) -> None:
    """A field or a learned parameter that no equation mentions would be trained on nothing."""
    residuals = [equation.residual for _, equation, _ in located(problem)]
    if any(callable(residual) for residual in residuals):
        return  # what a callable reads is known only when it runs
    fields = {partial.field for residual in residuals for partial in partials(residual)}
    names = {str(name) for residual in residuals for name in residual.free_symbols}
    for field in problem.fields:
        if field.name not in fields:
            report.add(f"fields.{field.name}", "stands in no equation and no condition, so nothing would train it")
    for parameter in problem.learned:
        if parameter.name not in names:
            report.add(f"parameters.{parameter.name}", "is to be learned, but stands in no equation")


def _check_smoothness(problem: Problem, activation: str, smoothness: float, report: Report) -> None:
    for key, equation, _ in located(problem):
        if not _symbolic(equation):
            continue
        highest = max(partials(equation.residual), key=lambda partial: len(partial.derivative))
        if len(highest.derivative) > smoothness:
            report.add(
                key,
                f"needs {highest}, but a network with activation {activation} has no useful derivative of order "
                f"{len(highest.derivative)}; choose network.activation=tanh, or another smooth one",
                equation.text,
            )


def _check_order_in_time(problem: Problem, report: Report) -> None:
    """Order m in time needs m conditions at one time: u, u_t, ... up to order m - 1. Fewer leave many solutions."""
    start = problem.domain.bounds.get("t")
    if start is None or any(callable(equation.residual) for _, equation, _ in located(problem)):
        return
    if any(condition.data for condition in problem.conditions):
        return
    for field in problem.fields:
        order = max(
            (
                partial.derivative.count("t")
                for equation in problem.equations
                for partial in partials(equation.residual)
                if partial.field == field.name
            ),
            default=0,
        )
        given = sum(
            any(partial.field == field.name for partial in partials(equation.residual))
            for condition in problem.conditions
            if any("t" not in place.free for place in condition.places)
            for equation in condition.equations
        )
        if given < order and "t" not in problem.periodic:
            report.warn(
                "conditions",
                f"{field.name} has order {order} in time but {given} condition{'s' * (given != 1)} at a fixed t: "
                "the solution is not unique",
            )


def _check_exact(problem: Problem, report: Report) -> None:
    """Every equation whose fields and learned parameters all have an exact value must hold for them."""
    exact = problem.exact
    values = {
        symbol(name): float(Program([exact[name]])(problem.values)[0]) for name in exact if name in _learned(problem)
    }
    values = {**problem.values, **values}
    unknown = {symbol(name) for name in _learned(problem) if name not in exact}
    for key, equation, condition in located(problem):
        if not _symbolic(equation) or (condition is not None and condition.data):
            continue
        if any(partial.field not in exact for partial in partials(equation.residual)):
            continue
        try:
            residual = substitute_fields(equation.residual, exact)
        except LanguageError as error:  # too large to differentiate
            report.warn("exact", f"is not checked against {key}: {error.message}")
            continue
        if residual.free_symbols & unknown:
            continue
        for inputs in _samples(problem, condition):
            worst, place, scale = _miss(residual, {**values, **inputs})
            if not worst <= TOLERANCE * (1.0 + scale):
                name = (
                    f"the condition '{condition.name}'" if condition is not None else f"the equation '{equation.name}'"
                )
                report.add(
                    "exact",
                    f"does not satisfy {name}: the residual is {worst:.3g} at {_point(problem, inputs, place)} ({key})",
                    equation.text,
                )
                break


def _check_weights(problem: Problem, report: Report) -> None:
    """A weight that training could make small, or that is negative or no finite number somewhere.

    One that holds a field is known only while training, which tells where it is not finite. In a condition, where the
    field's values are known, it is a warning: with u in the weight of its start, Allen and Cahn's equation ends far
    from it.
    """
    for key, equation, condition in located(problem):
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
            for inputs in _samples(problem, condition):
                found = np.ravel(Program([equation.weight])({**problem.values, **inputs})[0])
                wrong = np.flatnonzero(~(np.isfinite(found) & (found >= 0)))
                if len(wrong):
                    where = _point(problem, inputs, wrong[0]) if len(found) > 1 else "every point"
                    report.add(key, f"has the weight {found[wrong[0]]:.4g} at {where}: 0 or more is needed")
                    break


def _samples(problem: Problem, condition: Condition | None) -> Iterator[dict[sympy.Symbol, np.ndarray]]:
    """What expressions read at points (n,) of each place of a condition, or at the rows of its data; None: inside."""
    if condition is not None and condition.data:
        yield {symbol(name): column for name, column in condition.data.items()}
        return
    for place in condition.places if condition is not None else (problem.domain,):
        points = spread(place)
        if condition is not None and condition.where is not None:
            points = points[inside(condition.where, points, problem.coordinates, problem.values)]
        points = points[:POINTS]
        normals = {normal_symbol(name): np.full(len(points), part) for name, part in place.normal.items()}
        yield {symbol(name): points[:, index] for index, name in enumerate(problem.coordinates)} | normals


def _point(problem: Problem, inputs: Mapping[sympy.Symbol, np.ndarray], place: int) -> str:
    """The coordinates of one of these points."""
    return ", ".join(f"{name} = {inputs[symbol(name)][place]:.4g}" for name in problem.coordinates)


def _learned(problem: Problem) -> tuple[str, ...]:
    return tuple(parameter.name for parameter in problem.learned)


def _miss(residual: sympy.Expr, values: Mapping[sympy.Symbol, float | np.ndarray]) -> tuple[float, int, float]:
    """The largest |residual| over points, the index of the point where it is, and the size of its largest term."""
    terms = sympy.Add.make_args(residual)
    with np.errstate(all="ignore"):
        computed = Program(list(terms))(values)
    rows = np.array(np.broadcast_arrays(*computed, *values.values())[: len(computed)], dtype=float)
    total = np.abs(rows.sum(axis=0))
    worst = int(np.argmax(np.where(np.isfinite(total), total, np.inf)))
    return float(total[worst]), worst, float(np.max(np.abs(rows), where=np.isfinite(rows), initial=0.0))
