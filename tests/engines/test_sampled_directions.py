"""Laplacians estimated from sampled directions."""

import itertools
import math

import pytest
import torch

from tests.conftest import assembled
from tests.engines.evaluations import CLOSE, SAMPLING, assert_same, definition, weights_of

SPACE = {
    "coordinates": {name: [0, 1] for name in "abcde"},
    "fields": ["u"],
    "equations": {"poisson": "laplacian(u) + u^2 = sin(a)*b"},
    "conditions": {"face": {"at": "a = 0", "equations": "u = b"}},
}


def in_five(directions, words=SPACE, **coordinates):
    words = {**words, "coordinates": {**words["coordinates"], **coordinates}}
    small = {"network": {"width": 4, "depth": 2, "activation": "sin"}, "sampling": {"equations": 10, "conditions": 4}}
    return assembled(words, {**small, "operators": {"directions": directions}})


def along(axes, d=5):
    """Scaled unit vectors along these axes, as the evaluator draws them in d coordinates."""
    rows = torch.zeros(len(axes), d, dtype=torch.float64)
    for row, axis in enumerate(axes):
        rows[row, axis] = math.sqrt(5 / len(axes))
    return rows


def test_the_mean_over_all_pairs_of_samples_is_exact_and_that_of_one_used_twice_is_not(unrecorded):
    module, batches = in_five(2)
    expected = definition(module, batches, weights_of(module))
    samples = [along(axes) for axes in itertools.combinations(range(5), 2)]
    for engine in ("autograd", "jets"):
        evaluator = module.make_evaluator(engine, None)
        arguments = evaluator.prepare(batches), weights_of(module)
        pairs = [evaluator(*arguments, pair) for pair in itertools.product(samples, repeat=2)]
        mean = [torch.stack(ones).mean(dim=0) for ones in zip(*pairs, strict=True)]
        assert_same(mean, expected, 1e-12)
        twice = [evaluator(*arguments, (one, one)) for one in samples]
        biased = torch.stack([losses for losses, _ in twice]).mean(dim=0)
        spread = torch.stack([losses for losses, _ in twice]).std(dim=0)
        assert float(biased[0] - expected[0][0]) > 0.05 * float(expected[0][0])
        assert float(spread[0]) > 0
        torch.testing.assert_close(biased[1], expected[0][1], rtol=1e-12, atol=0)


def test_drawn_directions_give_an_unbiased_estimate():
    """Over many steps: the mean stays within a few standard errors of the exact losses and gradient."""
    module, batches = in_five(2)
    expected = definition(module, batches, weights_of(module))
    evaluator = module.make_evaluator("autograd", None)
    prepared = evaluator.prepare(batches)
    count = 800
    found = [evaluator(prepared, weights_of(module), evaluator.draw_directions(3, step)) for step in range(count)]
    for values, exact in zip((torch.stack(ones) for ones in zip(*found, strict=True)), expected, strict=True):
        spread = values.std(dim=0) / math.sqrt(count)
        miss = (values.mean(dim=0) - exact).abs()
        varying = spread > 1e-12
        assert bool(varying.any())
        assert float((miss[varying] / spread[varying]).max()) < 4.5
        assert float((miss[varying] / spread[varying]).square().mean()) < 4.0
        assert float(miss[~varying].sum()) < 1e-10


def test_directions_are_a_function_of_seed_and_step():
    module, _ = in_five(2, t=[0, 1])
    evaluator = module.make_evaluator("autograd", None)
    first, second = evaluator.draw_directions(0, 7)
    assert first.shape == second.shape == (2, 6)
    again = module.make_evaluator("jets", 3).draw_directions(0, 7)
    assert torch.equal(again[0], first)
    assert torch.equal(again[1], second)
    counts = torch.zeros(5, 5)
    for step in range(600):
        one, other = (draw[:, :5].abs().sum(dim=0) > 0 for draw in evaluator.draw_directions(0, step))
        assert int(one.sum()) == int(other.sum()) == 2
        counts += torch.outer(one.float(), other.float())
    # each pair of axes, one of either sample, has the probability (2/5)^2: the samples are independent
    torch.testing.assert_close(counts / 600, torch.full((5, 5), 0.16), rtol=0, atol=4 * math.sqrt(0.16 * 0.84 / 600))
    draws = [torch.cat(evaluator.draw_directions(0, step)) for step in range(600)]
    mean = 5 * torch.stack([draw.T @ draw for draw in draws]).mean(dim=0) / 10  # of v v', summed over two samples
    torch.testing.assert_close(mean[:5, :5], torch.eye(5, dtype=torch.float64), rtol=0, atol=0.15)
    assert float(mean[5].abs().max()) == 0.0  # never along t
    assert not torch.equal(torch.cat(evaluator.draw_directions(1, 7)), torch.cat([first, second]))


@pytest.mark.parametrize("engine", ["compiled", "jets"])
def test_recorded_engines_estimate_the_same_with_the_same_directions(engine, recorded):
    module, batches = in_five(2)
    evaluator = module.make_evaluator(engine, 4)
    plain = module.make_evaluator("autograd", None)
    for step in range(2):
        directions = evaluator.draw_directions(0, step)
        expected = plain(plain.prepare(batches), weights_of(module), directions)
        assert_same(evaluator(evaluator.prepare(batches), weights_of(module), directions), expected, CLOSE)
    assert len(recorded) == 1  # directions are inputs of the recording


@pytest.mark.parametrize(
    ("directions", "equation"),
    [(None, "laplacian(u) + u^2 = sin(a)*b"), (5, "laplacian(u) = u"), (2, "u_aa + u_bb + u_a = u"), (2, "u_a = u")],
)
def test_without_a_large_laplacian_everything_is_exact(directions, equation, unrecorded):
    module, batches = in_five(directions, {**SPACE, "equations": {"poisson": equation}})
    expected = definition(module, batches, weights_of(module))
    for engine in ("autograd", "jets"):
        evaluator = module.make_evaluator(engine, None)
        assert evaluator.draw_directions(0, 0) == []
        assert_same(evaluator(evaluator.prepare(batches), weights_of(module)), expected, 1e-12)


def test_threads_share_the_chunks_on_a_cpu_alone(heat_words):
    module, _ = assembled(heat_words, {"sampling": SAMPLING})
    module.computation.threads = 4
    assert module.make_evaluator("jets", None).workers.count == 4
    assert module.to("meta").make_evaluator("jets", None).workers.count == 1
