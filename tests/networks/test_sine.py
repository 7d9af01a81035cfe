"""Networks of sines: the formula, the start, and what they are for."""

import math

import pytest
import torch

from pinnkit.networks.architectures.sine import Sine as Settings
from pinnkit.networks.sine import Sine
from pinnkit.problem.problem import Problem
from pinnkit.runs.solve import solve
from tests.operators.jet_cases import uniform


def made(inputs, outputs, **options):
    torch.manual_seed(0)
    return Sine(inputs, outputs, **{"width": 40, "depth": 1, "frequency": 6.0, **options})


@pytest.mark.parametrize("depth", [1, 3])
def test_it_is_a_perceptron_of_sines(depth):
    network, points = made(3, 2, depth=depth), uniform(6, 3)
    values = points
    for layer in network.layers[:-1]:
        values = torch.sin(values @ layer.weight.T + layer.bias)
    last = network.layers[-1]
    torch.testing.assert_close(network(points), values @ last.weight.T + last.bias, rtol=1e-13, atol=1e-13)
    settings = Settings(width=40, depth=depth, frequency=6.0)
    assert settings.parameters(3, 2) == sum(one.numel() for one in network.parameters())
    torch.manual_seed(0)
    assert torch.equal(settings.build(3, 2)(points), network(points))
    layers = "1 hidden layer" if depth == 1 else f"{depth} hidden layers"
    assert network.description == f"{layers} of 40, sin, frequencies to 6"


def test_frequencies_and_phases_fill_their_ranges_at_the_start():
    first = made(5, 1).layers[0]
    for values, end in ((first.weight, 6.0), (first.bias, math.pi)):
        values = values.detach().flatten()
        assert float(values.abs().max()) <= end
        assert float(values.max()) > 0.8 * end
        assert float(values.min()) < -0.8 * end
        assert float(values.abs().mean()) == pytest.approx(end / 2, rel=0.3)


def test_a_wave_is_found_to_the_last_digits(quick, tmp_path):
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
        "network": {"name": "sine", "width": 4, "frequency": 4.0},
        "operators": {"engine": "autograd"},
        "sampling": {"equations": 40, "conditions": 2, "redraw_every": None},
        "phases": ["gauss_newton"],
        "trainer": {"max_steps": 25},
        "polish": False,
    }
    assert solve(Problem(**words), tmp_path, settings).metrics["relative_l2"]["u"] < 1e-9
