from __future__ import annotations

import numpy as np
import pytest
import sympy
import torch
from torch.fx.experimental.proxy_tensor import make_fx

from pinnkit.language.calculus import differentiate, field, symbol
from pinnkit.language.evaluate import MissingValueError, Program
from pinnkit.language.grammar import Scope, expression, inequality

X, Y = symbol("x"), symbol("y")
SCOPE = Scope(("x", "y"), {"u": ("x", "y")}, ("alpha",))
POINTS = {X: np.linspace(0.1, 0.9, 23)[:, None], Y: np.linspace(0.8, 0.2, 23)[:, None]}

CASES = {
    "x^2 + 3*y - x*y": lambda x, y: x**2 + 3 * y - x * y,
    "-x - y": lambda x, y: -x - y,
    "1 - 2*x": lambda x, y: 1 - 2 * x,
    "x^3 - x^-1 + x^7/y^2": lambda x, y: x**3 - 1 / x + x**7 / y**2,
    "x^17 + x^-21": lambda x, y: x**17 + x**-21.0,
    "sqrt(x) + x^1.5 - 1/sqrt(x) + x^-2.5": lambda x, y: x**0.5 + x**1.5 - x**-0.5 + x**-2.5,
    "x^y + 2^x + x^0.3": lambda x, y: x**y + 2**x + x**0.3,
    "x/(y*(1 + x)) - y/3": lambda x, y: x / (y * (1 + x)) - y / 3,
    "sin(x)*cos(y) + tan(x)": lambda x, y: np.sin(x) * np.cos(y) + np.tan(x),
    "asin(x) + acos(y) + atan(x) + atan2(x, y) + atan2(x, 1)": lambda x, y: (
        np.arcsin(x) + np.arccos(y) + np.arctan(x) + np.arctan2(x, y) + np.arctan2(x, 1)
    ),
    "sinh(x) + cosh(y) - tanh(x)": lambda x, y: np.sinh(x) + np.cosh(y) - np.tanh(x),
    "exp(-x) + log(y) + ln(x) + log10(y)": lambda x, y: np.exp(-x) + np.log(y) + np.log(x) + np.log10(y),
    "abs(x - y) + sign(x - y) + heaviside(x - y)": lambda x, y: (
        np.abs(x - y) + np.sign(x - y) + np.heaviside(x - y, 0.5)
    ),
    "min(x, y, 0.5) + max(x, y) - max(x, 0.3)": lambda x, y: (
        np.minimum(np.minimum(x, y), 0.5) + np.maximum(x, y) - np.maximum(x, 0.3)
    ),
    "where(x > y and not x > 0.7 or y < 0.3, x, 2)": lambda x, y: np.where(((x > y) & ~(x > 0.7)) | (y < 0.3), x, 2.0),
    "where(0.3 <= x < 0.6, 1, 0)": lambda x, y: np.where((x >= 0.3) & (x < 0.6), 1.0, 0.0),
    "sigmoid(x) + softplus(y)": lambda x, y: 1 / (1 + np.exp(-x)) + np.log(1 + np.exp(y)),
    "e^x + pi*x": lambda x, y: np.exp(x) + np.pi * x,
}


def tensors(dtype=torch.float64):
    return {atom: torch.tensor(value, dtype=dtype, requires_grad=True) for atom, value in POINTS.items()}


