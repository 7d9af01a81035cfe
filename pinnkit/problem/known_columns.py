"""Columns of points that hold the values of tables: equations know these, and not the tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType

import numpy as np
import sympy

from pinnkit.language import calculus
from pinnkit.language.errors import LanguageError, Report
from pinnkit.language.known import Known, knowns
from pinnkit.problem.parts import Condition, Equation
from pinnkit.problem.table_functions import TableFunction


def equations_with_columns(
    equations: Iterable[Equation], key: Callable[[Equation], str], report: Report
) -> tuple[tuple[Equation, ...], set[Known]]:
    """The equations with a symbol in the place of each known function and of its derivatives, and what was replaced.

    The symbol of q_x is `q_x`; its values at points are a column of that name.
    """
    found, held = [], set()
    for equation in equations:
        with report.at(key(equation)):
            here = set()
            for expr in (equation.residual, equation.weight):
                if isinstance(expr, sympy.Basic):
                    here |= _held(expr)
            rule = {one: one.column for one in here}
            if rule and isinstance(equation.residual, sympy.Basic):
                equation = replace(equation, residual=calculus.replace(equation.residual, rule))
            if rule:
                equation = replace(equation, weight=calculus.replace(equation.weight, rule))
            held |= here
        found.append(equation)
    return tuple(found), held


def _same(key: str, one: Equation) -> str:
    return key


def columns_of_tables(
    equations: tuple[Equation, ...],
    conditions: tuple[Condition, ...],
    tables: Mapping[str, TableFunction],
    report: Report,
) -> tuple[tuple[Equation, ...], tuple[Condition, ...], Mapping[str, Known]]:
    """Equations and conditions that read the tables as columns, and column -> what it holds.

    Residuals in Python may read each table and its first derivatives. The rows of data get their columns at once.
    """
    if not tables:
        return equations, conditions, MappingProxyType({})
    equations, held = equations_with_columns(equations, lambda one: f"equations.{one.name}", report)
    kept = []
    for condition in conditions:
        key = f"conditions.{condition.name}.equations"
        own, here = equations_with_columns(condition.equations, partial(_same, key), report)
        kept.append(replace(condition, equations=own))
        held |= here
    every = [*equations, *(one for condition in conditions for one in condition.equations)]
    if any(callable(one.residual) for one in every):
        for table in tables.values():
            held |= {table.atom, *(table.atom.differentiated(name) for name in table.coordinates if table.atom.highest)}
    columns = {str(one): one for one in sorted(held, key=str)}
    if len(columns) < len(held):
        report.add("tables", "two derivatives are written alike: give coordinates names that do not begin alike")
    completed = [
        replace(one, data=MappingProxyType({**one.data, **table_columns(tables, columns, one.data)}))
        if one.data
        else one
        for one in kept
    ]
    return equations, tuple(completed), MappingProxyType(columns)


def table_columns(
    tables: Mapping[str, TableFunction], columns: Mapping[str, Known], coordinates: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """The values of these columns at points, from the columns (n,) of their coordinates."""
    return {name: tables[one.name].values(coordinates, one.derivative) for name, one in columns.items()}


def _held(expr: sympy.Basic) -> set[Known]:
    """The known functions that an expression holds outside of integrals.

    Raises:
        LanguageError: there is one inside an integral, where it would be evaluated elsewhere.
    """
    for one in expr.atoms(sympy.AtomicExpr):
        body = getattr(one, "body", None)
        if isinstance(body, sympy.Basic) and knowns(body):
            raise LanguageError(f"{one} holds the table {min(map(str, knowns(body)))}, which an integral cannot")
    return knowns(expr)
