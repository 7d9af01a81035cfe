"""Rows of the linearised equations against automatic differentiation."""

import pytest
import torch

from pinnkit.features.linearise import Linearisation
from pinnkit.features.points import probe
from pinnkit.features.slab import Slab
from pinnkit.features.solver import Choice
from pinnkit.features.system import expansions_of
from tests.features.solvers import solver

TOY = {"coordinates": {"x": [0, 1], "t": [0, 1]}}
PROBLEMS = {
    "system, hard": TOY
    | {
        "fields": ["u", "v"],
        "equations": ["u_t + u*v_x = u_xx", "v_xt = u^2 + x*v"],
        "conditions": {
            "start": {"at": "t = 0", "equations": ["u = sin(x)", "v = 1"], "hard": True},
            "side": {"at": "x = 0", "equations": "u*u_x = v"},
        },
    },
    "transform": TOY
    | {
        "fields": ["u"],
        "transform": {"u": "softplus"},
        "equations": "u_t = u*u_xx + u_x^2",
        "conditions": {"start": {"at": "t = 0", "equations": "u = 1 + x"}},
    },
    "integral": TOY
    | {
        "fields": ["u"],
        "equations": "u_t = u*integral(u^2, x, 0, 1) + integral(u, t, 0, t)",
        "conditions": {"start": {"at": "t = 0", "equations": "u = x"}},
    },
    "learned": TOY
    | {
        "fields": ["u"],
        "parameters": {"k": {"learn": 0.7, "positive": True}},
        "equations": "u_t = k*u_xx*u + k^2",
        "conditions": {"start": {"at": "t = 0", "equations": "u = x"}},
    },
    "place": TOY
    | {
        "fields": ["u"],
        "equations": "u_t = u_x(x=0)*u + u(x=1-x)",
        "conditions": {"start": {"at": "t = 0", "equations": "u = x"}},
    },
    "periodic": TOY
    | {
        "fields": ["u"],
        "periodic": ["x"],
        "equations": "u_t = u*u_x",
        "conditions": {"start": {"at": "t = 0", "equations": "u = cos(2*pi*x)"}},
    },
    "python": TOY
    | {
        "fields": ["u"],
        "equations": {"python": lambda p: p.u_t - p.u * p.u_xx},
        "conditions": {"start": {"at": "t = 0", "equations": "u = x"}},
    },
}


def in_state(name, slab=None):
    """A solver whose features have coefficients, those of a slab beside those of another."""
    found = solver(PROBLEMS[name])
    generator = torch.Generator().manual_seed(1)
    kind = "sin" if name == "periodic" else "tanh"
    found.add(Choice(kind, (1.5, 1.0), 4))
    if slab is not None:
        lower, upper = ([0.0, 0.0], [1.0, 1.0])
        module = probe(found.network, 0, kind, 5, (1.0, 1.0), 7, (lower, upper), [], slab)
        found.network.add(module, 0)
    for one in found.network.expansions:
        with torch.no_grad():
            one.coefficients.copy_(torch.randn(one.coefficients.shape, generator=generator, dtype=torch.float64))
    return found


def by_autograd(found, group, batch):
    """Residuals, and their derivatives by all coefficients, field by field, and by the learned numbers."""
    system = found.system(20, 0)
    learned = [one.clone().requires_grad_() for one in system.parameters().values()]
    names = list(system.parameters())
    own = [index for index, name in enumerate(names) if name in found.model.learned]
    residuals = group(found.network, batch, dict(zip(names, learned, strict=True)))
    leaves = [one.coefficients for one in found.network.expansions] + [learned[index] for index in own]
    values, rows = {}, {}
    for term, one in residuals.items():
        values[term] = one.detach()[:, 0]
        lines = []
        for entry in one[:, 0]:
            slopes = torch.autograd.grad(entry, leaves, retain_graph=True, materialize_grads=True)
            lines.append(torch.cat([slope.T.flatten() if slope.ndim else slope.reshape(1) for slope in slopes]))
        rows[term] = torch.stack(lines)
    return values, rows


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("slab", [None, Slab(1, 0.4, 1.0, False, True)], ids=["everywhere", "slab"])
def test_rows_are_derivatives(name, slab):
    found = in_state(name, slab)
    linear = Linearisation(found.network, found.groups, expansions_of(found.network), list(found.model.learned))
    for group, batch in found.system(20, 0).batches.items():
        batch = batch.take(slice(0, 12))
        values, rows = by_autograd(found, found.groups[group], batch)
        given = linear.rows(group, batch, found.system(20, 0).parameters())
        for term, expected in rows.items():
            torch.testing.assert_close(given.residuals[term], values[term], rtol=1e-11, atol=1e-11)
            torch.testing.assert_close(given.jacobians[term], expected, rtol=1e-10, atol=1e-10)
            assert float(expected.abs().max()) > 0.01


def test_features_that_are_no_unknowns_count_in_residuals():
    found = in_state("system, hard", Slab(1, 0.4, 1.0, False, True))
    every = expansions_of(found.network)
    batch = found.system(20, 0).batches["equations"]
    parameters = found.system(20, 0).parameters()
    full, last = (
        Linearisation(found.network, found.groups, one).rows("equations", batch, parameters)
        for one in (every, every[1:])
    )
    for term, expected in full.residuals.items():
        torch.testing.assert_close(last.residuals[term], expected, rtol=1e-11, atol=1e-11)
        assert torch.equal(last.jacobians[term], full.jacobians[term][:, every[0].size :])
