"""Taylor mode on random networks and operators."""

import torch
import torch.nn.functional as F
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st
from torch import nn

from pinnkit.operators.derivatives import derivatives
from pinnkit.operators.linear_operators import LinearCombination, OperatorData, SampledLaplacian
from tests.operators.jet_cases import COEFFICIENTS, N, by_taylor, loss_and_gradient, uniform

ACTIVATIONS = {
    "tanh": torch.tanh,
    "silu": F.silu,
    "gelu": F.gelu,
    "sin": torch.sin,
    "sigmoid": torch.sigmoid,
    "softplus": F.softplus,
    "mish": F.mish,
}


class Composed(nn.Module):
    """Layers of one width: plain, residual, or gated by two encodings of the input; after Fourier features or not."""

    def __init__(self, d, width, layers, fourier, seed):
        super().__init__()
        torch.manual_seed(seed)
        self.frequencies = torch.randn(d, 2, dtype=torch.float64) if fourier else None
        inputs = 4 if fourier else d
        self.first = nn.Linear(inputs, width, dtype=torch.float64)
        self.gates = nn.ModuleList(nn.Linear(inputs, width, dtype=torch.float64) for _ in range(2))
        self.hidden = nn.ModuleList(nn.Linear(width, width, dtype=torch.float64) for _ in layers)
        self.last = nn.Linear(width, 2, dtype=torch.float64)
        self.layers = layers

    def forward(self, points):
        if self.frequencies is not None:
            phases = points @ self.frequencies
            points = torch.cat([torch.sin(phases), torch.cos(phases)], dim=1)
        u, v = (torch.tanh(gate(points)) for gate in self.gates)
        h = self.first(points)
        for layer, (activation, connection) in zip(self.hidden, self.layers, strict=True):
            new = ACTIVATIONS[activation](layer(h))
            if connection == "residual":
                new = (h + new) / 2
            elif connection == "gated":
                new = new * u + (1 - new) * v
            h = new
        return self.last(h)


@st.composite
def problems(draw):
    d = draw(st.integers(1, 3))
    layer = st.tuples(st.sampled_from(sorted(ACTIVATIONS)), st.sampled_from(["plain", "residual", "gated"]))
    network = Composed(
        d,
        draw(st.integers(2, 6)),
        draw(st.lists(layer, min_size=1, max_size=3)),
        draw(st.booleans()),
        draw(st.integers(0, 1000)),
    )
    axes = st.lists(st.integers(0, d - 1), min_size=1, max_size=4).map(lambda one: tuple(sorted(one)))
    terms = st.lists(st.tuples(axes, st.integers(0, 3)), min_size=1, max_size=3, unique_by=lambda one: one[0])
    operator = st.one_of(
        st.just(()), axes, terms.map(lambda ones: LinearCombination(tuple(ones))), st.just(SampledLaplacian(0))
    )
    wanted = draw(st.lists(st.tuples(st.integers(0, 1), operator), min_size=1, max_size=4, unique=True))
    return network, d, wanted


@drawn(problems())
@settings(derandomize=True, deadline=None, max_examples=40, database=None)
def test_random_networks_and_requests_agree_with_nested_autograd(problem):
    network, d, wanted = problem
    points = uniform(N, d)
    given = OperatorData(COEFFICIENTS, (uniform(2, d, 7),))
    found = by_taylor(network, points, wanted, given)
    known = derivatives(network, points, wanted, given)
    leaves = [*network.parameters(), COEFFICIENTS[1]]
    loss, gradient = loss_and_gradient(found, leaves)
    known_loss, known_gradient = loss_and_gradient(known, leaves)
    torch.testing.assert_close(loss, known_loss, rtol=1e-10, atol=1e-20)
    assert float((gradient - known_gradient).norm()) <= 1e-10 * float(known_gradient.norm()) + 1e-20
