"""Residuals and their Jacobian against the gradient and the definition, in chunks, and what cannot have them."""

import json
import math
from contextlib import nullcontext
from dataclasses import replace

import pytest
import torch
from torch import nn

import pinnkit
from pinnkit.engines import jacobian as tested
from pinnkit.engines.evaluator import Evaluator
from pinnkit.engines.jacobian import Jacobian, Linearisation
from pinnkit.engines.unsupported import EngineUnsupported
from pinnkit.problem.problem import Problem
from pinnkit.training.exceptions import OptimizerUnsupported
from tests.conftest import assembled
from tests.engines.evaluations import SAMPLING, weights_of
from tests.engines.test_evaluator import NAMES, Residual, rich, shipped

ENGINES = ["autograd", "jets"]
SMALL = {"network": {"width": 5, "depth": 2}, "sampling": SAMPLING}


def close(found, expected, tolerance):
    """To a tolerance relative to the largest entry, which is not 0."""
    size = float(expected.abs().max())
    return size > 0 and found.shape == expected.shape and float((found - expected).abs().max()) <= tolerance * size


def assert_consistent(jacobian, batches, weights):
    """All that a linearisation computes agrees with itself, and with the evaluator's objective and gradient."""
    evaluator = jacobian.evaluator
    losses, gradient = evaluator(evaluator.prepare(batches), weights)
    found = jacobian.at([jacobian.prepare(batches)], weights)
    r, rows = found.rows()
    gram, half = found.gram()
    assert close(found.residuals(), r, 1e-12)
    assert float(r @ r) == pytest.approx(float(torch.dot(weights, losses)), rel=1e-12)
    assert close(2 * rows.T @ r, gradient, 1e-10)
    assert close(2 * half, gradient, 1e-10)
    assert close(gram, rows.T @ rows, 1e-12)
    assert torch.equal(gram, gram.T)
    assert found.rows_shape() == tuple(rows.shape) == (len(r), len(gradient))
    vector = torch.sin(torch.arange(len(gradient), dtype=torch.float64) + 1)
    assert close(found.product(vector), gram @ vector, 1e-10)
    jacobian.verify(batches, weights)
    return gram, half


def definition(module, batches, weights):
    """r and J by the module's own residuals, a row at a time: by group, point and term."""
    trained = list(module.model.trainable().values())
    residuals, rows, scales = [], [], iter(weights.tolist())
    for name, group in module.groups.items():
        batch = batches[name]
        parts = [one * math.sqrt(next(scales) / len(batch)) for one in module.residuals(name, batch).values()]
        assert len(parts) == len(group.terms)
        residuals.append(torch.cat(parts, 1).flatten())
    r = torch.cat(residuals)
    for one in r:
        parts = torch.autograd.grad(one, trained, retain_graph=True, allow_unused=True, materialize_grads=True)
        rows.append(torch.cat([part.flatten() for part in parts]))
    return r.detach(), torch.stack(rows)


LIKE_OTHERS = ("advection", "allen_cahn", "disk", "kdv", "lotka_volterra", "burgers")
"""Problems whose words others have too."""


@pytest.mark.parametrize(
    ("name", "engine"),
    [
        pytest.param(name, ENGINES[number % len(ENGINES)], marks=[pytest.mark.slow] * (name in LIKE_OTHERS))
        for number, name in enumerate(NAMES)
    ],
)
def test_agrees_with_the_gradient_for_every_shipped_problem(name, engine, recorded):
    module, batches = assembled(shipped(name), {**SMALL, "network": {"width": 5, "depth": 1}})
    assert_consistent(Jacobian(module.make_evaluator(engine, None)), batches, weights_of(module))


@pytest.mark.parametrize("engine", ENGINES)
def test_rows_are_those_of_the_definition(engine, recorded, tmp_path):
    """Learned and fixed parameters, a residual in Python, columns, fields elsewhere, normals, one point alone."""
    module, batches = rich(tmp_path)
    weights = weights_of(module)
    jacobian = Jacobian(module.make_evaluator(engine, None))
    for _ in range(2):
        r, rows = jacobian.at([jacobian.prepare(batches)], weights).rows()
        expected_r, expected_rows = definition(module, batches, weights)
        assert close(r, expected_r, 1e-10)
        assert close(rows, expected_rows, 1e-10)
        assert rows.shape[1] == sum(one.numel() for one in module.network.parameters()) + 2
        assert float(rows[:, -2:].abs().amax(0).min()) > 0  # the learned parameters
        weights = torch.flip(weights, [0])  # neither weights nor parameters are constants of the recording
        weights[0] = 0.0
        with torch.no_grad():
            for one in module.model.trainable().values():
                one.mul_(1.2).add_(0.05)
    assert_consistent(jacobian, batches, weights)


@pytest.mark.parametrize(("engine", "workers"), [("autograd", 1), ("autograd", 3), ("jets", 3)])
def test_chunks_and_workers_change_nothing(engine, workers, recorded, monkeypatch):
    """Groups of 50, 7 and of 2 points in chunks of at most 16: some of them are padding alone."""
    module, batches = assembled(shipped("heat_inverse"), {**SMALL, "sampling": {"equations": 50, "conditions": 7}})
    batches["samples"] = batches["samples"].take(slice(0, 2))
    weights = weights_of(module)
    whole = Jacobian(module.make_evaluator(engine, None))
    assert len(whole.prepare(batches).chunks) == 1
    expected = whole.at([whole.prepare(batches)], weights).gram()
    monkeypatch.setattr(tested, "JACOBIAN_BYTES", 1)
    module.computation.threads = workers
    cut = Jacobian(module.make_evaluator(engine, None))
    together = engine == "jets" and workers == 3
    assert cut.evaluator.workers.count == (3 if together else 1)
    assert len(cut.prepare(batches).chunks) == (6 if together else 4)
    found = assert_consistent(cut, batches, weights)
    for one, other in zip(found, expected, strict=True):
        assert close(one, other, 1e-12)
    again = cut.at([cut.prepare(batches)], weights).gram()
    assert all(torch.equal(one, other) for one, other in zip(again, found, strict=True))


