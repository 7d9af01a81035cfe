"""Networks of fields that are functions of other fields."""

import pytest
import torch

from pinnkit.language.errors import ProblemError
from pinnkit.operators.derivatives import derivatives
from pinnkit.problem.problem import Problem
from pinnkit.runs.factory import check_network
from pinnkit.runs.memory import parameters
from pinnkit.settings import Settings
from tests.conftest import assembled

WORDS = {
    "coordinates": {"x": [0, 1], "t": [0, 2]},
    "fields": {"f": {"coordinates": ["u"], "range": [-1, 3]}, "u": ["x", "t"], "g": ["x", "f"]},
    "equations": "u_t = f + g",
}
QUICK = {"network": {"width": 5, "depth": 1}, "sampling": {"equations": 20}}


def module():
    return assembled(WORDS, QUICK)[0]


def points():
    return torch.rand(17, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def network_of(module, field):
    """The network of one field, and the field's place."""
    place = [one.name for one in module.problem.fields].index(field)
    return next(n for n, fields in zip(module.network.networks, module.network.members, strict=True) if place in fields)


def test_a_function_of_a_field_is_its_network_at_the_fields_values():
    found = module()
    f, u, g = found(points()).unbind(dim=1)
    torch.testing.assert_close(network_of(found, "f")(u[:, None])[:, 0], f, rtol=0, atol=0)
    both = torch.stack([f, points()[:, 0]], dim=1)
    torch.testing.assert_close(network_of(found, "g")(both)[:, 0], g, rtol=0, atol=0)
    scaled = network_of(found, "f")[0](torch.tensor([[-1.0], [1.0], [3.0]], dtype=torch.float64))
    torch.testing.assert_close(scaled[:, 0], torch.tensor([-1.0, 0.0, 1.0], dtype=torch.float64))


def test_its_derivatives_are_those_of_the_chain_rule():
    found, at = module(), points()
    known = derivatives(found, at, [(0, (0,)), (1, (0,)), (1, ())])
    u = known[1, ()].detach().requires_grad_()
    (slope,) = torch.autograd.grad(network_of(found, "f")(u).sum(), u)
    torch.testing.assert_close(known[0, (0,)], slope * known[1, (0,)], rtol=1e-12, atol=1e-14)


def test_its_parameters_are_counted():
    found = module()
    assert sum(one.numel() for one in found.network.parameters()) == parameters(
        found.problem, Settings().network.__class__(width=5, depth=1)
    )


def test_a_network_of_the_users_cannot_be_one():
    with pytest.raises(ProblemError, match="network: cannot make f a function of u: leave network out"):
        check_network(torch.nn.Linear(2, 3), Problem(**WORDS), Settings())
