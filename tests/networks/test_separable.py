"""Sums of products of networks of one coordinate: the formula, derivatives by every engine, and what they are for."""

import pytest
import torch

from pinnkit.networks.separable import Separable
from pinnkit.operators.derivatives import derivatives
from pinnkit.operators.linear_operators import LinearCombination, OperatorData
from pinnkit.operators.trace import BoundNetwork
from tests.operators.jet_cases import by_taylor, uniform


def made(inputs, outputs, **options):
    torch.manual_seed(0)
    return Separable(inputs, outputs, **{"width": 5, "depth": 2, "rank": 4, **options})


@pytest.mark.parametrize(("depth", "activation"), [(1, "tanh"), (2, "sin"), (3, "sin")])
def test_it_is_a_sum_of_products_of_perceptrons_of_one_coordinate(depth, activation):
    network, points = made(3, 2, depth=depth, activation=activation), uniform(6, 3)
    layers = "1 hidden layer" if depth == 1 else f"{depth} hidden layers"
    assert network.description == f"4 products of networks of one coordinate: {layers} of 5, {activation}"
    product = torch.ones(6, 4, dtype=torch.float64)
    for i in range(3):
        values = points[:, i : i + 1]
        for number, (weight, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
            values = getattr(torch, activation)(values) if number else values
            values = values @ weight[i].T + bias.view(3, -1)[i]
        product = product * values
    expected = product @ network.last.weight.T + network.last.bias
    torch.testing.assert_close(network(points), expected, rtol=1e-13, atol=1e-13)


def test_taylor_mode_has_all_of_its_operations():
    network, points = made(5, 2), uniform(6, 5)
    laplacian = LinearCombination(tuple(((i, i), i) for i in range(5)))
    wanted = [(0, ()), (0, (1,)), (1, (0, 3)), (1, (2, 2, 2)), (0, laplacian)]
    given = OperatorData([1.0] * 5)
    found = by_taylor(network, points, wanted, given)
    expected = derivatives(BoundNetwork(network, dict(network.named_parameters())), points, wanted, given)
    for one in wanted:
        assert float(expected[one].detach().abs().max()) > 0
        torch.testing.assert_close(found[one], expected[one], rtol=1e-12, atol=1e-13)


def test_products_of_many_coordinates_start_at_their_size():
    values = made(10, 1, rank=12)(uniform(200, 10))
    assert 0.05 < float(values.detach().std()) < 20.0
