from __future__ import annotations

import math

import pytest
import sympy

from pinnkit.language.calculus import Partial, field, normal_symbol, symbol
from pinnkit.language.errors import LanguageError
from pinnkit.language.grammar import (
    Scope,
    assignment,
    check_name,
    constant,
    equation,
    expression,
    inequality,
)

X, Y, T, ALPHA = (symbol(name) for name in ("x", "y", "t", "alpha"))
XYT = ("x", "y", "t")
U, V = field("u", XYT), field("v", XYT)
K = field("k", ("x",))
SCOPE = Scope(XYT, {"u": XYT, "v": XYT, "k": ("x",)}, ("alpha",), ("S_x",), space=("x", "y"))
BOUNDARY = Scope(XYT, {"u": XYT, "v": XYT, "k": ("x",)}, ("alpha",), ("S_x",), boundary=True, space=("x", "y"))


def u(names: str) -> Partial:
    return U.differentiated(*names)


def v(names: str) -> Partial:
    return V.differentiated(*names)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-x^2", -(X**2)),
        ("2*x^2+1", 2 * X**2 + 1),
        ("x^-1", 1 / X),
        ("2^3^2", 512),
        ("2**3^2", 512),
        ("-2^2", -4),
        ("x^2*y", X**2 * Y),
        ("x^2.0", X**2),
        ("x^0.5", sympy.sqrt(X)),
        ("a", None),
        ("x - y - t", X - Y - T),
        ("x/y/t", X / Y / T),
        ("x - (y - t)", X - Y + T),
        ("+x - -y", X + Y),
        ("007 + 1e-3*x", 7 + sympy.Float(1e-3) * X),
        ("pi*e", sympy.pi * sympy.E),
        ("sqrt(8)", 2 * sympy.sqrt(2)),
        ("exp(log(x))", X),
        ("sin(pi/2)*x", X),
        ("x\n + y\n", X + Y),
        ("where(x > 1, x, 0)", sympy.Piecewise((X, X > 1), (0, True))),
        ("where(2 > 1, x, 0)", X),
        ("max(1, 2, 3) - min(4, 5)", -1),
        ("log10(1000)", sympy.log(1000) / sympy.log(10)),
        (3, 3),
        (0.1, sympy.Float(0.1)),
    ],
)
def test_expressions(text, expected):
    if expected is None:
        with pytest.raises(LanguageError):
            expression(text, SCOPE)
    else:
        assert expression(text, SCOPE) == expected


def test_floats_keep_53_bits():
    assert float(expression("0.1 + x - x", SCOPE)) == 0.1
    assert constant("1/3") == 1 / 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("u_x", u("x")),
        ("u_xxt", u("xxt")),
        ("u_txx", u("xxt")),
        ("S_x", symbol("S_x")),
        ("diff(u, x)", u("x")),
        ("diff(u, x, t)", u("xt")),
        ("diff(u, x, 2, t)", u("xxt")),
        ("diff(k*u_x, x)", K.differentiated("x") * u("x") + K * u("xx")),
        ("diff(u^2/2, x)", U * u("x")),
        ("diff(sin(alpha*x), x, 2)", -(ALPHA**2) * sympy.sin(ALPHA * X)),
        ("laplacian(u)", u("xx") + u("yy")),
        ("laplacian(laplacian(u))", u("xxxx") + 2 * u("xxyy") + u("yyyy")),
        ("div(u, v)", u("x") + v("y")),
        ("div(grad(u))", u("xx") + u("yy")),
        ("div(k*grad(u))", K.differentiated("x") * u("x") + K * (u("xx") + u("yy"))),
        ("div(-grad(u)/2 + grad(v))", -(u("xx") + u("yy")) / 2 + v("xx") + v("yy")),
        ("dot(grad(u), grad(v))", u("x") * v("x") + u("y") * v("y")),
        ("curl(u, v)", v("x") - u("y")),
        ("curl(grad(u))", 0),
        ("u(x=-1)", Partial("u", XYT, (), {"x": -1})),
        ("u_x(x=1.0, t=0)", Partial("u", XYT, ("x",), {"x": 1, "t": 0})),
        ("u(x=-x)", Partial("u", XYT, (), {"x": -X})),
        ("u(x=x)", U),
        ("diff(u(x=-x), x)", -Partial("u", XYT, ("x",), {"x": -X})),
        ("u(x=alpha*pi)", Partial("u", XYT, (), {"x": ALPHA * sympy.pi})),
    ],
)
def test_derivatives(text, expected):
    assert sympy.expand(expression(text, SCOPE) - expected) == 0


