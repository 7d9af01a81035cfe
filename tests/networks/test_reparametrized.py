"""Factorised weights and adaptive activations: the formulas, and that networks start as they would without them."""

import pytest
import torch

from pinnkit.networks.architectures.mlp import MLP
from pinnkit.networks.reparametrized import AdaptiveLinear, FactorizedLinear
from tests.operators.jet_cases import uniform


def made(**options):
    torch.manual_seed(0)
    return MLP(width=50, depth=2, activation="tanh", **options).build(2, 1)


@pytest.mark.parametrize(
    "options",
    [{"weight_factorization": True}, {"adaptive_activation": "layer"}, {"adaptive_activation": "neuron"}],
    ids=str,
)
def test_a_network_starts_as_it_would_without(options):
    points = uniform(6, 2)
    torch.testing.assert_close(made(**options)(points), made()(points), rtol=1e-12, atol=1e-13)


def test_weights_are_products_of_exponentials_and_directions():
    network, points = (
        made(weight_factorization=True, factorization_mean=1.0, factorization_deviation=0.2),
        uniform(6, 2),
    )
    layers = list(network.layers)
    assert all(isinstance(one, FactorizedLinear) for one in layers)
    scales = layers[1].scale.detach()
    assert float(scales.mean()) == pytest.approx(1.0, abs=0.1)
    assert float(scales.std()) == pytest.approx(0.2, rel=0.3)
    with torch.no_grad():
        layers[1].scale.add_(0.3)
        layers[1].bias.add_(0.1)
    values = points
    for number, layer in enumerate(layers):
        values = torch.tanh(values) if number else values
        values = values @ (torch.diag(layer.scale[:, 0].exp()) @ layer.direction).T + layer.bias
    torch.testing.assert_close(network(points), values, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize(("kind", "size"), [("layer", 1), ("neuron", 50)])
def test_the_slope_of_an_adaptive_activation_is_learned_faster_by_its_factor(kind, size):
    network, points = made(adaptive_activation=kind, adaptive_scale=4.0), uniform(6, 2)
    first, second, last = network.layers
    assert isinstance(first, AdaptiveLinear)
    assert not isinstance(last, AdaptiveLinear)
    assert torch.equal(first.slope, torch.full((size,), 0.25, dtype=torch.float64))
    with torch.no_grad():
        second.slope.mul_(3.0)
    hidden = torch.tanh(first.layer(points))
    hidden = torch.tanh(4 * 0.75 * second.layer(hidden))
    torch.testing.assert_close(network(points), last(hidden), rtol=1e-13, atol=1e-14)
