"""Points as Lightning's data: draws, segments, and redraws by residual that do reach the batches."""

import numpy as np
import pytest
import torch

from pinnkit.problem.problem import Problem
from pinnkit.sampling.points import EQUATIONS, equation_points
from pinnkit.sampling.settings import Sampling
from pinnkit.solve import solve
from pinnkit.training.datamodule import CollocationData, Segments
from pinnkit.training.module import PINN


def test_segments_cover_the_steps_of_a_draw():
    segments = Segments({}, draw=3, steps=25, length=10)
    assert [segments[index].steps for index in range(len(segments))] == [10, 10, 5]
    assert {segments[index].draw for index in range(len(segments))} == {3}


def trained_points(heat_words, quick, tmp_path, monkeypatch, **sampling):
    """The points of the equations in each call of training_step, and the draws that they belong to."""
    seen = []
    original = PINN.training_step

    def watched(self, segment, batch_idx):
        seen.append((segment.draw, segment.batches[EQUATIONS].coordinates.clone()))
        return original(self, segment, batch_idx)

    settings = {**quick, "sampling": {**quick["sampling"], **sampling}}
    with monkeypatch.context() as patch:
        patch.setattr(PINN, "training_step", watched)
        solution = solve(Problem(**heat_words), tmp_path, settings)
    return seen, solution


def test_points_are_redrawn_on_time_and_reach_the_batches(heat_words, quick, tmp_path, monkeypatch):
    seen, _ = trained_points(heat_words, quick, tmp_path, monkeypatch, residual_power=0.0)
    assert [draw for draw, _ in seen] == [0, 0, 0, 1, 1, 1, 2]  # 25 steps a draw in segments of 10, 60 steps in all
    problem = Problem(**heat_words)
    for draw, points in seen:
        expected = equation_points(problem, Sampling(equations=100), 0, draw).coordinates
        np.testing.assert_array_equal(points.numpy(), expected)


def test_fixed_points_stay(heat_words, quick, tmp_path, monkeypatch):
    seen, _ = trained_points(heat_words, quick, tmp_path, monkeypatch, redraw_every=None)
    assert all(torch.equal(points, seen[0][1]) for _, points in seen)


def test_a_redraw_by_residual_moves_points_to_where_the_residual_is(heat_words, quick, tmp_path, monkeypatch):
    """The network's residual is replaced by a bump at x = 0.5: redrawn points gather there, as the density says."""

    def bump(self, points):
        return torch.exp(-(((points[:, 0] - 0.5) / 0.05) ** 2))

    monkeypatch.setattr(PINN, "score", bump)
    sampling = {"equations": 400, "residual_floor": 0.0, "residual_keep": 0.0, "pool": 40}
    seen, _ = trained_points(heat_words, quick, tmp_path, monkeypatch, **sampling)
    near = [float(((points[:, 0] - 0.5).abs() < 0.15).double().mean()) for _, points in seen]
    assert near[0] == pytest.approx(0.15, abs=0.02)  # 0.3 of a range of 2
    assert min(near[3:]) > 0.6


def test_a_redraw_changes_the_trajectory_and_the_optimizer_looks_again(heat_words, quick, tmp_path, monkeypatch):
    _, still = trained_points(heat_words, quick, tmp_path / "a", monkeypatch, redraw_every=None)
    _, moving = trained_points(heat_words, quick, tmp_path / "b", monkeypatch)
    assert still.metrics["loss"] != moving.metrics["loss"]
    rows = {}
    for name, every in (("still", None), ("moving", 30)):
        settings = {**quick, "phases": ["ssbroyden"], "trainer": {"max_steps": 31}}
        settings["sampling"] = {**quick["sampling"], "redraw_every": every}
        rows[name] = solve(Problem(**heat_words), tmp_path / name, settings).metrics["evaluations"]
    assert rows["moving"] > rows["still"]  # the loss at the same weights but new points is computed anew


def test_redraws_are_the_same_in_a_second_run(heat_words, quick, tmp_path, monkeypatch):
    first, _ = trained_points(heat_words, quick, tmp_path / "a", monkeypatch)
    second, _ = trained_points(heat_words, quick, tmp_path / "b", monkeypatch)
    assert all(torch.equal(a, b) for (_, a), (_, b) in zip(first, second, strict=True))
    quick["seed"] = 1
    third, _ = trained_points(heat_words, quick, tmp_path / "c", monkeypatch)
    assert not torch.equal(first[0][1], third[0][1])


