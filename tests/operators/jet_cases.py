"""Networks, operators and comparisons of the tests of Taylor mode."""

import math

import pytest
import torch
from torch import nn
from torch.func import functional_call

from pinnkit.operators.derivatives import derivatives
from pinnkit.operators.jets import taylor_derivatives
from pinnkit.operators.linear_operators import NO_DATA, LinearCombination, OperatorData
from pinnkit.operators.trace import record_graph


class Around(nn.Module):
    """A linear layer, one operation, a linear layer: d -> 4 -> operation -> 2."""

    def __init__(self, operation, d, seed=0):
        super().__init__()
        torch.manual_seed(seed)
        self.inner = nn.Linear(d, 4, dtype=torch.float64)
        self.operation = operation
        with torch.no_grad():
            width = operation(self.inner(torch.rand(3, d, dtype=torch.float64))).shape[1]
        self.outer = nn.Linear(width, 2, dtype=torch.float64)

    def forward(self, points):
        return self.outer(self.operation(self.inner(points)))


def uniform(n, d, seed=1):
    return torch.rand(n, d, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def ramp(*shape):
    return torch.linspace(-1, 1, math.prod(shape), dtype=torch.float64).reshape(shape)


def captured(network, points, simplify=True):
    """The network's graph, a function of its parameters and the points, and the parameters."""
    names, parameters = zip(*network.named_parameters(), strict=True)

    def function(*inputs):
        return functional_call(network, dict(zip(names, inputs[:-1], strict=True)), inputs[-1])

    return record_graph(function, [*[one.detach() for one in parameters], points], simplify), list(parameters)


def by_taylor(network, points, wanted, given=NO_DATA, simplify=True):
    graph, parameters = captured(network, points, simplify)
    return taylor_derivatives(graph, parameters, points, wanted, given)


def loss_and_gradient(found, parameters):
    """The sum of the mean squares, and its gradient as one vector."""
    loss = sum(one.square().mean() for one in found.values())
    gradient = torch.autograd.grad(loss, parameters, allow_unused=True, materialize_grads=True)
    return loss, torch.cat([one.flatten() for one in gradient])


def assert_close(found, known, tolerance, what):
    """To a tolerance relative to the largest entry."""
    found, known = found.detach(), known.detach()
    scale = float(known.abs().max())
    assert found.shape == known.shape, what
    assert math.isfinite(scale), what
    assert float((found - known).abs().max()) <= tolerance * max(scale, 1e-3), what


def assert_same(network, points, *requests, given=NO_DATA, reference=None, simplify=True, tolerance=1e-11):
    """Taylor mode gives the derivatives of nested autograd, and the same gradient by parameters and coefficients."""
    graph, parameters = captured(network, points, simplify)
    learned = [one for one in given.coefficients if isinstance(one, torch.Tensor) and one.requires_grad]
    leaves = [*parameters, *learned]
    for wanted in requests:
        found = taylor_derivatives(graph, parameters, points, wanted, given)
        known = derivatives(reference or network, points, wanted, given)
        assert found.keys() == known.keys()
        for one in wanted:
            assert_close(found[one], known[one], tolerance, one)
        loss, gradient = loss_and_gradient(found, leaves)
        known_loss, known_gradient = loss_and_gradient(known, leaves)
        assert_close(loss, known_loss, tolerance, "loss")
        assert_close(gradient, known_gradient, tolerance, "gradient")
        assert float(known_gradient.abs().max()) > 0


N = 5


COEFFICIENTS = (0.7, torch.tensor(1.3, dtype=torch.float64, requires_grad=True), uniform(N, 1, 2), 1)


FEW = OperatorData(COEFFICIENTS, (uniform(3, 2, 3),))


HEAT = LinearCombination((((0,), 0), ((0, 0), 1), ((0, 1), 2), ((1, 1), 2)))


PLATE = LinearCombination((((0, 0, 0, 0), 2), ((0, 0, 1, 1), 1), ((1, 1, 1, 1), 0)))


def named(operations):
    """Parameters of a test, with their names, and their marks where they have some."""
    return [
        pytest.param(*one.values, marks=one.marks, id=name) if hasattr(one, "marks") else pytest.param(one, id=name)
        for name, one in operations.items()
    ]


def mlp(d, seed=0, activation=nn.Tanh, outputs=2):
    torch.manual_seed(seed)
    layers = [nn.Linear(d, 6), activation(), nn.Linear(6, 5), activation(), nn.Linear(5, outputs)]
    return nn.Sequential(*layers).double()