@pytest.mark.parametrize("text", CASES)
def test_numpy_agrees_with_the_formula_and_torch_with_numpy(text):
    program = Program([expression(text, SCOPE)])
    (value,) = program(POINTS)
    expected = CASES[text](POINTS[X], POINTS[Y])
    np.testing.assert_allclose(value, expected, rtol=1e-13, atol=1e-14)
    (tensor,) = program(tensors())
    np.testing.assert_allclose(tensor.detach().numpy(), value, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("text", CASES)
def test_autograd_of_the_program_is_the_program_of_the_derivative(text):
    expr = expression(text, SCOPE)
    values = tensors()
    (value,) = Program([expr])(values)
    slopes = Program([differentiate(expr, "x"), differentiate(expr, "x", "x")])(POINTS)
    if not value.requires_grad:
        assert slopes == [0.0, 0.0]
        return
    (first,) = torch.autograd.grad(value.sum(), values[X], create_graph=True)
    np.testing.assert_allclose(first.detach().numpy(), np.broadcast_to(slopes[0], (23, 1)), rtol=1e-11, atol=1e-12)
    if first.requires_grad:
        second = torch.autograd.grad(first.sum(), values[X], allow_unused=True)[0]
        second = np.zeros((23, 1)) if second is None else second.numpy(force=True)
        np.testing.assert_allclose(second, np.broadcast_to(slopes[1], (23, 1)), rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("text", CASES)
def test_float32_stays_float32_and_float64_float64(text):
    program = Program([expression(text, SCOPE)])
    for dtype in (torch.float32, torch.float64):
        assert program(tensors(dtype))[0].dtype == dtype
    for dtype in (np.float32, np.float64):
        assert program({atom: value.astype(dtype) for atom, value in POINTS.items()})[0].dtype == dtype


@pytest.mark.parametrize("text", CASES)
def test_make_fx_traces_the_program(text):
    program = Program([expression(text, SCOPE)])
    values = {atom: value.detach() for atom, value in tensors().items()}

    def run(x, y):
        return program({X: x, Y: y})[0]

    traced = make_fx(run)(values[X], values[Y])
    fresh = {X: values[Y] * 0.7, Y: values[X] * 1.05}
    assert torch.equal(traced(fresh[X], fresh[Y]), run(fresh[X], fresh[Y]))


def test_erf_on_both_backends():
    from math import erf

    program = Program([expression("erf(x)", SCOPE)])
    expected = np.array([[erf(value)] for value in POINTS[X].ravel()])
    np.testing.assert_allclose(program(POINTS)[0], expected, rtol=1e-14)
    np.testing.assert_allclose(program(tensors())[0].detach().numpy(), expected, rtol=1e-14)


def test_sigmoid_and_softplus_do_not_overflow():
    program = Program([expression("sigmoid(x)", SCOPE), expression("softplus(x)", SCOPE)])
    points = np.array([-800.0, -30.0, 30.0, 800.0])
    expected = [[0.0, np.exp(-30.0) / (1 + np.exp(-30.0)), 1.0, 1.0], [0.0, np.exp(-30.0), 30.0, 800.0]]
    for value in (points, torch.tensor(points)):
        np.testing.assert_allclose(program({X: value}), expected, rtol=1e-12)


def test_common_subexpressions_are_computed_once():
    calls = []

    class Counting(torch.Tensor):
        @classmethod
        def __torch_function__(cls, function, types, args=(), kwargs=None):
            calls.append(getattr(function, "__name__", ""))
            return super().__torch_function__(function, types, args, kwargs or {})

    expr = sympy.exp(X * Y)
    value = torch.ones(3, dtype=torch.float64).as_subclass(Counting)
    Program([expr + 1, expr * X, sympy.sin(expr)])({X: value, Y: value})
    assert calls.count("exp") == 1


def test_atoms_constants_masks_and_python_numbers():
    u = field("u", ("x", "y"))
    alpha = symbol("alpha")
    program = Program([alpha * u.diff(X), sympy.pi**2 / 3, inequality("x > 0.5", SCOPE), sympy.sin(alpha)])
    assert set(program.atoms) == {alpha, u.diff(X), X}
    for kind in (np.array, torch.tensor):
        values = {alpha: 2.0, u.diff(X): kind([1.0, 2.0]), X: kind([0.4, 0.6])}
        scaled, constant, mask, sine = program(values)
        assert scaled.tolist() == [2.0, 4.0]
        assert constant == pytest.approx(np.pi**2 / 3, rel=1e-15)
        assert mask.tolist() == [False, True]
        assert sine == pytest.approx(np.sin(2.0))


def test_a_missing_value_is_named():
    with pytest.raises(MissingValueError, match="no value for u_x; needed are u_x, x"):
        Program([field("u", ("x",)).diff(X) + X])({X: np.ones(3)})


def test_what_is_not_real_is_nan_without_a_warning():
    values = Program([sympy.log(X), sympy.sqrt(X), 1 / X])({X: np.array([-1.0, 0.0])})
    assert np.isnan([values[0][0], values[1][0]]).all()
    assert np.isinf(values[2][1])


def test_expressions_without_numerical_meaning_are_refused_at_once():
    for expr in (sympy.Function("f")(X), sympy.I * X, sympy.zoo):
        with pytest.raises(TypeError):
            Program([expr])


def test_a_text_is_not_taken_for_an_expression():
    with pytest.raises(TypeError, match="neither a SymPy expression nor a number"):
        Program(["x + 1"])


@pytest.mark.parametrize(
    "text", ["1 - tanh(20*x)^2", "sin(1000*pi*x)", "exp(30*x) - exp(30*x + 1e-9)", "x/(x - 0.7) + where(x > 0, x^9, 2)"]
)
def test_the_bound_on_rounding_holds_and_is_near(text):
    x = sympy.Symbol("x", real=True)
    expr = expression(text, Scope(("x",)))
    points = np.linspace(0.11, 0.97, 40)
    ((values, errors),) = Program([expr]).bounded({x: points}, {})
    true = [float(expr.subs(x, sympy.Rational(point)).evalf(40) - sympy.Rational(value))  # both without rounding
            for point, value in zip(points.tolist(), values.tolist(), strict=True)]  # fmt: skip
    assert np.all(np.abs(true) <= 4 * errors)
    assert np.abs(true).max() > 1e-4 * errors.max()


def test_errors_of_the_values_are_handed_on():
    x, y = sympy.symbols("x y", real=True)
    ((value, error),) = Program([100 * x - y**2]).bounded({x: np.array([1.0]), y: 2.0}, {x: np.array([1e-3]), y: 1e-6})
    assert value == 96
    assert error == pytest.approx(0.1 + 4e-6, rel=1e-9)
