"""Shares of points, whose parts add up to what one process computes."""

from types import SimpleNamespace

import pytest
import torch

from pinnkit.engines.evaluator import Evaluator
from pinnkit.training.distributed import Ranks
from tests.conftest import assembled


@pytest.mark.parametrize("count", [2, 3, 7])
def test_shares_are_disjoint_and_their_union_is_all(count, heat_words, quick):
    _, batches = assembled(heat_words, quick)
    points = batches["equations"].coordinates
    parts = [Ranks(rank, count).share(batches)[0]["equations"] for rank in range(count)]
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
    parts = [evaluator(evaluator.prepare(Ranks(rank, count).share(batches)[0]), weights) for rank in range(count)]
    torch.testing.assert_close(sum(one for one, _ in parts), losses, rtol=1e-13, atol=1e-15)
    torch.testing.assert_close(sum(one for _, one in parts), gradient, rtol=1e-12, atol=1e-14)


def together(monkeypatch, count, shards, work):
    """What work(ranks) gives on each of so many ranks, which gather tensors by running up to there on every one."""
    ranks = [Ranks(rank, count, shards) for rank in range(count)]
    said = {}

    def first(self, tensor):
        said[self.rank] = tensor
        raise StopIteration

    with monkeypatch.context() as patch:
        patch.setattr(Ranks, "gathered", first)
        for one in ranks:
            with pytest.raises(StopIteration):
                work(one)
    monkeypatch.setattr(Ranks, "gathered", lambda self, tensor: [said[rank] for rank in range(count)])
    return [work(one) for one in ranks]


@pytest.mark.parametrize(("count", "shards"), [(4, None), (2, 8), (4, 8), (8, 8)])
def test_values_of_the_shares_come_back_in_the_order_of_the_points(count, shards, monkeypatch):
    values = torch.arange(43.0)
    for found in together(
        monkeypatch, count, shards, lambda ranks: ranks.interleaved([values[index] for index in ranks.own(43)], 43)
    ):
        assert torch.equal(found, values)


@pytest.mark.parametrize("count", [1, 2, 4, 8])
def test_sums_and_rows_of_eight_shards_are_the_same_to_the_bit_on_any_ranks(count, monkeypatch):
    numbers = torch.randn(8, 50, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    def total(ranks):
        own = [numbers[shard] for shard in range(ranks.rank, 8, ranks.count)]
        matrix, vector = ranks.total([(one[:20].view(4, 5), one[20:]) for one in own])
        return torch.cat((matrix.flatten(), vector))

    def rows(ranks):
        return ranks.rows(torch.cat([numbers[shard] for shard in range(ranks.rank, 8, ranks.count)]))

    s = numbers
    tree = ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]))
    assert not torch.equal(tree, s.sum(0))  # another order gives other last digits
    for found in [total(Ranks(0, 1, 8))] if count == 1 else together(monkeypatch, count, 8, total):
        assert torch.equal(found, tree)
    for found in [rows(Ranks(0, 1, 8))] if count == 1 else together(monkeypatch, count, 8, rows):
        assert torch.equal(found, numbers.flatten())


def test_shards_that_the_ranks_cannot_share_are_refused():
    with pytest.raises(ValueError, match="4 shards cannot be shared by 3 processes"):
        Ranks(0, 3, 4)


@pytest.mark.parametrize("engine", ["autograd", "compiled"])
def test_sharded_losses_are_the_same_on_any_number_of_threads(engine, heat_words, quick, recorded):
    module, batches = assembled(heat_words, quick)
    weights = torch.arange(1.0, 1.0 + len(module.terms), dtype=torch.float64)
    whole = Evaluator(module.model, tuple(module.groups.values()), "autograd", 8)
    found = []
    for threads in (1, 3):
        evaluator = Evaluator(module.model, tuple(module.groups.values()), engine, 8, 7, None, threads, sharded=True)
        shards = [evaluator.prepare(shard) for shard in Ranks(0, 1, 4).share(batches)]
        assert [len(shard.chunks) for shard in shards] == [4] * 4  # 25 points of the equations, 7 at once
        found.append(Ranks(0, 1, 4).total(evaluator.each(shards, weights)))
        with evaluator.threading():
            assert torch.get_num_threads() == 1
    for one, other, expected in zip(*found, whole(whole.prepare(batches), weights), strict=True):
        assert torch.equal(one, other)
        torch.testing.assert_close(one, expected, rtol=1e-12, atol=1e-14)


def test_all_ranks_factorise_on_as_many_threads_as_the_first_and_shards_on_one(heat_words, quick):
    quick["phases"] = ["gauss_newton"]
    module, _ = assembled(heat_words, quick)
    module.computation.threads = 5
    assert module.configure_optimizers()[0]._threads == 5
    module.state.ranks = Ranks(1, 2)
    module._trainer = SimpleNamespace(strategy=SimpleNamespace(broadcast=lambda own: {5: 3}[own]))
    assert module.configure_optimizers()[0]._threads == 3
    quick["trainer"]["shards"] = 4
    sharded, _ = assembled(heat_words, quick)
    sharded.computation.threads = 5
    assert sharded.configure_optimizers()[0]._threads == 1
