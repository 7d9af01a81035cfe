"""No text hangs, crashes or fills the memory, and none raises anything but LanguageError."""

from __future__ import annotations

import math
import re
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pinnkit.language.calculus import symbol
from pinnkit.language.errors import LanguageError
from pinnkit.language.evaluate import Program
from pinnkit.language.grammar import Scope, assignment, constant, equation, expression, inequality
from tests.conftest import timed

XYT = ("x", "y", "t")
SCOPE = Scope(XYT, {"u": XYT, "v": XYT, "k": ("x",)}, ("alpha",), ("S",), boundary=True, space=("x", "y"))
SECONDS = 2.0
"""Processor time within which each is answered; the longest takes 0.6 s on an idle machine."""


def refusal(read, *arguments) -> LanguageError | None:
    """What `read` says against its arguments; None where it accepts them. Other exceptions pass."""
    try:
        read(*arguments)
    except LanguageError as error:
        return error
    return None


def nest(name: str, depth: int, inside: str = "x") -> str:
    return f"{name}(" * depth + inside + ")" * depth


REFUSED = {
    "9**9**9**9": "beyond 1e\\+300",
    "9.0**9.0**9.0**9.0": "beyond 1e\\+300",
    "exp(exp(exp(exp(exp(9)))))": "beyond 1e\\+300",
    "x**99999999": "the highest is 1000",
    "((x**100)**100)**100": "the highest is 1000",
    "((10**50*x)**1000)**1000": "beyond 1e\\+300",
    "sqrt(10**400)": "beyond 1e\\+300",
    "2**-10000000000": "nearer to zero",
    "1e200*x*1e200": "beyond 1e\\+300",
    "-" * 1900 + "x": "signs in a row",
    "not " * 400 + "x": "signs in a row",
    "(" * 900 + "x" + ")" * 900: "nested deeper",
    "x**" * 600 + "x": "nested",
    "9" * 1900: "the most is 50",
    "x" * 1900: "the most is 120",
    "u_" + "x" * 100: "order beyond 8",
    "x+" * 1500 + "x": "the most is 2000",
    "diff(" * 20 + "exp(sin(exp(x*y)))*cos(x*y)" + ",x,8)" * 20: "grow beyond",
    "laplacian(" * 20 + "u" + ")" * 20: "the highest is 8",
    "diff(" + "*".join(f"(x+{i})" for i in range(240)) + ",x,3)": "grow beyond",
    "max(" + "x," * 20 + "y)": "max takes at most 20 arguments, here 21",
    "(-8)^(1/3)": "not a real number",
    "(-2)^x": "not a real number",
    "sqrt(-x^2)": "not a finite real number",
    "tan(pi/2)": "not a finite real number",
    "1/(x - x)": "division by zero",
    "1e999": "beyond",
}
HEAVY = [
    "diff((x+y)**64,x,8)",
    "diff(" * 10 + "(x+y)**64*sin(x)**64" + ",x)" * 10,
    "x+" * 900 + "x",
    "x/" * 900 + "x",
    "where(" + "x<" * 900 + "x,1,2)",
    "where(x>1," * 50 + "1" + ",2)" * 50,
    "max(" * 50 + "x" + ",y)" * 50,
    "diff(max(" + ",".join(f"x+{i}*y" for i in range(20)) + "),x)",
    "diff(" + "*".join(f"sin({i}*x)" for i in range(1, 150)) + ",x,2)",
    "sqrt(" + "+".join(f"sqrt({i})" for i in range(2, 190)) + ")",
    "sqrt(sqrt(2)+sqrt(3)-sqrt(5+2*sqrt(6)))",
    "log(" + "+".join(f"sqrt({i})" for i in range(2, 30)) + ")",
    "sqrt(" + "9" * 50 + ")",
    "sin(10**299)",
    "1/exp(-1e300)",
    "*".join(f"{p}**(1/{q})" for p, q in zip([2, 3, 5, 7] * 20, [97, 89, 83, 79, 73] * 16, strict=True)),
    "*".join(f"(2*x+{i})**(1/{i + 2})" for i in range(100)),
    *[nest(name, 55) for name in ("sqrt", "abs", "log", "exp", "log10", "tan", "sigmoid", "heaviside")],
    *[f"diff({nest(name, 20, 'x+u*y-1')},x,3)" for name in ("sqrt", "abs", "exp", "log", "acos", "tanh")],
]


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[:30])
def test_hostile_texts_are_refused_soon(text):
    error = timed(SECONDS, refusal, expression, text, SCOPE)[1]
    assert re.search(REFUSED[text], error.message)
    assert len(str(error)) < 600
    assert error.position is not None


@pytest.mark.parametrize("text", HEAVY, ids=lambda text: text[:30])
def test_heavy_texts_are_answered_soon(text):
    for read in (expression, inequality):
        assert len(str(timed(SECONDS, refusal, read, text, SCOPE)[1])) < 600


