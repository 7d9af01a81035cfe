"""What every architecture promises: shapes, dtype, the number of its parameters, derivatives."""

import pytest
import torch

from pinnkit.networks.architectures.mlp import MLP
from pinnkit.networks.settings import NETWORKS
from tests.networks.test_every_network import disturbed


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("options", [{}, {"width": 7}, {"fourier_features": 3}], ids=str)
def test_a_network_has_the_shape_the_dtype_and_the_parameters_that_it_states(name, options):
    assert_as_stated(NETWORKS[name](**options))


MLP_LIKE = [name for name, kind in NETWORKS.items() if issubclass(kind, MLP)]


@pytest.mark.parametrize("name", MLP_LIKE)
@pytest.mark.parametrize("adaptive", [None, "layer", "neuron"])
def test_factors_and_slopes_are_counted(name, adaptive):
    assert_as_stated(NETWORKS[name](depth=2, weight_factorization=True, adaptive_activation=adaptive))
    assert_as_stated(NETWORKS[name](depth=1, adaptive_activation=adaptive))


def assert_as_stated(settings):
    chosen = settings.chosen(coordinates=2, inputs=2, linear=True, steady=False)
    inputs = 3 if len(chosen.fourier_scales) == 1 else 2 * chosen.fourier_features * len(chosen.fourier_scales)
    network = chosen.build(inputs, 2)
    values = network(torch.rand(5, inputs, dtype=torch.float64))
    assert values.shape == (5, 2)
    assert values.dtype == torch.float64
    assert sum(one.numel() for one in network.parameters()) == chosen.parameters(inputs, 2)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_has_the_derivatives_that_it_states(name):
    torch.manual_seed(0)
    chosen = NETWORKS[name]().chosen(coordinates=1, inputs=1, linear=True, steady=False)
    inputs = 1 if len(chosen.fourier_scales) == 1 else 2 * chosen.fourier_features * len(chosen.fourier_scales)
    x = torch.linspace(-1, 1, 9, dtype=torch.float64)[:, None].requires_grad_()
    found, order = disturbed(chosen.build(inputs, 1))(x.expand(-1, inputs)), 0
    while order < min(chosen.smoothness, 4):
        (found,) = torch.autograd.grad(found.sum(), x, create_graph=True)
        order += 1
        assert found.abs().max() > 0


@pytest.mark.parametrize("name", NETWORKS)
def test_values_that_the_problem_decides_are_filled_in_and_given_ones_stay(name):
    found = NETWORKS[name]().chosen(2, 2, linear=False, steady=False)
    assert None not in (found.width, found.activation)
    given = NETWORKS[name](width=7, activation="gelu")
    assert given.chosen(5, 5, linear=True, steady=True) == given
