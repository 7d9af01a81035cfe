"""RAR-D and R3 on points and residuals of a few numbers, and in the training of a run."""

import itertools

import numpy as np
import pytest
import torch

import pinnkit
from pinnkit.problem.problem import Problem
from pinnkit.sampling.point_set import PointSet
from pinnkit.sampling.points import EQUATIONS, equation_points
from pinnkit.sampling.r3 import evolved
from pinnkit.sampling.rar_d import refined
from pinnkit.sampling.sequences.sobol import Sobol
from pinnkit.training.datamodule import CollocationData
from pinnkit.training.module import PINN
from tests.training.draws import trained_points
from tests.training.test_redraw import without_limit

KEY = (0, "a", 1)


def line(*numbers):
    """Points on a line."""
    return PointSet(np.array(numbers, dtype=float)[:, None])


def numbers(points):
    return points.coordinates[:, 0].tolist()


def test_rar_d_keeps_the_first_points_and_lets_the_oldest_of_those_it_added_go():
    """Three points of the start, at most four added, two in a redraw: those where the residual is not zero."""
    points = line(0.1, 0.2, 0.3)
    pool, residual = line(1.0, 2.0, 3.0, 4.0), np.array([0.0, -5.0, 0.0, 5.0])
    for times, added in enumerate([[2, 4], [2, 4, 12, 14], [12, 14, 22, 24]]):
        shifted = pool.mapped(lambda one, times=times: one + 10 * times)
        points = refined(points, 3, shifted, residual, 2, 4, 2.0, 0.0, KEY)
        assert numbers(points) == [0.1, 0.2, 0.3, *added]


def test_rar_d_adds_by_its_density():
    """|r|^2 / mean |r|^2 + 1 of 1, 1, 3, 3 is 1.2, 1.2, 2.8, 2.8: one point lies among the last two with 0.7."""
    pool, residual = line(1, 2, 3, 4), np.array([1.0, -1.0, 3.0, -3.0])
    found = [numbers(refined(line(0), 1, pool, residual, 1, 1, 2.0, 1.0, (0, "a", draw)))[-1] for draw in range(1000)]
    assert np.mean(np.array(found) > 2) == pytest.approx(0.7, abs=0.05)


def test_r3_retains_what_is_above_the_mean_and_draws_the_rest_anew():
    """Sizes 1, 2, 3, 6 have the mean 3: the last one alone stays, and 3 of 3 to 5 points are new."""
    residual = {10.0: 1.0, 20.0: -2.0, 30.0: 3.0, 40.0: -6.0}

    def score(points):
        return np.array([residual[one] for one in numbers(points)])

    pool = line(*range(8))
    found = numbers(evolved(line(10, 20, 30, 40), score, pool, 4, KEY))
    assert found[0] == 40.0
    assert len(set(found)) == 4
    assert set(found[1:]) < set(range(8))
    first = sorted(numbers(evolved(None, score, pool, 4, KEY)))
    assert all(2 * place <= one < 2 * (place + 1) for place, one in enumerate(first))  # one of each pair: evenly


def test_r3_draws_all_anew_where_no_residual_is_above_the_others():
    found = numbers(evolved(line(10, 20), lambda points: np.ones(2), line(*range(4)), 2, KEY))
    assert set(found) < set(range(4))


def bump(self, group, batch):
    """In the place of the residual: large near x = 0.5."""
    return torch.exp(-(((batch.coordinates[:, 0] - 0.5) / 0.05) ** 2))


def test_points_are_added_in_training_where_the_residual_is(heat_words, quick, tmp_path, monkeypatch):
    monkeypatch.setattr(PINN, "score", bump)
    quick |= {"trainer": {"max_steps": 10, "steps_per_batch": 2}, "polish": False}
    words = {"redraw": "rar_d", "redraw_every": 2, "added": 0.1, "added_most": 0.3}
    seen, _ = trained_points(heat_words, quick, tmp_path, monkeypatch, **words)
    first = equation_points(Problem(**heat_words), Sobol(equations=100), 0, 0).coordinates
    assert [len(points) for _, points in seen] == [100, 110, 120, 130, 130]
    for _, points in seen:
        np.testing.assert_array_equal(points[:100].numpy(), first)
        assert bool(((points[100:, 0] - 0.5).abs() < 0.15).all())
    assert torch.equal(seen[3][1][110:], seen[4][1][100:120])  # the ten oldest of the added have gone


