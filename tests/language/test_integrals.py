"""Integrals in texts: what is read, printed, differentiated and refused."""

import pickle

import pytest
import sympy

from pinnkit.language.calculus import differentiate, substitute_fields, symbol
from pinnkit.language.errors import LanguageError
from pinnkit.language.grammar import equation, expression
from pinnkit.language.integral import Integral, all_partials, bound_symbol, integrals
from pinnkit.language.linear import is_linear
from pinnkit.language.names import Scope
from pinnkit.language.partial import Partial

SCOPE = Scope(
    ("x", "t"),
    {"u": ("x", "t"), "v": ("t",)},
    ("a",),
    ranges={"x": (0, 2.5), "t": (0, 1)},
    space=("x",),
    regions=("domain", "plate"),
    rims=("boundary", "plate", "hole"),
)


def read(text):
    return expression(text, SCOPE)


def test_a_coordinate_is_moved_in_the_body_alone():
    found = read("integral(x*u_x*v, x, 0, x)")
    moved = {symbol("x"): bound_symbol("x")}
    assert found == Integral(
        (symbol("x") * Partial("u", ("x", "t"), "x")).xreplace(moved) * Partial("v", "t"), "x", 0, symbol("x")
    )
    assert str(found) == "integral(x*u_x*v, x, 0, x)"
    assert found.free_symbols == {symbol("x"), symbol("t")}
    assert pickle.loads(pickle.dumps(found)) == found


def test_bounds_are_the_range_by_default():
    assert read("integral(u, x)") == read("integral(u, x, 0, 2.5)")
    assert read("integral(u, x)").free_symbols == {symbol("t")}
    assert read("integral(u, t)") == read("integral(u, t, 0, 1)")
    assert read("integral(u, x, 1, 1)") == 0


def test_a_variable_of_its_own_is_bound():
    found = read("integral(exp(s - t)*v(t=s), s, 0, t)")
    assert found.free_symbols == {symbol("t")}
    assert str(found) == "integral(v(t=s)*exp(s - t), s, 0, t)"
    assert found == read("integral(exp(r - t)*v(t=r), r, 0, t)") or str(found.lower) == "0"


def test_normals_tell_a_rim_from_a_solid():
    texts = [
        "integral(u, domain)",
        "integral(u, plate)",
        "integral(u_n, plate)",
        "integral(u, hole)",
        "integral(u*n_x, boundary)",
    ]
    assert [read(text).rim for text in texts] == [False, False, True, True, True]
    assert [str(read(text)) for text in texts[:2]] == texts[:2]
    assert read("integral(u, domain)").free_symbols == {symbol("t")}


def test_derivatives_are_those_of_leibniz():
    x, t = symbol("x"), symbol("t")
    solution = {"u": x**2 * t**3}

    def known(expr):
        """With the closed form, and the integral worked out by SymPy."""
        expr = substitute_fields(expr, solution)
        s = bound_symbol("x")
        return sympy.expand(
            expr.xreplace({one: sympy.integrate(one.body, (s, one.lower, one.upper)) for one in integrals(expr)})
        )

    found = read("integral(x*u, x, t, x*t)")
    for name in ("t", "x"):
        assert sympy.expand(known(differentiate(found, name)) - sympy.diff(known(found), symbol(name))) == 0
    assert differentiate(read("integral(u, domain)"), "x") == 0
    assert differentiate(read("integral(u_n, boundary)"), "t") == read("integral(u_xt*n_x, boundary)")


def test_what_a_body_holds_is_known():
    found = equation("u_t = a*integral(u_x^2, x) + v", SCOPE)
    assert {str(one) for one in all_partials(found)} == {"u_t", "v", "u_x(x=x')"}
    assert not is_linear(found)
    assert is_linear(equation("u_t = x*integral(u_x*x, x) + v", SCOPE))
    assert not is_linear(equation("u_t = v*integral(u, x)", SCOPE))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("integral(u)", "an integral is over a coordinate, with both bounds or none"),
        ("integral(u, x, 0)", "an integral is over a coordinate, with both bounds or none"),
        ("integral(u, x + 1)", "an integral is over a coordinate, with both bounds or none"),
        ("integral(u, y)", "there is no coordinate and no shape 'y'; valid are x, t, domain, plate, boundary, hole"),
        ("integral(u, a, 0, 1)", "'a' is no coordinate, and means something else"),
        ("integral(u, domain, 0, 1)", "'domain' is a shape and has no bounds: write integral(a, domain)"),
        ("integral(integral(u, x), t)", "an integral cannot stand inside another"),
        ("integral(u, x, 0, u)", "the bounds of an integral cannot depend on a field"),
        ("integral(u_n, domain)", "'u_n' uses the outward normal, which exists only in a condition on a boundary"),
        ("integral(u_n, x)", "'u_n' uses the outward normal"),
        ("integral(grad(u), x)", "integral needs a scalar, and this is a vector"),
        ("integral(v(t=q), s, 0, 1)", "unknown name 'q'"),
        ("integral(u, u_x, 0, 1)", "'u_x' is the derivative of u by x and cannot be a variable of integration"),
    ],
)
def test_mistakes_are_told(text, message):
    with pytest.raises(LanguageError) as error:
        read(text)
    assert error.value.message.startswith(message)
    assert error.value.position is not None


def test_a_complex_body_has_two_integrals():
    scope = Scope(
        ("x",),
        {"h": ("x",), "h_re": ("x",), "h_im": ("x",)},
        ranges={"x": (0, 1)},
        complex={"h": ("h_re", "h_im")},
    )
    found = expression("im(integral((1 + i)*h, x))", scope)
    assert found == expression("integral(h_re + h_im, x)", scope)
    assert expression("re(integral(i*h, x, 0, x))", scope) == expression("integral(-h_im, x, 0, x)", scope)
