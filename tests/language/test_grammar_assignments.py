"""Assignments, inequalities, constants and declared names."""

from __future__ import annotations

import math

import pytest
import sympy

from pinnkit.language.errors import LanguageError
from pinnkit.language.grammar import (
    assignment,
    check_name,
    constant,
    inequality,
)
from tests.language.grammar_scopes import ALPHA, SCOPE, T, X, Y


def test_assignments():
    assert assignment("t = 0", SCOPE) == ("t", 0)
    assert assignment("x = -2*pi", SCOPE) == ("x", -2 * sympy.pi)
    assert assignment("x = alpha", SCOPE) == ("x", ALPHA)
    for text, message in {
        "u = 0": "it belongs under equations",
        "x = y": "must be constant, but y varies",
        "x = u": "must be constant, but u varies",
        "x = S_x": "must be constant, but S_x varies",
        "x > 0": "an assignment such as 'x = 0'",
        "z = 0": "a coordinate belongs left of '='",
        "2*x = 0": "a coordinate belongs left of '='",
        "x == 0": "single '='",
    }.items():
        with pytest.raises(LanguageError, match=message.replace("*", r"\*")):
            assignment(text, SCOPE)


def test_inequalities():
    assert inequality("x > 0.5", SCOPE) == sympy.Gt(X, sympy.Float(0.5))
    assert inequality("x > 0.5 and y < 1", SCOPE) == sympy.And(sympy.Gt(X, sympy.Float(0.5)), Y < 1)
    assert inequality("not (0 < x <= 1 or t >= 2)", SCOPE).subs({X: 2, T: 1}) == sympy.true
    assert inequality("1 < 2", SCOPE) == sympy.true
    for text in ("x = 1", "x", "x + 1", "u_t = (x > 1)", "where(x > 1, 1, 0) > 0"):
        with pytest.raises(LanguageError):
            inequality(text, SCOPE)


@pytest.mark.parametrize(
    ("text", "value"),
    [("2*pi", 2 * math.pi), ("0.01/pi", 0.01 / math.pi), (3, 3.0), ("1e-3", 1e-3), ("-sqrt(2)^3", -(2**1.5))],
)
def test_constants(text, value):
    assert constant(text) == pytest.approx(value, rel=1e-15)
    assert type(constant(text)) is float


@pytest.mark.parametrize(
    "text", [True, None, [1], {}, float("nan"), math.inf, 10**400, "x", "x - x", "1 = 1", "1/0", b"1"]
)
def test_what_is_no_constant_is_refused(text):
    with pytest.raises(LanguageError):
        constant(text)


def test_names_that_can_be_declared():
    for name in ("alpha", "x1", "u_max", "e", "n", "Re"):
        check_name(name)
    for name, rule in {
        "sin": "is a function",
        "pi": "the constant",
        "lambda": "a word of Python; write lambda_|a word of Python",
        "_x": "a letter",
        "x__y": "single underscores",
        "1x": "a letter",
        "x-y": "a letter",
        "": "a letter",
        "\u03b1": "a letter",
        "x" * 61: "the most is 60",
        "taken": "declared twice",
        3: "must be text",
    }.items():
        with pytest.raises(LanguageError) as caught:
            check_name(name, ("taken",))
        assert any(one in caught.value.message for one in rule.split("|"))