@pytest.mark.parametrize(("text", "value"), [("sign(0)", 0), ("sign(-2)", -1), ("sign(3)", 1)])
def test_the_sign_of_a_number_is_a_number(text, value):
    assert expression(text, SCOPE) == value


def test_the_caret_of_a_tower_points_at_the_constant_that_is_too_large():
    with pytest.raises(LanguageError) as caught:
        expression("x + 2*exp(exp(exp(9)))", SCOPE)
    assert caught.value.position == len("x + 2*exp(")


PIECES = [
    "x",
    "y",
    "t",
    "u",
    "v",
    "k",
    "alpha",
    "S",
    "u_x",
    "u_xx",
    "u_n",
    "n_x",
    "pi",
    "e",
    "2",
    "0.5",
    "1e300",
    "9999",
    "+",
    "-",
    "*",
    "/",
    "^",
    "**",
    "(",
    ")",
    ",",
    "=",
    "==",
    "<",
    ">=",
    "and",
    "or",
    "not",
    "sin(",
    "log(",
    "sqrt(",
    "where(",
    "diff(",
    "grad(",
    "div(",
    "dot(",
    "curl(",
    "laplacian(",
    "max(",
    "u(",
    "x=1",
    "lambda",
    ".",
    "[",
    "'",
    '"',
    "\n",
]
HARD = settings(max_examples=80, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))


@HARD
@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(PIECES), max_size=25).map(" ".join)))
def test_random_text_raises_nothing_but_language_errors(text):
    for read in (expression, equation, assignment, inequality):
        error = refusal(read, text, SCOPE)
        assert error is None or error.position is None or 0 <= error.position <= len(text)
    refusal(constant, text)


@HARD
@given(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.binary(), st.lists(st.integers())))
def test_random_data_raises_nothing_but_language_errors(data):
    error = refusal(constant, data)
    if error is None:
        assert constant(data) == data
    else:
        is_number = isinstance(data, int | float) and not isinstance(data, bool)
        assert not (is_number and abs(data) < 1e50)


_UNARY = {"sin": math.sin, "cos": math.cos, "tanh": math.tanh, "atan": math.atan, "abs": abs}
_LEAVES = st.sampled_from(["x", "y", "2", "0.3", "pi", "7", "1.5"])
_TREES = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["+", "-", "*"]), inner, inner),
        st.tuples(st.just("/"), inner, inner),
        st.tuples(st.just("^"), inner, st.sampled_from(["2", "3", "-1"])),
        st.tuples(st.sampled_from(sorted(_UNARY)), inner),
        st.tuples(st.just("-"), inner),
        st.tuples(st.sampled_from(["max", "min"]), inner, inner),
        st.tuples(st.just("where"), _LEAVES, inner, inner),
    ),
    max_leaves=12,
)


def written(tree) -> str:
    if isinstance(tree, str):
        return tree
    head, *rest = tree
    rest = [written(one) for one in rest]
    if head in _UNARY or head in ("max", "min"):
        return f"{head}({', '.join(rest)})"
    if head == "where":
        return f"where({rest[0]} < 1, {rest[1]}, {rest[2]})"
    return f"(-{rest[0]})" if len(rest) == 1 else f"({rest[0]} {head} {rest[1]})"


def computed(tree, names: dict[str, float]) -> float:
    if isinstance(tree, str):
        return names[tree] if tree in names else float(tree)
    head, *rest = tree
    values = [computed(one, names) for one in rest]
    if head in _UNARY:
        return _UNARY[head](*values)
    if len(values) == 1:
        return -values[0]
    if head == "where":
        return values[1] if values[0] < 1 else values[2]
    a, b = values
    operations = {"+": a + b, "-": a - b, "*": a * b, "max": max(a, b), "min": min(a, b)}
    return operations[head] if head in operations else a / b if head == "/" else a**b


@HARD
@given(_TREES)
def test_random_expressions_evaluate_as_python_floats_do(tree):
    names = {"x": 0.7310585, "y": -1.3192, "pi": math.pi}
    try:
        expected = computed(tree, names)
        sensitive = computed(tree, {"x": 0.7310585 + 1e-9, "y": -1.3192 - 1e-9, "pi": math.pi})
    except (ZeroDivisionError, OverflowError):
        return
    if not abs(expected) < 1e12 or abs(sensitive - expected) > 1e-5 * (1 + abs(expected)):
        return  # ill-conditioned, so that rounding decides
    error = refusal(expression, written(tree), Scope(("x", "y")))
    if error is not None:
        assert "division by zero" in error.message or "finite" in error.message  # such as 1/(x - x + tiny)
        return
    expr = expression(written(tree), Scope(("x", "y")))
    values = {symbol(name): np.array([names[name]]) for name in ("x", "y")}
    (result,) = Program([expr])(values)
    assert np.asarray(result).item() == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_the_language_imports_neither_torch_nor_executes_text():
    code = (
        "import sys, pinnkit.language.grammar, pinnkit.language.evaluate, pinnkit.language.calculus\n"
        "assert not {'torch', 'scipy', 'lightning'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=".")
