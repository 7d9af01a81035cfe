"""Expressions, derivatives and names of the problem language."""

from __future__ import annotations

import pytest
import sympy

from pinnkit.language.calculus import Partial, field, normal_symbol, symbol
from pinnkit.language.errors import LanguageError
from pinnkit.language.grammar import (
    Scope,
    constant,
    equation,
    expression,
)
from tests.language.grammar_scopes import ALPHA, SCOPE, XYT, T, X, Y

U, V = field("u", XYT), field("v", XYT)


K = field("k", ("x",))


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
