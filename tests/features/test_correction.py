"""Corrections of trained networks at a front: features that depend on the network's outputs, slab by slab."""

from itertools import combinations_with_replacement

import numpy as np
import pytest
import torch

from pinnkit.features.chain_rule import all_states, partitions
from pinnkit.features.correction import corrected
from pinnkit.features.error import estimate
from pinnkit.features.expansions import combined
from pinnkit.features.places import steep_places
from pinnkit.features.polish import polish
from pinnkit.features.settings import FeatureSettings
from pinnkit.features.solver import FeatureSolver
from pinnkit.networks.architectures.mlp import MLP
from pinnkit.networks.features import Features, RandomFeatures
from pinnkit.operators.derivatives import derivatives
from pinnkit.problem.problem import Problem
from pinnkit.runs.factory import assemble
from pinnkit.settings import Settings

EXACT = "0.3 - 0.5*tanh(25*(x - 0.3*t))"
WORDS = {
    "coordinates": {"x": [-1, 1], "t": [0, 1]},
    "fields": ["u"],
    "equations": "u_t + u*u_x = 0.01*u_xx",
    "conditions": {
        "start": {"at": "t = 0", "equations": f"u = {EXACT}"},
        "ends": {"at": ["x = -1", "x = 1"], "equations": f"u = {EXACT}"},
    },
}
"""Burgers' equation, with a front of width 0.04 that travels."""
BOX = {"lower": (-1.0, 0.0, -0.2), "upper": (1.0, 1.0, 0.8)}
POINTS = torch.rand(4000, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * torch.tensor([2.0, 1.0])
POINTS = POINTS - torch.tensor([1.0, 0.0])


def exact(points):
    return 0.3 - 0.5 * torch.tanh(25 * (points[:, 0] - 0.3 * points[:, 1]))


def front(size=1e-3, **settings):
    """The solver around a network that is the solution, and another front beside it of some size."""
    module, _ = assemble(Problem(**WORDS), Settings(network=MLP(width=4, depth=1)))
    first, last = (one for one in module.network.networks[0].modules() if isinstance(one, torch.nn.Linear))
    with torch.no_grad():
        first.weight.copy_(torch.tensor([[25.0, -3.75]]).expand(4, 2))  # time is scaled to [-1, 1]
        first.bias.copy_(torch.tensor([-3.75, -3.25, -4.25, 0.0]))
        last.weight.copy_(torch.tensor([[-0.5, size, -size, 0.0]]))
        last.bias.fill_(0.3)
    settings = FeatureSettings(windows=2, max_unknowns=150, **settings)
    found = FeatureSolver(module.model, module.groups, settings, 0, None, module.model.like)
    found.trial_unknowns = 100
    return found


def error(solver):
    with torch.no_grad():
        return float((solver.network(POINTS)[:, 0] - exact(POINTS)).norm() / exact(POINTS).norm())


def states(count=5):
    module = RandomFeatures(Features("sin", count, (3.0, 2.0, 4.0), columns=(0, 1), seed=3, states=(0,), **BOX), 1)
    with torch.no_grad():
        module.coefficients.copy_(torch.linspace(-1, 1, count)[:, None])
    return module


def test_partitions_are_as_many_as_bells_numbers():
    assert [sum(partitions((0,) * order).values()) for order in range(5)] == [1, 1, 2, 5, 15]
    assert partitions((0, 1)) == {((0, 1),): 1, ((0,), (1,)): 1}


@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_derivatives_of_features_follow_the_chain_rule_through_the_network(order):
    network, module, points = front().network, states(), POINTS[:20]
    beneath = all_states(network, module, points, (0,), order)
    phi = module.orders(points, order, beneath[()])
    for axes in combinations_with_replacement((0, 1), order):
        found = combined(module, phi, {axes: torch.ones(20, 1, dtype=torch.float64)}, beneath) @ module.coefficients

        def added(at):
            return module(at, network.networks[0](at))

        expected = derivatives(added, points, [(0, axes)])[0, axes].detach()
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9 * float(expected.abs().max()))


def test_the_linearised_equations_are_those_of_the_network_with_such_features():
    solver = front()
    solver.network.add(states(), 0)
    system = solver.system(100, 0)
    (found, *_), points = system.residuals().values(), system.batches["equations"].coordinates
    wanted = {(0, axes) for axes in ((), (0,), (1,), (0, 0))}
    own = {axes: one.detach()[:, 0] for (_, axes), one in derivatives(solver.network, points, wanted).items()}
    torch.testing.assert_close(found, own[1,] + own[()] * own[0,] - 0.01 * own[0, 0], rtol=1e-8, atol=1e-8)


def test_steep_places_follow_the_front():
    solver = front()
    found = steep_places(solver.network, solver.problem, 400, 0, solver.like)["equations"].coordinates
    beside = np.abs(found[:, 0] - 0.3 * found[:, 1])
    assert len(found) == 400
    assert (beside < 0.08).mean() > 0.5  # 8% of the domain
    assert ((found >= [-1, 0]) & (found <= [1, 1])).all()
    assert found[:200, 1].mean() == pytest.approx(0.5, abs=0.1)  # in no order


@pytest.fixture(scope="module")
def polished():
    solver = front()
    before = error(solver)
    return solver, before, polish(solver, 60.0)


def test_a_front_is_polished_by_features_of_the_networks_outputs(polished):
    solver, before, found = polished
    assert before > 2e-4
    assert found.accepted
    assert error(solver) < before / 30
    assert len(solver.slabs) == 2
    assert found.choice.states > 0
    assert "on its outputs up to" in found.text


def test_the_error_of_a_polished_front_is_estimated(polished):
    solver, _, found = polished
    kept = solver.network(POINTS[:10]).detach().clone()
    estimated = estimate(solver, found.choice, own=True)
    guess = estimated.fields["u"]
    assert guess is not None, estimated.reasons
    assert 0.5 < guess / error(solver) < 2
    assert torch.equal(solver.network(POINTS[:10]).detach(), kept)


def test_a_correction_that_grows_from_slab_to_slab_is_given_up(monkeypatch):
    solver = front()
    before = solver.network(POINTS[:10]).detach().clone()
    monkeypatch.setattr(FeatureSolver, "try_choice", lambda *_, **__: 1.0)  # which is more than the network leaves
    assert not corrected(solver, lambda: 60.0)
    assert solver.slabs == []
    assert torch.equal(solver.network(POINTS[:10]).detach(), before)


def test_conditions_count_once_where_answers_are_judged():
    solver = front()
    system = solver.judge.system()
    for name, batch in system.batches.items():
        assert len(batch)
        for term in solver.groups[name].terms:
            weight = 1.0 if name == "equations" else solver.settings.conditions_weight
            assert system.scales[term] == pytest.approx(solver.scales[term] / weight)
    points = system.batches["equations"].coordinates
    assert float(((points[:, 0] - 0.3 * points[:, 1]).abs() < 0.08).double().mean()) > 0.3  # 8% of the domain
