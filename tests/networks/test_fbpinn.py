"""Networks on subdomains: the formula, windows, what the settings divide, and refusals."""

import pytest
import torch

from pinnkit.language.errors import ProblemError
from pinnkit.networks.fbpinn import FBPINN
from tests.conftest import assembled
from tests.networks.test_every_network import SHORT
from tests.operators.jet_cases import uniform


def made(counts, outputs=2, overlap=1.9):
    torch.manual_seed(0)
    return FBPINN(len(counts), outputs, width=4, depth=2, counts=counts, overlap=overlap)


def window(t):
    return torch.where(t.abs() < 1, (1 + torch.cos(torch.pi * t)) ** 2, 0.0)


def test_it_is_the_sum_of_windows_times_networks_on_scaled_subdomains():
    network, points = made([3, 1, 2]), uniform(7, 3)
    boxes = [(i, j) for i in (-2 / 3, 0.0, 2 / 3) for j in (-0.5, 0.5)]
    total, weight = 0, 0
    for k, (i, j) in enumerate(boxes):
        local = torch.stack([(points[:, 0] - i) / (1.9 / 3), points[:, 1], (points[:, 2] - j) / (1.9 / 2)], dim=1)
        hidden = local
        for number, (matrix, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
            hidden = (torch.tanh(hidden) if number else hidden) @ matrix[k] + bias[k]
        one = (window(local[:, 0]) * window(local[:, 2]))[:, None]
        total, weight = total + one * hidden, weight + one
    torch.testing.assert_close(network(points), total / weight, rtol=1e-12, atol=1e-13)
    assert network.description == "3 x 2 subdomains: 2 hidden layers of 4, tanh"


def test_windows_have_the_sum_one_and_networks_do_not_reach_beyond_them():
    network = made([4], outputs=1)
    x = torch.linspace(-1, 1, 41, dtype=torch.float64)[:, None]
    windows = network._windows((x.unsqueeze(1) - network.centres) / network.halves)
    torch.testing.assert_close(windows.sum(dim=1), torch.ones(41, dtype=torch.float64))
    assert int((windows > 0).sum(dim=1).max()) == 2
    before = network(x).detach()
    with torch.no_grad():
        network.biases[-1][0] += 1.0
    torch.testing.assert_close(network(x) - before, windows[:, :1])
    assert float((network(x) - before)[x > -0.75 + 1.9 / 4].detach().abs().max()) == 0


def test_the_third_derivative_is_continuous_where_a_window_ends():
    network, end = made([2], outputs=1, overlap=1.2), 0.1  # the first has the centre -0.5 and the half-width 0.6
    found = []
    for shift in (-1e-9, 1e-9):
        x = torch.tensor([[end + shift]], dtype=torch.float64, requires_grad=True)
        value = network(x).sum()
        for _ in range(3):
            (slope,) = torch.autograd.grad(value, x, create_graph=True)
            value = slope.sum()
        found.append(float(value.detach()))
    assert found[0] == pytest.approx(found[1], rel=1e-3)


@pytest.mark.parametrize(
    ("subdomains", "count", "words"),
    [({}, 4, "2 x 2"), ({"t": 5}, 5, "5"), ({"x": 3, "t": 1}, 3, "3"), ({"x": 1}, 1, "1")],
)
def test_the_settings_name_the_coordinates_that_are_divided(subdomains, count, words):
    module, _ = assembled(SHORT, {"network": {"name": "fbpinn", "width": 3, "subdomains": subdomains}})
    network = module.network.networks[0][-1]
    assert network.weights[0].shape == (count, 2, 3)
    assert network.description.startswith(f"{words} subdomain")


def test_subdomains_along_what_cannot_be_divided_are_refused():
    with pytest.raises(ProblemError, match=r"network\.subdomains: there is no coordinate 'y'"):
        assembled(SHORT, {"network": {"name": "fbpinn", "subdomains": {"y": 2}}})
    with pytest.raises(ProblemError, match=r"network\.subdomains: x is periodic, and not divided: leave it out"):
        assembled({**SHORT, "periodic": ["x"]}, {"network": {"name": "fbpinn", "subdomains": {"x": 2}}})
