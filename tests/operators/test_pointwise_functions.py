"""The derivatives of pointwise functions against sympy's."""

import pytest
import sympy
import torch

from pinnkit.operators.pointwise_functions import FUNCTIONS, power

ORDER = 6
X = sympy.Symbol("x")
EVERYWHERE = [-2.3, -1.1, -0.35, 0.2, 0.8, 1.7]
POSITIVE = [0.15, 0.6, 1.0, 1.9, 3.2]
EXPRESSIONS = {
    "tanh": (sympy.tanh(X), EVERYWHERE),
    "sigmoid": (1 / (1 + sympy.exp(-X)), EVERYWHERE),
    "tan": (sympy.tan(X), [-1.2, -0.6, 0.1, 0.5, 1.3]),
    "exp": (sympy.exp(X), EVERYWHERE),
    "expm1": (sympy.exp(X) - 1, [*EVERYWHERE, 1e-9]),
    "sin": (sympy.sin(X), EVERYWHERE),
    "cos": (sympy.cos(X), EVERYWHERE),
    "sinh": (sympy.sinh(X), EVERYWHERE),
    "cosh": (sympy.cosh(X), EVERYWHERE),
    "log": (sympy.log(X), POSITIVE),
    "log1p": (sympy.log(1 + X), [-0.7, 0.3, 2.1, 1e-9]),
    "erf": (sympy.erf(X), EVERYWHERE),
    "sqrt": (sympy.sqrt(X), POSITIVE),
    "rsqrt": (1 / sympy.sqrt(X), POSITIVE),
    "reciprocal": (1 / X, [*POSITIVE, -0.4, -2.5]),
}
PIECEWISE = {"relu": (torch.relu, [0.0, 1.0]), "abs": (torch.abs, [-1.0, 1.0])}


def exact(expression, points, orders):
    """d^k expression at the points, to 40 digits and then rounded: rows k, columns points."""
    rows = []
    for _ in range(orders + 1):
        rows.append([float(expression.evalf(40, subs={X: sympy.Float(point, 40)})) for point in points])
        expression = sympy.diff(expression, X)
    return torch.tensor(rows, dtype=torch.float64)


def assert_derivatives(function, expression, points):
    x = torch.tensor(points, dtype=torch.float64)
    known = exact(expression, points, ORDER)
    for order in range(ORDER + 1):
        found = function(x, order)
        assert len(found) == order + 1
        for k, values in enumerate(found):
            assert values.dtype == torch.float64
            # the absolute tolerance is for points near a root of the derivative
            tolerance = 1e-13 * float(known[k].abs().max())
            torch.testing.assert_close(values, known[k], rtol=1e-11, atol=tolerance, msg=lambda m, k=k: f"{k}: {m}")


def test_every_function_is_tested():
    assert set(EXPRESSIONS) | set(PIECEWISE) == set(FUNCTIONS)


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_derivatives_to_order_six(name):
    assert_derivatives(FUNCTIONS[name], *EXPRESSIONS[name])


@pytest.mark.parametrize("exponent", [-3, -2, -1, -0.5, 0, 0.5, 1, 1.5, 2, 2.5, 3, 4, 7])
def test_powers_to_order_six(exponent):
    whole = exponent == int(exponent)
    points = [*POSITIVE, -0.4, -2.5] if whole else POSITIVE
    assert_derivatives(power(exponent), X ** sympy.nsimplify(exponent), points)


@pytest.mark.parametrize("exponent", [1, 2, 3])
def test_integer_powers_are_finite_at_zero(exponent):
    found = power(exponent)(torch.zeros(1, dtype=torch.float64), 4)
    factorial = {1: 1.0, 2: 2.0, 3: 6.0}[exponent]
    assert [float(one) for one in found] == [factorial if k == exponent else 0.0 for k in range(5)]


@pytest.mark.parametrize("name", PIECEWISE)
def test_piecewise_linear_functions(name):
    function, slopes = PIECEWISE[name]
    x = torch.tensor([-1.5, -0.2, 0.4, 2.0], dtype=torch.float64)
    for order in range(ORDER + 1):
        found = FUNCTIONS[name](x, order)
        assert len(found) == order + 1
        torch.testing.assert_close(found[0], function(x))
        for k in range(1, order + 1):
            negative, positive = slopes if k == 1 else (0.0, 0.0)
            torch.testing.assert_close(found[k], torch.where(x > 0, positive, negative).to(x.dtype))


@pytest.mark.parametrize("name", [*EXPRESSIONS, *PIECEWISE])
def test_the_derivatives_can_be_differentiated(name):
    """Autograd of the k-th gives the next: what the gradient by the parameters needs."""
    points = EXPRESSIONS[name][1] if name in EXPRESSIONS else EVERYWHERE
    x = torch.tensor(points, dtype=torch.float64, requires_grad=True)
    found = FUNCTIONS[name](x, 4)
    for k in range(4):
        if found[k].requires_grad:
            (slope,) = torch.autograd.grad(found[k].sum(), x, retain_graph=True)
        else:
            slope = torch.zeros_like(x)
        torch.testing.assert_close(slope, found[k + 1], rtol=1e-10, atol=1e-10)
