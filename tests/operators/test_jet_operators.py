"""Operators in many axes by Taylor mode, against nested automatic differentiation and closed forms."""

import math

import pytest
import torch
from torch import nn

from pinnkit.operators.derivatives import derivatives
from pinnkit.operators.linear_operators import LinearCombination, OperatorData, SampledLaplacian
from tests.operators.jet_cases import (
    COEFFICIENTS,
    FEW,
    HEAT,
    PLATE,
    N,
    assert_same,
    by_taylor,
    loss_and_gradient,
    mlp,
    named,
    uniform,
)

MANY = OperatorData(COEFFICIENTS, (uniform(3, 6, 4), uniform(2, 6, 5)))


def pure(order, count, slot):
    return tuple(((axis,) * order, slot) for axis in range(count))


REQUESTS = {
    "all of order two in five axes": [(0, (i, j)) for i in range(6) for j in range(i, 6)],
    "a bundle for both outputs": [(0, LinearCombination(pure(2, 5, 0))), (1, LinearCombination(pure(2, 5, 0)))],
    "two coefficients": [(0, LinearCombination(pure(2, 5, 0))), (1, LinearCombination(pure(2, 5, 2)))],
    "a bundle and a mixed term": [(0, LinearCombination((*pure(2, 5, 1), ((0, 1), 2))))],
    "a bundle of order three": [(0, LinearCombination(pure(3, 6, 2))), (1, (2,)), (1, (5, 5))],
    "a bundle and first derivatives": [
        (0, LinearCombination(pure(2, 5, 1))),
        (0, LinearCombination((((0,), 2), ((1,), 0)))),
        (1, (4,)),
    ],
    "a bundle and a mixed derivative": [(0, LinearCombination(pure(4, 4, 1))), (1, (0, 5)), (0, (0,))],
    "first derivatives alone": [
        (0, LinearCombination((((0,), 2), ((3,), 1)))),
        (1, LinearCombination((((0,), 3), ((3,), 3)))),
    ],
    "two samples": [
        (0, SampledLaplacian(0)),
        (1, SampledLaplacian(1)),
        (0, LinearCombination(pure(2, 5, 1))),
        (0, (0,)),
    ],
    "one term twice": [
        (0, LinearCombination((((0, 0), 0), ((0, 0), 1)))),
        (1, LinearCombination((*pure(2, 5, 1), ((0, 0), 1)))),
    ],
    "orders two and four": pytest.param([(0, LinearCombination(pure(4, 5, 1))), (0, LinearCombination(pure(2, 5, 2)))]),
    "orders two and four, two outputs": pytest.param(
        [(0, LinearCombination(pure(4, 5, 0))), (1, LinearCombination(pure(2, 2, 0)))]
    ),
    "orders two and four in one sum": pytest.param([(0, LinearCombination((*pure(4, 5, 1), *pure(2, 5, 2))))]),
    "orders three and four": pytest.param(
        [(0, LinearCombination(pure(4, 5, 1))), (1, LinearCombination(pure(3, 5, 0)))]
    ),
    "lower order first in one sum": [(0, LinearCombination((*pure(2, 5, 2), *pure(4, 5, 1))))],
}


@pytest.mark.parametrize("wanted", named(REQUESTS))
def test_requests_in_many_axes(wanted):
    assert_same(mlp(6), uniform(N, 6), wanted, given=MANY)


@pytest.mark.parametrize("slot", range(4))
def test_the_kinds_of_coefficients(slot):
    """A number, a scalar tensor that is learned, one number a point, and 1."""
    operator = LinearCombination((((0,), slot), ((0, 0, 1), slot), ((1, 1), slot)))
    network, points = mlp(2), uniform(N, 2)
    found = by_taylor(network, points, [(1, operator)], FEW)[1, operator]
    by_parts = derivatives(network, points, [(1, (0,)), (1, (0, 0, 1)), (1, (1, 1))])
    torch.testing.assert_close(found, COEFFICIENTS[slot] * sum(by_parts.values()), rtol=1e-12, atol=1e-13)
    assert_same(network, points, [(1, operator)], given=FEW)


