"""Mistakes in expressions: message and position."""

from __future__ import annotations

import pytest

from pinnkit.language.errors import LanguageError
from pinnkit.language.grammar import (
    equation,
    expression,
)
from tests.language.grammar_scopes import SCOPE


# the caret is marked by the character below it: the first position of the second entry's fragment
@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("u_t = alhpa * u_xx", 6, "unknown name 'alhpa'; did you mean 'alpha'?"),
        ("x^2 + x^2 + z", 12, "unknown name 'z'; valid are"),
        ("x^2^y^bad", 6, "unknown name 'bad'"),
        ("u = x = 1", 6, "a second '='"),
        ("u == 1", 2, "single '='"),
        ("u =", 3, "'=' needs a value"),
        ("2u", 1, "write 2*u"),
        ("x^2 + 2 u", 8, "write 2*u"),
        ("x u", 2, "write x*u"),
        ("(x)(y)", 3, "write (...)*(...)"),
        ("2(x)", 1, "write 2*(...)"),
        ("x(1 + t)", 0, "'x' is not a function; a product is written x*(...)"),
        ("1 2", 2, "two numbers side by side"),
        ("(x + (y)", 0, "this '(' is never closed"),
        ("x + y) * 2", 5, "this ')' closes nothing"),
        ("x + * y", 4, "'*' cannot follow '+'"),
        ("* y", 0, "'*' has nothing on its left"),
        ("x +", 3, "the text ends where '+' needs a value"),
        ("x + ()", 5, "nothing between these brackets"),
        ("sin()", 0, "sin takes 1 argument, here 0"),
        ("sin + x", 0, "'sin' is a function: write sin(a)"),
        ("sin(x, y)", 0, "sin takes 1 argument, here 2"),
        ("x + sech(x)^2", 4, "unknown function 'sech'; write 1/cosh(...)"),
        ("x + sni(x)", 4, "unknown function 'sni'; did you mean 'sin'?"),
        ("u(x, t)", 0, "write 'u' without arguments; elsewhere it is u(x=0)"),
        ("1 + u(z=1)", 6, "u does not depend on 'z'"),
        ("u(x=1, x=2)", 7, "given twice"),
        ("u(x=v)", 4, "cannot depend on a field"),
        ("sin(x=1)", 0, "no named arguments"),
        ("(x=1)", None, "cannot be read"),
        ("x + k_y", 4, "k does not depend on y; it depends on x"),
        ("grad(u)", 0, "this is a vector"),
        ("u_t = x*grad(u)", 6, "this is a vector"),
        ("sin(grad(u))", 4, "sin needs a scalar"),
        ("grad(u) + 1", 0, "a vector and a scalar cannot be added"),
        ("grad(u)*grad(v)", 0, "dot(a, b)"),
        ("dot(u, v)", 0, "dot takes two vectors"),
        ("div(u)", 0, "one component for each spatial coordinate (x, y)"),
        ("diff(u, alpha)", 8, "a coordinate belongs here"),
        ("diff(u, 2)", 8, "a coordinate belongs here"),
        ("diff(u, x, 9)", 11, "a coordinate belongs here"),
        ("diff(u)", 0, "diff takes"),
        ("u > 1", 0, "only inside where"),
        ("where(x, 1, 2)", 6, "a condition belongs here"),
        ("x, y", 0, "a comma stands only"),
        ("x + 1/(1 - 1)", 7, "division by zero"),
        ("x + 1/0", 6, "division by zero"),
        ("y*log(-1)", 2, "log(-1) is not a real number"),
        ("u_xy_", 0, "there is no coordinate _"),
        ("", 0, "empty"),
        ("   ", 0, "empty"),
    ],
)
def test_mistakes_have_a_message_and_a_position(text, column, message):
    with pytest.raises(LanguageError) as caught:
        equation(text, SCOPE)
    assert any(one in caught.value.message for one in message.split("|"))
    assert caught.value.text == text
    if column is not None:
        assert caught.value.position == column


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("__import__('os')", "strings are not allowed"),
        ("__import__(x)", "unknown function '__import__'"),
        ("x.real", "attributes are not allowed"),
        ("().__class__", "nothing between|attributes"),
        ("x[0]", "subscripts and lists"),
        ("lambda: 1", "'lambda' is a word of Python"),
        ("(x for x in y)", "'for' is a word of Python"),
        ("x if y else 1", "where(condition, a, b)"),
        ("f'{x}'", "strings are not allowed"),
        ("(y := 1)", "':=' is not an operator"),
        ("{1: 2}", "braces"),
        ("x @ y", "'@' is not an operator"),
        ("x // y", "'//' is not an operator"),
        ("x % y", "'%' is not an operator"),
        ("sin(*x)", "'*' cannot follow '('"),
        ("sin(**x)", "'**' cannot follow '('"),
        ("1j", "write 1*j"),
        ("x; y", "';'"),
        ("x # y", "'#'"),
        ("\u03b1*u", "write alpha"),
        ("x \u2212 y", "write -"),
        ("x\x00", "control character"),
        ("\uff58", "plain ASCII"),
        ("True", "'True' is a word of Python"),
        ("x and y", "a condition stands only"),
        ("x != y", "comparisons are"),
    ],
)
def test_what_the_language_does_not_have_is_refused_by_name(text, message):
    with pytest.raises(LanguageError) as caught:
        expression(text, SCOPE)
    assert any(one in caught.value.message for one in message.split("|"))
    assert caught.value.position is not None
