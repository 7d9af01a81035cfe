"""What every network does in a problem: derivatives in Taylor mode, rows of residuals, its start, restoring, dtype."""

import pytest
import torch

from pinnkit.engines.jacobian import Jacobian
from pinnkit.networks.settings import NETWORKS
from pinnkit.operators.derivatives import derivatives
from pinnkit.operators.trace import BoundNetwork
from tests.conftest import assembled
from tests.engines.evaluations import SAMPLING, definition, weights_of
from tests.operators.jet_cases import by_taylor, uniform

WORDS = {
    "coordinates": {"x": [0, 2], "y": [0, 1], "t": [0, 1]},
    "fields": {"h": "complex", "v": ["x", "t"]},
    "parameters": {"nu": {"range": [0.1, 10], "log": True}},
    "periodic": ["y"],
    "equations": {"wave": "i*h_t + nu*laplacian(h) + abs(h)^2*h = 0", "decay": "v_t = v_xx"},
    "conditions": {
        "start": {"at": "t = 0", "equations": ["h = exp(i*pi*x)*cos(2*pi*y)"], "hard": True},
        "ends": {"at": "x = 0", "equations": ["h = 1", "v = 0"]},
    },
}
"""Complex fields, fewer coordinates, a family, a period, and a hard condition."""

VARIANTS = {name: {"name": name, "width": 4, "depth": 2} for name in NETWORKS}
VARIANTS["fbpinn"] |= {"subdomains": {"x": 3, "t": 2}}
VARIANTS["factorized"] = {"name": "modified_mlp", "width": 4, "depth": 1, "weight_factorization": True}
VARIANTS["adaptive"] = {"width": 4, "depth": 2, "weight_factorization": True, "adaptive_activation": "neuron"}
"""Settings of each network, and of what may be set of them."""


SHORT = {"coordinates": {"x": [0, 2], "t": [0, 1]}, "fields": ["u"], "equations": {"slope": "u_x = u"}}


def disturbed(module):
    """The module as after a little training, when no parameter is zero."""
    torch.manual_seed(1)
    with torch.no_grad():
        for one in module.parameters():
            one.add_(0.05 * torch.randn_like(one))
    return module


@pytest.fixture(scope="module", params=VARIANTS)
def solved(request):
    """The module of a problem with a network of each kind, and a draw of points."""
    return request.param, *assembled(WORDS, {"network": VARIANTS[request.param], "sampling": SAMPLING})


QUICK = ("fbpinn", "piratenet", "adaptive")
"""Variants whose operations are those of the others too."""


@pytest.mark.parametrize("name", [pytest.param(one, marks=[pytest.mark.slow] * (one not in QUICK)) for one in VARIANTS])
def test_rows_of_its_residuals_give_the_gradient_of_nested_autograd(name, recorded):
    module, batches = assembled(SHORT, {"network": VARIANTS[name], "sampling": SAMPLING})
    disturbed(module)
    weights = weights_of(module)
    _, gradient = definition(module, batches, weights)
    jacobian = Jacobian(module.make_evaluator("jets", None))
    r, rows = jacobian.at([jacobian.prepare(batches)], weights).rows()
    torch.testing.assert_close(2 * rows.T @ r, gradient, rtol=0, atol=1e-10 * float(gradient.abs().max()))


@pytest.mark.parametrize("name", VARIANTS)
def test_its_network_has_all_derivatives_in_taylor_mode(name):
    words = {key: value for key, value in VARIANTS[name].items() if key != "name"}
    chosen = NETWORKS[VARIANTS[name].get("name", "mlp")](**words).chosen(2, 2, linear=False, steady=False)
    torch.manual_seed(0)
    inputs = chosen.fourier_features * 2 * len(chosen.fourier_scales) or 2
    network, points = disturbed(chosen.build(inputs, 2)), uniform(6, inputs)
    wanted = [(0, ()), (0, (1,)), (1, (0, 1)), (1, (1, 1, 1, 1))]
    expected = derivatives(BoundNetwork(network, dict(network.named_parameters())), points, wanted)
    found = by_taylor(network, points, wanted)
    for one in wanted:
        scale = float(expected[one].detach().abs().max())
        assert scale > 0
        torch.testing.assert_close(found[one], expected[one], rtol=1e-10, atol=1e-11 * scale)


def test_its_values_start_finite_and_neither_large_nor_small(solved):
    _, module, batches = solved
    points = torch.cat([batch.coordinates for batch in batches.values()])
    (network, *_) = module.network.networks
    values = network(points).detach()
    assert bool(torch.isfinite(values).all())
    assert 0.02 < float(values.square().mean().sqrt()) < 20


def test_what_is_saved_restores_it_in_both_precisions(solved):
    name, module, batches = solved
    points = torch.cat([batch.coordinates for batch in batches.values()])
    expected = module(points)
    other, _ = assembled(WORDS, {"network": VARIANTS[name], "sampling": SAMPLING, "seed": 5})
    other.load_state_dict(module.state_dict())
    assert torch.equal(other(points), expected)
    single = other.to(torch.float32)(points.float())
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), expected, rtol=2e-3, atol=2e-3)
