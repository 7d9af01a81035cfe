"""Networks whose layers are gated: the formulas, by hand."""

import torch

from pinnkit.networks.modified_mlp import ModifiedMLP
from pinnkit.networks.piratenet import PirateNet
from tests.conftest import assembled
from tests.operators.jet_cases import uniform


def applied(layer, values):
    return values @ layer.weight.T + layer.bias


def test_layers_of_a_modified_mlp_are_gated_by_two_encodings_of_the_input():
    torch.manual_seed(0)
    network, z = ModifiedMLP(2, 3, width=5, depth=2, activation="tanh"), uniform(6, 2)
    u, v = (torch.tanh(applied(one, z)) for one in network.encoders)
    first, second, last = network.layers
    gate = torch.tanh(applied(first, z))
    hidden = (1 - gate) * u + gate * v
    gate = torch.tanh(applied(second, hidden))
    hidden = (1 - gate) * u + gate * v
    torch.testing.assert_close(network(z), applied(last, hidden), rtol=1e-13, atol=1e-14)
    assert network.description == "2 gated hidden layers of 5, tanh"


def test_blocks_of_a_piratenet_are_gated_and_start_as_the_identity():
    torch.manual_seed(0)
    network, z = PirateNet(4, 3, width=5, depth=2, activation="tanh"), uniform(6, 4)
    torch.testing.assert_close(network(z), applied(network.last, z), rtol=0, atol=0)
    with torch.no_grad():
        network.factors[0].fill_(0.3)
        network.factors[1].fill_(0.6)
    u, v = (torch.tanh(applied(one, z)) for one in network.encoders)
    x = z
    for (first, second, third), factor in zip(network.blocks, (0.3, 0.6), strict=True):
        f = torch.tanh(applied(first, x))
        f = f * u + (1 - f) * v
        g = torch.tanh(applied(second, f))
        g = g * u + (1 - g) * v
        x = factor * torch.tanh(applied(third, g)) + (1 - factor) * x
    torch.testing.assert_close(network(z), applied(network.last, x), rtol=1e-13, atol=1e-14)
    assert network.description == "2 residual blocks of 5, tanh"


def test_a_piratenet_begins_at_the_least_squares_fit_of_the_start():
    words = {
        "coordinates": {"x": [0, 1], "t": [0, 1]},
        "fields": ["u", "v"],
        "equations": ["u_t = v", "v_t = u_xx"],
        "conditions": {
            "start": {"at": "t = 0", "equations": ["u = sin(3*x)", "u_t = cos(x)", "v = 2"]},
            "ends": {"at": "x = 0", "equations": ["u = 0"]},
        },
    }
    settings = {"network": {"name": "piratenet", "width": 5, "fourier_features": 12}, "sampling": {"conditions": 64}}
    module, batches = assembled(words, settings)
    losses = module.losses({"start": batches["start"]})
    assert max(float(one.detach()) for one in losses.values()) < 1e-6
    steady = {**words, "conditions": {"start": {"at": "t = 0", "equations": ["u = 0", "v = 0"]}}}
    module, batches = assembled(steady, settings)
    assert float(module(batches["start"].coordinates).detach().abs().max()) > 0.1  # zero would learn nothing