class Wave(nn.Module):
    """u = sin(a x) exp(b t)."""

    def __init__(self):
        super().__init__()
        self.a = nn.Parameter(torch.tensor(1.7, dtype=torch.float64))
        self.b = nn.Parameter(torch.tensor(-0.6, dtype=torch.float64))

    def forward(self, points):
        return torch.sin(self.a * points[:, :1]) * torch.exp(self.b * points[:, 1:])

    def exact(self, points, i, j):
        """d^(i + j) u / dx^i dt^j = a^i b^j sin(a x + i pi / 2) exp(b t)."""
        x, t = points.split(1, dim=1)
        return self.a**i * self.b**j * torch.sin(self.a * x + i * math.pi / 2) * torch.exp(self.b * t)


def test_derivatives_of_a_wave_are_exact():
    wave, points = Wave(), uniform(9, 2)
    orders = [(i, j) for i in range(5) for j in range(5 - i)]
    wanted = [(0, (0,) * i + (1,) * j) for i, j in orders]
    found = by_taylor(wave, points, wanted)
    for (i, j), one in zip(orders, wanted, strict=True):
        assert found[one].shape == (9, 1)
        torch.testing.assert_close(found[one], wave.exact(points, i, j), rtol=1e-12, atol=1e-13)


def test_sums_of_derivatives_of_a_wave_are_exact():
    wave, points = Wave(), uniform(N, 2)
    number, scalar, field, _ = COEFFICIENTS
    directions = FEW.directions[0]
    wanted = [(0, HEAT), (0, PLATE), (0, SampledLaplacian(0))]
    found = by_taylor(wave, points, wanted, FEW)
    u = {(i, j): wave.exact(points, i, j) for i in range(5) for j in range(5)}
    known = {
        wanted[0]: number * u[1, 0] + scalar * u[2, 0] + field * (u[1, 1] + u[0, 2]),
        wanted[1]: field * u[4, 0] + scalar * u[2, 2] + number * u[0, 4],
        wanted[2]: sum(v[0] ** 2 * u[2, 0] + 2 * v[0] * v[1] * u[1, 1] + v[1] ** 2 * u[0, 2] for v in directions),
    }
    for one in wanted:
        torch.testing.assert_close(found[one], known[one], rtol=1e-12, atol=1e-13)
    leaves = [wave.a, wave.b, scalar]
    _, gradient = loss_and_gradient(found, leaves)
    _, known_gradient = loss_and_gradient(known, leaves)
    torch.testing.assert_close(gradient, known_gradient, rtol=1e-12, atol=0)


class Quartic(nn.Module):
    """u = w sum over i of x_i^4."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.tensor(0.3, dtype=torch.float64))

    def forward(self, points):
        return self.w * (points**4).sum(1, keepdim=True)


def test_bundles_of_a_polynomial_in_ten_axes_are_exact():
    quartic, points = Quartic(), uniform(7, 10)
    directions = uniform(4, 10, 6)
    given = OperatorData((1,), (directions,))
    laplacian, fourth = LinearCombination(pure(2, 10, 0)), LinearCombination(pure(4, 10, 0))
    found = by_taylor(quartic, points, [(0, laplacian), (0, (3,)), (0, SampledLaplacian(0))], given)
    squares = (points**2).sum(1, keepdim=True)
    torch.testing.assert_close(found[0, laplacian], 12 * quartic.w * squares, rtol=1e-13, atol=0)
    torch.testing.assert_close(found[0, (3,)], 4 * quartic.w * points[:, 3:4] ** 3, rtol=1e-13, atol=0)
    along = 12 * quartic.w * (points**2 @ (directions**2).sum(0)[:, None])
    torch.testing.assert_close(found[0, SampledLaplacian(0)], along, rtol=1e-13, atol=0)
    found = by_taylor(quartic, points, [(0, fourth), (0, (3, 3))], given)
    torch.testing.assert_close(found[0, fourth], (240 * quartic.w).expand(7, 1), rtol=1e-13, atol=0)
    torch.testing.assert_close(found[0, (3, 3)], 12 * quartic.w * points[:, 3:4] ** 2, rtol=1e-13, atol=0)


def test_a_sample_of_unit_vectors_gives_the_laplacian():
    network, points = mlp(6), uniform(N, 6)
    laplacian = LinearCombination(pure(2, 6, 0))
    given = OperatorData((1.0,), (torch.eye(6, dtype=torch.float64),))
    found = by_taylor(network, points, [(0, laplacian), (0, SampledLaplacian(0))], given)
    torch.testing.assert_close(found[0, laplacian], found[0, SampledLaplacian(0)], rtol=1e-13, atol=1e-14)