def test_chunks_follow_the_number_of_parameters_and_terms(tmp_path, monkeypatch):
    module, batches = rich(tmp_path, equations=100)
    jacobian = Jacobian(module.make_evaluator("autograd", None))
    row = 8 * jacobian.size
    monkeypatch.setattr(tested, "JACOBIAN_BYTES", 3 * 20 * row)  # three equations at 20 points
    assert len(jacobian.prepare(batches).chunks) == 5
    monkeypatch.setattr(tested, "JACOBIAN_BYTES", 3 * 50 * row)
    assert len(jacobian.prepare(batches).chunks) == 2


@pytest.mark.parametrize("engine", ENGINES)
def test_other_points_need_no_other_recording_and_frozen_parameters_no_column(engine, recorded):
    network = Residual(2, 1)
    network.first.weight.requires_grad_(False)
    module, batches = assembled(shipped("heat"), {"sampling": SAMPLING}, network)
    jacobian = Jacobian(module.make_evaluator(engine, None))
    assert jacobian.size == 6 + 42 + 7
    for factor in (1.0, 0.9):
        moved = {name: replace(one, coordinates=one.coordinates * factor) for name, one in batches.items()}
        _, rows = jacobian.at([jacobian.prepare(moved)], weights_of(module)).rows()
        assert close(rows, definition(module, moved, weights_of(module))[1], 1e-10)
    assert len(jacobian.compiled) == 1


@pytest.mark.slow
def test_compiled_rows_and_products_are_those_without_the_compiler():
    module, batches = assembled(shipped("heat"), SMALL)
    found = {}
    for engine in ENGINES:
        jacobian = Jacobian(module.make_evaluator(engine, None))
        at = jacobian.at([jacobian.prepare(batches)], weights_of(module))
        found[engine] = (*at.rows(), at.product(torch.ones(jacobian.size, dtype=torch.float64)))
        compiled = [isinstance(one, torch.fx.GraphModule) for one in jacobian.compiled.values()]
        assert compiled == [engine == "autograd"] * 2  # else the test compares nothing
    for one, other in zip(found["jets"], found["autograd"], strict=True):
        assert close(one, other, 1e-12)


# ------------------------------------------------------------ what has no Jacobian point by point


class Centred(nn.Module):
    """Its values depend on all points together."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.inner = nn.Sequential(nn.Linear(2, 6), nn.Tanh(), nn.Linear(6, 1))

    def forward(self, points):
        values = self.inner(points)
        return values - values.mean(0)


def mixing(kind, heat_words):
    """A problem and a network, one of which mixes points."""
    if kind == "network":
        return Problem(**heat_words), Centred()
    del heat_words["exact"]
    return Problem(**{**heat_words, "equations": {"heat": lambda p: p.u_t - p.u_t.mean()}}), None


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", ["residual", "network"])
def test_what_mixes_points_is_refused_with_the_reason(kind, engine, heat_words, recorded):
    problem, network = mixing(kind, heat_words)
    module, batches = assembled(problem, SMALL, network)
    with pytest.raises(EngineUnsupported, match=r"mixes points|no rule for aten\.mean\.dim over the points"):
        Jacobian(module.make_evaluator(engine, None)).verify(batches, weights_of(module))


@pytest.mark.parametrize("kind", ["residual", "network"])
def test_a_run_that_mixes_points_ends_with_the_reason(kind, heat_words, quick, tmp_path):
    problem, network = mixing(kind, heat_words)
    settings = {**quick, "phases": None, "optimizer": "gauss_newton", "operators": {"engine": "autograd"}}
    with pytest.raises(
        OptimizerUnsupported, match=r"gauss_newton needs .* point by point.*Take ssbroyden, lbfgs, soap or adam"
    ):
        pinnkit.solve(problem, tmp_path, settings, network=network)
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["status"] == "failed"
    assert "mixes points" in metrics["reason"]


@pytest.mark.parametrize(("error", "fits"), [(3e-7, True), (1e-2, False)])
def test_the_gradient_is_compared_by_the_size_of_its_terms(error, fits, heat_words, monkeypatch):
    """Near a solution the terms cancel: rounding is a large part of what is left, and no difference of method."""
    module, batches = assembled(heat_words, SMALL)
    jacobian, weights = Jacobian(module.make_evaluator("autograd", None)), torch.ones(3)
    r, rows = torch.tensor([1.0, -1.0 + 1e-5]), torch.ones(2, 1)
    monkeypatch.setattr(Linearisation, "rows", lambda self: (r, rows))
    monkeypatch.setattr(Evaluator, "__call__", lambda *_: (None, 2 * rows.T @ r + error))
    with (
        nullcontext()
        if fits
        else pytest.raises(EngineUnsupported, match="of its terms from that of all points at once")
    ):
        jacobian.verify(batches, weights)
