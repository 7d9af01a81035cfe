"""Complex expressions as pairs of real ones, against Python's complex numbers."""

import cmath

import numpy as np
import pytest
import sympy

from pinnkit.language.calculus import Partial, normal_symbol, partials, substitute_fields, symbol
from pinnkit.language.errors import LanguageError
from pinnkit.language.evaluate import Program
from pinnkit.language.grammar import Scope, complex_expression, equations, expression, inequality

NAMES = ("x", "y", "t")
FIELDS = dict.fromkeys(("h", "h_re", "h_im", "u"), NAMES)
SCOPE = Scope(NAMES, FIELDS, ("a",), boundary=True, space=("x", "y"), complex={"h": ("h_re", "h_im")}, columns=("q",))
RATE = {"x": 0.3 + 0.7j, "y": -0.4 + 0.2j, "t": 0.1 - 0.5j}
"""h = exp(sum of rate * coordinate), whose derivatives are products with these."""


def value_of(text, h, u=0.8, a=1.7, x=0.6):
    """The value of a text at one point."""
    known = {Partial("h_re", NAMES): h.real, Partial("h_im", NAMES): h.imag, Partial("u", NAMES): u}
    known |= {symbol("a"): a, symbol("x"): x}
    re, im = Program(list(complex_expression(text, SCOPE)))({atom: np.array(value) for atom, value in known.items()})
    return complex(re, im)


WORDS = {
    "h + u": lambda h: h + 0.8,
    "u - h": lambda h: 0.8 - h,
    "h*h*i*u": lambda h: h * h * 1j * 0.8,
    "u/h": lambda h: 0.8 / h,
    "h/(h + i)": lambda h: h / (h + 1j),
    "h^3": lambda h: h**3,
    "h^7": lambda h: h**7,
    "h^-2": lambda h: h**-2,
    "h^0": lambda h: 1,
    "h^2.5": lambda h: cmath.exp(2.5 * cmath.log(h)),
    "h^u": lambda h: h**0.8,
    "h^(i + u)": lambda h: h ** (0.8 + 1j),
    "a^h": lambda h: 1.7**h,
    "e^(i*x)": lambda h: cmath.exp(0.6j),
    "(-2)^h": lambda h: (-2 + 0j) ** h,
    "exp(h)": cmath.exp,
    "log(h)": cmath.log,
    "ln(h)": cmath.log,
    "log10(h)": cmath.log10,
    "sqrt(h)": cmath.sqrt,
    "sin(h)": cmath.sin,
    "cos(h)": cmath.cos,
    "tan(h)": cmath.tan,
    "sinh(h)": cmath.sinh,
    "cosh(h)": cmath.cosh,
    "tanh(h)": cmath.tanh,
    "abs(h)": abs,
    "abs(h)^3": lambda h: abs(h) ** 3,
    "arg(h)": cmath.phase,
    "conj(h)": lambda h: h.conjugate(),
    "re(h)": lambda h: h.real,
    "im(h)": lambda h: h.imag,
    "h_re - 2*h_im": lambda h: h.real - 2 * h.imag,
    "where(x > 0.5, h, u)": lambda h: h,
    "where(x > 0.7, h, u)": lambda h: 0.8,
    "conj(u) + re(u) + im(u) + arg(u) + abs(-u)": lambda h: 2.4,
}


@pytest.mark.parametrize("text", WORDS)
@pytest.mark.parametrize("h", [1.2 - 0.7j, -0.9 + 0.3j, -0.4 - 1.1j])
def test_words_are_those_of_complex_numbers(text, h):
    assert value_of(text, h) == pytest.approx(WORDS[text](h), rel=1e-12, abs=1e-14)


