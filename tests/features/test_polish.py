"""Which corrections of a trained network are taken, and that others leave it as it was."""

import math

import pytest
import torch

from pinnkit.features import polish as tested
from pinnkit.features.independent import Answer
from pinnkit.features.polish import polish
from pinnkit.features.settings import FeatureSettings
from pinnkit.features.solver import FeatureSolver
from pinnkit.problem.problem import Problem
from pinnkit.runs.factory import assemble
from pinnkit.settings import Settings

POINTS = torch.linspace(0, 1, 101, dtype=torch.float64)[:, None]
WAVES = 30 / (36 * math.pi**2 - 1.01 * math.pi**2)
NEAR_AN_EIGENVALUE = {
    "coordinates": {"x": [0, 1]},
    "fields": ["u"],
    "equations": "u_xx + 1.01*pi^2*u = 1.01*pi^2*x - 30*sin(6*pi*x)",
    "conditions": {"ends": {"at": "boundary", "equations": "u = x"}},
}
"""u = x + WAVES sin(6 pi x); an error sin(pi x) shows in the residual by a thousandth of what these waves do."""
DECAY = {
    "coordinates": {"x": [0, 1]},
    "fields": ["u"],
    "equations": "u_x = -u",
    "conditions": {"start": {"at": "x = 0", "equations": "u = 1"}},
}


def trained(words, count):
    """The solver of a network as it is before training."""
    module, _ = assemble(Problem(**words), Settings())
    settings = FeatureSettings(kind="tanh", range=2.0, count=count)
    return FeatureSolver(module.model, module.groups, settings, 0)


def values(solver):
    with torch.no_grad():
        return solver.network(POINTS)[:, 0]


def test_one_that_lowers_the_residual_and_not_the_error_is_refused(monkeypatch):
    exact = POINTS[:, 0] + WAVES * torch.sin(6 * math.pi * POINTS[:, 0])
    monkeypatch.setattr(tested, "LOWER", 0.9)
    solver = trained(NEAR_AN_EIGENVALUE, 8)
    before = values(solver)
    found = polish(solver, math.inf)
    assert not found.accepted
    assert found.residual_after < 0.9 * found.residual_before
    assert "no answer that independent ones confirm" in found.text
    assert torch.equal(values(solver), before)
    monkeypatch.setattr(tested, "_doubt", lambda *_: "")
    assert polish(solver, math.inf).accepted
    assert (values(solver) - exact).norm() > 2 * (before - exact).norm()


def test_one_that_resolves_the_error_needs_no_other_features(monkeypatch):
    monkeypatch.setattr(tested, "independent", None)
    solver = trained(DECAY, 20)
    found = polish(solver, math.inf)
    assert found.accepted
    assert found.doubt == ""
    assert (values(solver) - torch.exp(-POINTS[:, 0])).abs().max() < 1e-9


def test_where_the_residual_tells_too_little_independent_features_confirm_it(monkeypatch):
    monkeypatch.setattr(tested, "RESOLVED", math.inf)
    solver = trained(DECAY, 20)
    assert polish(solver, math.inf).accepted
    assert len(solver.network.expansions) == 1


@pytest.mark.parametrize(("residual", "word"), [(0.0, "confirm"), (math.inf, "by chance")])
def test_one_that_independent_features_do_not_confirm_leaves_the_network_as_it_was(monkeypatch, residual, word):
    solver = trained(DECAY, 20)
    before = values(solver)

    def independent(_solver, _choice, _stream, points, own):
        return Answer(trained(DECAY, 20).network(points).detach(), {}, residual, residual)

    monkeypatch.setattr(tested, "RESOLVED", math.inf)
    monkeypatch.setattr(tested, "independent", independent)
    found = polish(solver, math.inf)
    assert not found.accepted
    assert word in found.doubt
    assert torch.equal(values(solver), before)
