"""Random Fourier features of several scales: the formula, and what the scales change."""

import pytest
import torch

from pinnkit.networks.architectures.multiscale_fourier import MultiscaleFourier as Settings
from pinnkit.networks.embeddings import RandomFourier
from pinnkit.networks.multiscale_fourier import MultiscaleFourier
from tests.conftest import assembled
from tests.networks.test_every_network import SHORT
from tests.operators.jet_cases import uniform


def test_the_same_layers_act_on_the_features_of_each_scale():
    torch.manual_seed(0)
    features, points = RandomFourier(2, 3, 1.0, 5.0), uniform(6, 2)
    network = MultiscaleFourier(12, 2, width=4, depth=2, scales=2)
    first, second = network.hidden
    found = []
    for matrix in features.matrix.split(3, dim=1):
        phase = points @ matrix
        hidden = torch.tanh(first(torch.cat([phase.cos(), phase.sin()], dim=1)))
        found.append(torch.tanh(second(hidden)))
    torch.testing.assert_close(network(features(points)), network.last(torch.cat(found, 1)), rtol=1e-13, atol=1e-14)
    assert network.description == "2 hidden layers of 4 for each of 2 scales, tanh"


def test_the_scales_of_the_settings_are_those_of_the_frequencies():
    settings = {"name": "multiscale_fourier", "fourier_features": 2000, "scales": [1, 20], "fourier_scale": 0.5}
    module, _ = assembled(SHORT, {"network": {**settings, "width": 2, "depth": 1}})
    ((_, features, _),) = module.network.networks
    sizes = [float(one.std()) / torch.pi for one in features.matrix.split(2000, dim=1)]
    assert sizes == pytest.approx([0.5, 10.0], rel=0.1)
    assert Settings(scales=(2.0, 3.0, 4.0), fourier_scale=2.0).fourier_scales == (4.0, 6.0, 8.0)