def test_operators_in_three_dimensions():
    names = ("x", "y", "z")
    scope = Scope(names, dict.fromkeys("uvw", names))
    assert expression("div(curl(u, v, w))", scope) == 0
    one, two, three = (field(name, names) for name in "uvw")
    first, second, third = (
        three.differentiated("y") - two.differentiated("z"),
        one.differentiated("z") - three.differentiated("x"),
        two.differentiated("x") - one.differentiated("y"),
    )
    squares = expression("dot(curl(u, v, w), curl(u, v, w))", scope)
    assert sympy.expand(squares - first**2 - second**2 - third**2) == 0


def test_normals_exist_on_boundaries_only():
    nx, ny = normal_symbol("x"), normal_symbol("y")
    assert expression("u_n", BOUNDARY) == nx * u("x") + ny * u("y")
    assert expression("k_n + n_y", BOUNDARY) == nx * K.differentiated("x") + ny
    for text in ("u_n", "2*n_x"):
        with pytest.raises(LanguageError, match="condition on a boundary"):
            expression(text, SCOPE)
    with pytest.raises(LanguageError, match="cannot differentiate n_x, n_y"):
        expression("diff(u_n, x)", BOUNDARY)
    with pytest.raises(LanguageError, match="unknown name 'n_t'"):
        expression("n_t", BOUNDARY)


def test_data_cannot_be_differentiated():
    with pytest.raises(LanguageError, match="cannot differentiate S_x"):
        expression("diff(S_x*u, x)", SCOPE)


def test_the_equals_sign_outside_brackets_splits():
    assert equation("u_t = alpha*u_xx", SCOPE) == u("t") - ALPHA * u("xx")
    assert equation("u(x=-1) = u(x=1)", SCOPE) == Partial("u", XYT, (), {"x": -1}) - Partial("u", XYT, (), {"x": 1})
    assert equation("u_t - u", SCOPE) == u("t") - U
    assert equation(0, SCOPE) == 0


def test_user_names_come_before_constants_and_functions_stay_functions():
    scope = Scope(("x",), {"n": ("x",)}, ("e",))
    assert expression("e", scope) == symbol("e")
    assert expression("n_x", scope) == field("n", ("x",)).differentiated("x")


def test_the_longest_declared_name_wins():
    scope = Scope(("x", "t"), {"u": ("x", "t"), "u_x": ("x", "t"), "u_a": ("x",)}, ("u_tt",))
    assert expression("u_x", scope) == field("u_x", ("x", "t"))
    assert expression("u_x_x", scope) == field("u_x", ("x", "t")).differentiated("x")
    assert expression("u_xx", scope) == field("u", ("x", "t")).differentiated("x", "x")
    assert expression("u_a_x", scope) == field("u_a", ("x",)).differentiated("x")
    assert expression("u_tt", scope) == symbol("u_tt")


@pytest.mark.parametrize(
    ("coordinates", "text", "reading"),
    [
        (("r", "theta"), "u_rtheta", ("r", "theta")),
        (("r", "theta"), "u_rth", ("r", "theta")),
        (("theta", "t"), "u_tt", ("t", "t")),
        (("theta", "t"), "u_the", ("theta",)),
        (("rho", "radius"), "u_rh", ("rho",)),
        (("x1", "x2", "x12"), "u_x1x12", ("x1", "x12")),
        (("x_1", "x_2"), "u_x_1x_2", ("x_1", "x_2")),
        (("n", "x"), "u_n", ("n",)),
    ],
)
def test_subscripts_of_several_letters(coordinates, text, reading):
    scope = Scope(coordinates, {"u": coordinates})
    assert expression(text, scope) == Partial("u", coordinates, reading)


@pytest.mark.parametrize(
    ("coordinates", "text", "message"),
    [
        (("rho", "radius"), "u_r", "u by radius | u by rho"),
        (("x", "xx"), "u_xx", "u by x, x | u by xx"),
        (tuple(f"x{i}" for i in range(1, 101)), "u_xx", "more than 64 readings"),
        (("x", "t"), "u_y", "there is no coordinate y; coordinates are x, t"),
        (("x", "t"), "u_xyt", "there is no coordinate y; coordinates are x, t"),
        (("x", "t"), "u_", "there is no coordinate"),
        (("x", "t"), "u_" + 9 * "x", "order beyond 8"),
    ],
)
def test_subscripts_that_cannot_be_read(coordinates, text, message):
    with pytest.raises(LanguageError) as caught:
        expression(f"1 + {text}", Scope(coordinates, {"u": coordinates}))
    assert message in caught.value.message
    assert caught.value.position == 4


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
def test_mistakes_are_told_with_their_place(text, column, message):
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
