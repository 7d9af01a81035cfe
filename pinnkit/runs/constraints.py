"""The hard conditions of a problem as functions of tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy
from torch import Tensor

from pinnkit.language.calculus import symbol
from pinnkit.language.errors import Report
from pinnkit.language.evaluate import Program
from pinnkit.networks.ansatz import HardConstraints, Value
from pinnkit.problem.hard.ansatz import ansatz_of
from pinnkit.problem.problem import Problem


@dataclass(frozen=True)
class ClosedForms:
    """Pairs of expressions in the coordinates, evaluated at points (n, d)."""

    program: Program
    symbols: tuple[sympy.Symbol, ...]

    def __call__(self, points: Tensor) -> Sequence[tuple[Value, Value]]:
        values = self.program(dict(zip(self.symbols, points.unbind(dim=1), strict=True)))
        return list(zip(values[::2], values[1::2], strict=True))


def hard_constraints(problem: Problem) -> HardConstraints | None:
    """What the networks of a problem meet exactly; None where no condition is hard, or periods alone are.

    Raises:
        ProblemError: a hard condition cannot be met.
    """
    report = Report()
    made = ansatz_of(problem, report)
    report.raise_if_any()
    if not made:
        return None
    names = [field.name for field in problem.fields]
    program = Program([expression for one in made.values() for expression in (one.lift, one.factor)])
    symbols = tuple(symbol(name) for name in problem.coordinates)
    return HardConstraints(tuple(map(names.index, made)), ClosedForms(program, symbols))