def test_functions_stay_finite_where_the_answer_is():
    assert value_of("tanh(h)", 800 + 0.3j) == 1
    assert value_of("tan(h)", 0.3 - 800j) == pytest.approx(-1j)
    assert value_of("sqrt(h)", -4 + 0j) == pytest.approx(2j)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("h_x", "x"),
        ("h_xxt", "xxt"),
        ("diff(h, x, 2, t)", "xxt"),
        ("i*h_t + h_xx", None),
        ("laplacian(h)", None),
        ("div(h, i*h)", None),
        ("curl(h, i*h)", None),
        ("dot(grad(h), grad(i*h))", None),
        ("div(grad(h^2))", None),
        ("h_n", None),
        ("h(x=-1, t=2)", None),
        ("diff(exp(i*x)*h, x)", None),
    ],
)
def test_derivatives_are_those_of_complex_functions(text, expected):
    at = {"x": 0.4, "y": -0.3, "t": 0.9}
    kx, ky, kt = RATE.values()
    h = np.exp(sum(RATE[name] * at[name] for name in NAMES))
    known = {
        "i*h_t + h_xx": (1j * kt + kx**2) * h,
        "laplacian(h)": (kx**2 + ky**2) * h,
        "div(h, i*h)": (kx + 1j * ky) * h,
        "curl(h, i*h)": (1j * kx - ky) * h,
        "dot(grad(h), grad(i*h))": 1j * (kx**2 + ky**2) * h**2,
        "div(grad(h^2))": 4 * (kx**2 + ky**2) * h**2,
        "h_n": (0.6 * kx + 0.8 * ky) * h,
        "h(x=-1, t=2)": np.exp(-kx - 0.3 * ky + 2 * kt),
        "diff(exp(i*x)*h, x)": (1j + kx) * np.exp(0.4j) * h,
    }
    wanted = known[text] if expected is None else h * np.prod([RATE[name] for name in expected])
    power = sum((complex(RATE[name]).real * symbol(name) for name in NAMES), sympy.S.Zero)
    angle = sum((complex(RATE[name]).imag * symbol(name) for name in NAMES), sympy.S.Zero)
    solution = {"h_re": sympy.exp(power) * sympy.cos(angle), "h_im": sympy.exp(power) * sympy.sin(angle)}
    parts = [substitute_fields(one, solution) for one in complex_expression(text, SCOPE)]
    values = {symbol(name): np.array(value) for name, value in at.items()}
    values |= {normal_symbol("x"): np.array(0.6), normal_symbol("y"): np.array(0.8)}
    assert complex(*Program(parts)(values)) == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "components"),
    [
        ("i*h_t + h_xx + abs(h)^2*h = 0", {"re", "im"}),
        ("h = 2", {"re", "im"}),
        ("abs(h)^2 = 1", {""}),
        ("h*conj(h) = 1", {""}),
        ("i*u_t = 0", {""}),
        ("u = re(h)", {""}),
        ("i*(h - conj(h)) = u", {""}),
    ],
)
def test_a_complex_equation_is_two_and_a_real_one_is_one(text, components):
    assert set(equations(text, SCOPE)) == components


def test_the_square_of_a_modulus_has_no_root():
    square = expression("abs(h)^2", SCOPE)
    assert square == Partial("h_re", NAMES) ** 2 + Partial("h_im", NAMES) ** 2
    assert not [power for power in expression("abs(h)^4*abs(h)^2", SCOPE).atoms(sympy.Pow) if not power.exp.is_Integer]
    assert {one.field for one in partials(square)} == {"h_re", "h_im"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("where(h > 1, 1, 2)", "a comparison needs real numbers"),
        ("max(h, 1)", "max takes real arguments, and this is complex"),
        ("erf(h)", "erf takes real arguments"),
        ("sign(i)", "sign takes real arguments"),
        ("u(x=i)", "u\\(x=...\\) needs real numbers"),
        ("h^17", "a complex expression to the power 17; the highest is 16"),
        ("exp(h, h)", "exp takes 1 argument, here 2"),
        ("re(h, h)", "re takes 1 argument, here 2"),
        ("*".join(["(h + i*u + x)"] * 14), "more than 5000 terms"),
        ("1/(h - h)", "division by zero"),
        ("diff(q*h, x)", "diff cannot differentiate q"),
        ("dot(h, grad(h))", "dot takes two vectors"),
        ("h_q", "there is no coordinate q"),
    ],
)
def test_what_has_no_meaning_is_refused_in_words(text, told):
    with pytest.raises(LanguageError, match=told):
        equations(text, SCOPE)


def test_a_complex_expression_is_no_real_one():
    with pytest.raises(LanguageError, match="this is complex, where a real number belongs; take re"):
        expression("2*h", SCOPE)
    with pytest.raises(LanguageError, match="a comparison needs real numbers"):
        inequality("h > 0", SCOPE)


def test_the_words_belong_to_problems_with_complex_fields():
    plain = Scope(("x",), {"u": ("x",)})
    with pytest.raises(LanguageError, match="unknown name 'i'; it is the imaginary unit where a field is complex"):
        expression("i*u", plain)
    assert expression("conj(u)*re(u) + im(u)", plain) == Partial("u", ("x",)) ** 2
    own = Scope(("x",), {"u": ("x",)}, ("i", "re", "im", "arg", "conj"))
    assert expression("i*re*u", own) == symbol("i") * symbol("re") * Partial("u", ("x",))
    beside = Scope(NAMES, FIELDS, ("i",), complex={"h": ("h_re", "h_im")})
    assert equations("i*u", beside) == {"": symbol("i") * Partial("u", NAMES)}
