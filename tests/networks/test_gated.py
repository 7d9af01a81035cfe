"""Networks whose layers are gated: the formulas, by hand."""

import torch

from pinnkit.networks.modified_mlp import ModifiedMLP
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
