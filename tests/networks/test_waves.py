"""Sines with learned frequencies and Gabor filters: the formulas, derivatives by every engine, hard conditions."""

import numpy as np
import pytest
import torch

from pinnkit.networks.gabor import Gabor
from pinnkit.networks.sine import Sine
from pinnkit.networks.siren import Siren
from pinnkit.operators.derivatives import derivatives
from pinnkit.operators.trace import BoundNetwork
from pinnkit.problem.problem import Problem
from pinnkit.runs.solve import solve
from tests.conftest import assembled
from tests.operators.jet_cases import by_taylor, uniform

HEAT = {
    "coordinates": {"x": [2, 6], "t": [0, 3]},
    "fields": ["u"],
    "equations": {"heat": "u_t = u_xx"},
    "conditions": {
        "start": {"at": "t = 0", "equations": "u = sin(pi*x/4)", "hard": True},
        "ends": {"at": ["x = 2", "x = 6"], "equations": "u = sin(pi*x/4)", "hard": True},
    },
}


def made(kind, depth=2, frequency=7.0):
    torch.manual_seed(0)
    return kind(2, 3, width=5, depth=depth, frequency=frequency)


def test_a_sine_network_is_a_perceptron_whose_layers_have_a_learned_frequency():
    network, points = made(Sine), uniform(6, 2)
    assert [float(one.detach()) for one in network.frequencies] == [1.0, 1.0]
    first, second, last = network.layers
    assert 3.5 < float(first.weight.detach().abs().max()) <= 7.0
    with torch.no_grad():
        network.frequencies[0].fill_(3.0)
        network.frequencies[1].fill_(2.0)
    hidden = torch.sin(3.0 * (points @ first.weight.T + first.bias))
    hidden = torch.sin(2.0 * (hidden @ second.weight.T + second.bias))
    torch.testing.assert_close(network(points), hidden @ last.weight.T + last.bias)
    network(points).square().sum().backward()
    assert all(float(one.grad) != 0.0 for one in network.frequencies)
    assert network.description == "2 hidden layers of 5 sines, frequency 7"


def test_a_gabor_network_is_a_product_of_layers_and_waves_in_envelopes():
    network, points = made(Gabor), uniform(6, 2)

    def filtered(i):
        distance = (points[:, :, None] - network.centres[i]).square().sum(dim=1)
        wave = points @ network.waves[i].weight.T + network.waves[i].bias
        return torch.exp(-0.5 * network.steepness[i] ** 2 * distance) * torch.sin(wave)

    (layer,), last = network.layers, network.last
    hidden = filtered(1) * (filtered(0) @ layer.weight.T + layer.bias)
    torch.testing.assert_close(network(points), hidden @ last.weight.T + last.bias)
    assert network.description == "2 layers of 5 Gabor filters, frequency 7"


@pytest.mark.parametrize("kind", [Sine, Gabor])
@pytest.mark.parametrize("frequency", [2.0, 40.0])
def test_values_of_any_frequency_start_at_their_size(kind, frequency):
    torch.manual_seed(0)
    values = kind(2, 1, width=30, depth=3, frequency=frequency)(uniform(300, 2)).detach()
    assert 0.05 < float(values.std()) < 3.0


@pytest.mark.parametrize("kind", [Sine, Gabor])
def test_taylor_mode_has_all_of_their_operations(kind):
    network, points = made(kind), uniform(6, 2)
    wanted = [(0, ()), (0, (1,)), (1, (0, 1)), (2, (1, 1, 1))]
    expected = derivatives(BoundNetwork(network, dict(network.named_parameters())), points, wanted)
    found = by_taylor(network, points, wanted)
    for one in wanted:
        scale = float(expected[one].detach().abs().max())
        assert scale > 0
        torch.testing.assert_close(found[one], expected[one], rtol=1e-11, atol=1e-12 * scale)


@pytest.mark.parametrize("name", ["sine", "gabor"])
def test_they_meet_hard_conditions_on_scaled_coordinates(name):
    module, _ = assembled(HEAT, {"network": {"name": name, "width": 6, "depth": 2}})
    x = torch.linspace(2, 6, 9, dtype=torch.float64)
    start = torch.stack([x, torch.zeros_like(x)], dim=1)
    np.testing.assert_allclose(module(start)[:, 0].detach(), torch.sin(torch.pi * x / 4), atol=1e-14)
    (network,) = module.network.networks
    corners = network[0](torch.tensor([[2.0, 0.0], [6.0, 3.0]], dtype=torch.float64))
    torch.testing.assert_close(corners, torch.tensor([[-1.0, -1.0], [1.0, 1.0]], dtype=torch.float64))


def test_one_layer_of_sines_finds_a_wave_to_the_last_digits(quick, tmp_path):
    words = {
        "name": "wave",
        "coordinates": {"x": [0, 2]},
        "fields": ["u"],
        "equations": "u_xx = -9 * sin(3*x)",
        "conditions": {"ends": {"at": "boundary", "equations": "u = sin(3*x)"}},
        "exact": {"u": "sin(3*x)"},
    }
    settings = {
        **quick,
        "network": {"name": "sine", "width": 4, "depth": 1, "frequency": 4.0},
        "operators": {"engine": "autograd"},
        "sampling": {"equations": 40, "conditions": 2, "redraw_every": None},
        "phases": ["gauss_newton"],
        "trainer": {"max_steps": 25},
        "polish": False,
    }
    assert solve(Problem(**words), tmp_path, settings).metrics["relative_l2"]["u"] < 1e-9


def test_a_siren_has_one_factor_in_all_layers_and_weights_that_are_smaller_by_it():
    torch.manual_seed(0)
    network, points = Siren(2, 1, width=200, depth=2, frequency=30.0), uniform(300, 2)
    first, second, last = network.layers
    assert 0.45 < float(first.weight.detach().abs().max()) <= 0.5
    assert 0.95 < float(second.weight.detach().abs().max()) / ((6 / 200) ** 0.5 / 30) <= 1.0
    hidden = torch.sin(30 * (points @ first.weight.T + first.bias))
    arguments = 30 * (hidden @ second.weight.T + second.bias)
    assert float(arguments.detach().std()) == pytest.approx(1.0, rel=0.2)
    torch.testing.assert_close(network(points), torch.sin(arguments) @ last.weight.T + last.bias)
    assert network.description == "2 hidden layers of 200 sines, omega 30"
    assert 0.05 < float(network(points).detach().std()) < 3.0
