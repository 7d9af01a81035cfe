"""Linearity of equations in their unknowns."""

import pytest
import sympy

from pinnkit.language import linear
from pinnkit.language.calculus import symbol
from pinnkit.language.linear import is_linear
from pinnkit.language.partial import Partial

U, U_X, X = Partial("u", ()), Partial("u", ("x",)), symbol("x")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (X**2 * U_X + sympy.sin(X) * U - 1, True),
        (X, True),
        (U * U_X, False),
        (U**2, False),
        (sympy.sin(U), False),
        (sympy.Max(U, 0), False),  # its slope is constant, but on each side of zero
    ],
)
def test_which_expressions_are_linear(expression, expected):
    assert is_linear(expression) is expected


def test_an_expression_that_is_too_long_to_tell_counts_as_nonlinear(monkeypatch):
    expression = sum((X + number) * U_X for number in range(9))
    assert is_linear(expression)
    monkeypatch.setattr(linear, "MAX_OPERATIONS", 3)
    assert not is_linear(expression)
