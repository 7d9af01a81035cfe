"""Shares of points, whose parts add up to what one process computes."""

import pytest
import torch

from pinnkit.training.evaluator import Evaluator
from pinnkit.training.ranks import Ranks
from tests.conftest import assembled


@pytest.mark.parametrize("count", [2, 3, 7])
def test_shares_are_disjoint_and_their_union_is_all(count, heat_words, quick):
    _, batches = assembled(heat_words, quick)
    points = batches["equations"].coordinates
    parts = [Ranks(rank, count).share(batches)["equations"] for rank in range(count)]
    assert len({len(part) for part in parts}) == 1  # of one shape on every rank
    own = [part.coordinates[part.shares[:, 0] > 0] for part in parts]
    assert sum(map(len, own)) == len(points)
    for rank, part in enumerate(own):
        assert torch.equal(part, points[rank::count])


@pytest.mark.parametrize("count", [2, 5, 30])  # 30: more ranks than some conditions have points
def test_losses_and_gradients_of_the_shares_add_up(count, heat_words, quick):
    heat_words["conditions"]["start"] = {"at": {"x": 0, "t": 0}, "equations": "u = 0"}
    module, batches = assembled(heat_words, quick)
    evaluator = Evaluator(module.model, tuple(module.groups.values()), "autograd", 8)
    weights = torch.arange(1.0, 1.0 + len(module.terms), dtype=torch.float64)
    losses, gradient = evaluator(evaluator.prepare(batches), weights)
    parts = [evaluator(evaluator.prepare(Ranks(rank, count).share(batches)), weights) for rank in range(count)]
    torch.testing.assert_close(sum(one for one, _ in parts), losses, rtol=1e-13, atol=1e-15)
    torch.testing.assert_close(sum(one for _, one in parts), gradient, rtol=1e-12, atol=1e-14)


def test_values_of_the_shares_come_back_in_the_order_of_the_points(monkeypatch):
    values = torch.arange(11.0)
    everyone = [values[Ranks(rank, 4).own(11)] for rank in range(4)]
    monkeypatch.setattr(Ranks, "gathered", lambda self, own: everyone)
    assert torch.equal(Ranks(2, 4).put_together(everyone[2], 11), values)