def test_state_holds_the_points(heat_words):
    data = CollocationData(Problem(**heat_words), Sampling(equations=50), 0, torch.float64, 10)
    data.draw(0)
    state = data.state_dict()
    other = CollocationData(Problem(**heat_words), Sampling(equations=50), 5, torch.float64, 10)
    other.load_state_dict(state)
    assert torch.equal(other.batches()[EQUATIONS].coordinates, data.batches()[EQUATIONS].coordinates)


def test_a_residual_that_is_spread_keeps_the_points_of_the_sequence(heat_words, quick, tmp_path, monkeypatch):
    monkeypatch.setattr(PINN, "score", lambda self, points: 1 + torch.sin(9 * points[:, 0]) ** 2)
    seen, _ = trained_points(heat_words, quick, tmp_path, monkeypatch)
    for draw, points in seen:
        expected = equation_points(Problem(**heat_words), Sampling(equations=100), 0, draw).coordinates
        np.testing.assert_array_equal(points.numpy(), expected)


def test_more_points_are_drawn_where_the_residual_is_concentrated(heat_words, quick, tmp_path, monkeypatch):
    monkeypatch.setattr(PINN, "score", lambda self, points: torch.exp(-(((points[:, 0] - 0.5) / 0.05) ** 2)))
    monkeypatch.setattr(Sampling, "count", lambda self, dimension: self.equations or 64)
    seen, _ = trained_points(heat_words, quick, tmp_path, monkeypatch, equations=None)
    assert [len(points) for _, points in seen] == [64] * 3 + [128] * 4


@pytest.mark.parametrize("keep", [0.0, 0.75])
def test_a_share_of_the_points_stays_at_a_redraw_by_residual_also_after_a_resume(heat_words, monkeypatch, keep):
    def bump(self, points):
        return np.exp(-(((points.coordinates[:, 0] - 0.5) / 0.05) ** 2))

    monkeypatch.setattr(CollocationData, "_scores", bump)
    sampling = Sampling(equations=400, residual_keep=keep)

    def data():
        return CollocationData(Problem(**heat_words), sampling, 0, torch.float64, 10)

    def points(of):
        return of.batches()[EQUATIONS].coordinates.numpy()

    through = data()
    through.draw(0)
    for draw in range(1, 4):
        before, resumed = points(through), data()
        resumed.load_state_dict(through.state_dict())
        through.draw(draw)
        resumed.draw(draw)
        np.testing.assert_array_equal(points(resumed), points(through))
        assert len(points(through)) == 400
        stayed = (points(through)[:, None] == before).all(axis=2).any(axis=1)
        assert stayed.sum() == round(keep * 400)
        near = np.abs(points(through)[~stayed][:, 0] - 0.5) < 0.15
        assert near.mean() > 0.5  # half by the bump, half by the floor, of which a seventh lies there too


def test_points_stay_by_residual_once_they_have_been(heat_words, quick, tmp_path, monkeypatch):
    """A residual that is gathered at the first redraw, and spread from then on, also in a resumed run."""
    asked = []

    def score(self, points):
        asked.append(len(points))  # the first time whether the residual is concentrated, at 100 points
        bump = torch.exp(-(((points[:, 0] - 0.5) / 0.05) ** 2))
        return bump if len(asked) <= 2 else torch.ones(len(points), dtype=points.dtype)

    monkeypatch.setattr(PINN, "score", score)
    seen, _ = trained_points(heat_words, quick, tmp_path, monkeypatch, redraw_every=20)
    sequence = [
        equation_points(Problem(**heat_words), Sampling(equations=100), 0, draw).coordinates for draw in range(3)
    ]
    same = [np.array_equal(points.numpy(), sequence[draw]) for draw, points in seen]
    assert same == [True, True, False, False, False, False]
    assert asked == [100, 800, 800]
    quick |= {"trainer": {"max_steps": 80}, "sampling": {**quick["sampling"], "redraw_every": 20}}
    points = solve(Problem(**heat_words), tmp_path, quick, resume=True).module.trainer.datamodule.sets[EQUATIONS]
    assert asked == [100, 800, 800, 800]
    assert not np.array_equal(
        points.coordinates, equation_points(Problem(**heat_words), Sampling(equations=100), 0, 3).coordinates
    )
