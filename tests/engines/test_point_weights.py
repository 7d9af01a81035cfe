"""Weights of points and gradients of single terms: closed forms by every engine, in chunks and over ranks."""

from dataclasses import replace

import pytest
import torch

from pinnkit.engines.jacobian import Jacobian
from pinnkit.training.distributed import Ranks
from tests.engines.evaluations import weights_of
from tests.engines.test_evaluator import rich

ENGINES = ["autograd", "jets"]


@pytest.fixture(autouse=True)
def unrecorded(monkeypatch):
    """Recorded engines run their step as it is: what is computed is tested here, not the compiler."""
    monkeypatch.setattr("pinnkit.engines.evaluator.record_graph", lambda step, inputs: step)
    monkeypatch.setattr("pinnkit.engines.evaluator.compile_graph", lambda step, inputs: step)


def weighted(batches):
    """Other weights at each point, some of them zero."""
    found = {}
    for name, batch in batches.items():
        weights = torch.arange(len(batch), dtype=torch.float64)[:, None] % 3 * 0.75
        found[name] = replace(batch, weights=weights)
    return found


def by_hand(module, batches):
    """sum of weight * r^2 / n for each term."""
    losses = []
    for name, batch in batches.items():
        for residual in module.residuals(name, replace(batch, weights=None)).values():
            losses.append((batch.weights * residual**2).sum() / len(batch))
    return torch.stack(losses)


def gradients(module, losses):
    parameters = list(module.model.trainable().values())
    parts = [torch.autograd.grad(one, parameters, retain_graph=True, materialize_grads=True) for one in losses]
    return torch.stack([torch.cat([one.flatten() for one in part]) for part in parts])


def assert_close(found, expected):
    found, expected = found.detach(), expected.detach()
    assert float((found - expected).abs().max()) <= 1e-12 * float(expected.abs().max())


def in_order(module, batches):
    return {name: batches[name] for name in module.groups}


@pytest.mark.parametrize(
    ("engine", "chunk"),
    [
        ("autograd", 5),
        *(pytest.param(engine, 5, marks=pytest.mark.slow) for engine in ENGINES if engine != "autograd"),
        *(pytest.param(engine, 1000, marks=pytest.mark.slow) for engine in ENGINES),
    ],
)
def test_weights_of_points_reach_losses_gradients_and_the_jacobian(engine, chunk, tmp_path):
    module, batches = rich(tmp_path)
    batches = weighted(in_order(module, batches))
    weights = weights_of(module)
    expected = by_hand(module, batches)
    gradient = weights @ gradients(module, expected)
    evaluator = module.make_evaluator(engine, chunk)
    losses, found = evaluator(evaluator.prepare(batches), weights)
    assert_close(losses, expected)
    assert_close(found, gradient)
    jacobian = Jacobian(evaluator)
    r, rows = jacobian.at([evaluator.prepare(batches)], weights).rows()
    assert_close(r @ r, weights @ expected)
    assert_close(2 * rows.T @ r, gradient)
    assert_close(torch.stack(list(module.losses(batches).values())), expected)


@pytest.mark.parametrize("shards", [None, 4])
def test_weights_of_points_reach_every_rank_and_shard(shards, tmp_path):
    module, batches = rich(tmp_path)
    batches = weighted(in_order(module, batches))
    weights, evaluator = weights_of(module), module.make_evaluator("autograd", 5)
    parts = [part for rank in range(2) for part in Ranks(rank, 2, shards).share(batches)]
    assert_close(sum(evaluator(evaluator.prepare(part), weights)[0] for part in parts), by_hand(module, batches))


def test_weights_of_zero_and_one_are_the_mean_over_a_subset_up_to_its_size(tmp_path):
    module, batches = rich(tmp_path)
    weights, evaluator = weights_of(module), module.make_evaluator("autograd", None)
    mask = {name: (torch.arange(len(one)) % 2 == 0)[:, None] for name, one in batches.items()}
    zero_one = {name: replace(one, weights=mask[name].double()) for name, one in batches.items()}
    subset = {name: one.take(mask[name][:, 0]) for name, one in batches.items()}
    share = [len(subset[name]) / len(batches[name]) for name, group in module.groups.items() for _ in group.terms]
    found = evaluator(evaluator.prepare(zero_one), weights)[0]
    expected = evaluator(evaluator.prepare(subset), weights)[0] * torch.tensor(share, dtype=torch.float64)
    assert_close(found, expected)


def test_weights_of_points_are_in_scores_and_go_with_a_mini_batch(tmp_path):
    module, batches = rich(tmp_path)
    points = replace(batches["flux"], weights=torch.full((len(batches["flux"]), 1), 4.0, dtype=torch.float64))
    torch.testing.assert_close(module.score("flux", points), 2 * module.score("flux", batches["flux"]))
    assert_close(points.take(torch.tensor([3, 1])).factors(), torch.tensor([[2.0], [2.0]], dtype=torch.float64))


@pytest.mark.parametrize("engine", ENGINES)
def test_gradients_of_single_terms_are_those_of_their_losses(engine, tmp_path):
    module, batches = rich(tmp_path)
    weights, evaluator = weights_of(module), module.make_evaluator(engine, 5)
    expected = gradients(module, torch.stack(list(module.losses(batches).values())))
    prepared = evaluator.prepare(batches)
    ((found,),) = evaluator.term_gradients([prepared])
    assert found.shape == (len(module.terms), sum(one.numel() for one in evaluator.parameters))
    assert_close(found, expected)
    assert_close(weights @ found, evaluator(prepared, weights)[1])
    shards = [evaluator.prepare(part) for part in Ranks(0, 1, 4).share(batches)]
    (total,) = Ranks(0, 1, 4).total(evaluator.term_gradients(shards))
    assert_close(total, expected)