def test_points_of_large_residual_stay_in_training_and_others_are_new(heat_words, quick, tmp_path, monkeypatch):
    monkeypatch.setattr(PINN, "score", bump)
    quick |= {"trainer": {"max_steps": 8, "steps_per_batch": 2}, "polish": False}
    seen, _ = trained_points(heat_words, quick, tmp_path, monkeypatch, redraw="r3", redraw_every=2)
    for (_, before), (_, after) in itertools.pairwise(seen):
        size = bump(None, EQUATIONS, PointSet(before))
        large = before[size > size.mean()]
        assert 5 < len(large) < 50
        assert torch.equal(after[: len(large)], large)
        stayed = (after[len(large) :, None] == before).all(dim=2).any(dim=1)
        assert not stayed.any()
        assert len(after) == 100


@pytest.mark.parametrize("redraw", ["rar_d", "r3"])
def test_points_that_stay_outlive_a_resume(heat_words, monkeypatch, redraw):
    def drawn(*draws, state=None):
        data = without_limit(Problem(**heat_words), Sobol(equations=40, conditions=10, redraw=redraw))
        if state is not None:
            data.load_state_dict(state)
        for draw in draws:
            data.draw(draw)
        return data

    monkeypatch.setattr(CollocationData, "_scores", lambda self, name, points: 2 + points.coordinates[:, 0] ** 3)
    whole, resumed = drawn(0, 1, 2, 3, 4), drawn(3, 4, state=drawn(0, 1, 2).state_dict())
    assert whole.by_residual == resumed.by_residual == {EQUATIONS, "initial", "ends"}
    for name, points in whole.sets.items():
        np.testing.assert_array_equal(points.coordinates, resumed.sets[name].coordinates)


def test_a_resumed_run_goes_on_to_the_bit_by_mini_batches_and_all_points(heat_words, quick, tmp_path):
    """Interrupted within a draw, in the second stage, with points that were added in the first."""
    quick["sampling"] |= {"redraw": "rar_d", "redraw_every": 4, "equations": 40, "conditions": 10, "batch": 11}
    quick["phases"] = [{"name": "adam", "steps": 6}, {"name": "ssbroyden"}]
    quick |= {"polish": False, "reference": "none"}

    def trained(name, steps, **options):
        quick["trainer"] = {"max_steps": steps}
        module = pinnkit.solve(Problem(**heat_words), tmp_path / name, quick, **options).module
        return module.state_dict(), module.trainer.datamodule.batches()[EQUATIONS].coordinates

    state, points = trained("whole", 10)
    trained("parts", 7)
    again, same = trained("parts", 10, resume=True)
    assert all(torch.equal(again[name], one) for name, one in state.items())
    assert torch.equal(same, points)
    assert len(points) == 60


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"method": "grid"}, r"sampling\.redraw: is r3, and sampling\.method=grid leaves no redraws by residual"),
        ({"redraw_every": None}, r"sampling\.redraw: is r3, and sampling\.redraw_every=null leaves"),
        ({"residual_power": 0.0}, r"sampling\.redraw: is r3, and sampling\.residual_power=0 leaves"),
    ],
)
def test_methods_of_redraws_are_refused_where_there_are_none(heat_words, tmp_path, words, told):
    with pytest.raises(pinnkit.ProblemError, match=told):
        pinnkit.solve(Problem(**heat_words), tmp_path, {"sampling": {"redraw": "r3", **words}})


def test_the_density_of_rar_d_is_that_of_its_paper_unless_it_is_given():
    assert (Sobol().power(0), Sobol().power(80), Sobol().floor) == (0.5, 0.75, 1.0)
    usual = Sobol(redraw="rar_d")
    assert (usual.power(0), usual.power(80), usual.floor) == (2.0, 2.0, 0.0)
    given = Sobol(redraw="rar_d", residual_power=1.0, residual_floor=0.5)
    assert (given.power(0), given.power(80), given.floor) == (1.0, 1.0, 0.5)
