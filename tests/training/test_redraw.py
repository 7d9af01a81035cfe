"""Redraws by residual: where the points go, how many they are, and that they outlive a resume."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from pinnkit.problem.problem import Problem
from pinnkit.runs.solve import solve
from pinnkit.sampling.points import EQUATIONS, equation_points
from pinnkit.sampling.sequences.sobol import Sobol as Sampling
from pinnkit.training.counters import Counters
from pinnkit.training.datamodule import CollocationData
from pinnkit.training.module import PINN
from pinnkit.training.settings import Trainer
from tests.training.draws import trained_points


def without_limit(problem, sampling):
    data = CollocationData(problem, sampling, 0, torch.float64, 10)
    data.trainer = SimpleNamespace(lightning_module=SimpleNamespace(limits=Trainer(), progress=Counters()))
    return data


def test_a_redraw_by_residual_moves_points_to_where_the_residual_is(heat_words, quick, tmp_path, monkeypatch):
    """The network's residual is replaced by a bump at x = 0.5: redrawn points gather there, as the density says."""

    def bump(self, group, batch):
        return torch.exp(-(((batch.coordinates[:, 0] - 0.5) / 0.05) ** 2))

    monkeypatch.setattr(PINN, "score", bump)
    sampling = {"equations": 400, "residual_floor": 0.0, "residual_keep": 0.0, "pool": 40}
    seen, _ = trained_points(heat_words, quick, tmp_path, monkeypatch, **sampling)
    near = [float(((points[:, 0] - 0.5).abs() < 0.15).double().mean()) for _, points in seen]
    assert near[0] == pytest.approx(0.15, abs=0.02)  # 0.3 of a range of 2
    assert min(near[3:]) > 0.6


def test_a_residual_that_is_spread_keeps_the_points_of_the_sequence(heat_words, quick, tmp_path, monkeypatch):
    monkeypatch.setattr(PINN, "score", lambda self, group, batch: 1 + torch.sin(9 * batch.coordinates[:, 0]) ** 2)
    seen, _ = trained_points(heat_words, quick, tmp_path, monkeypatch)
    for draw, points in seen:
        expected = equation_points(Problem(**heat_words), Sampling(equations=100), 0, draw).coordinates
        np.testing.assert_array_equal(points.numpy(), expected)


def test_more_points_are_drawn_where_the_residual_is_concentrated(heat_words, quick, tmp_path, monkeypatch):
    monkeypatch.setattr(
        PINN, "score", lambda self, group, batch: torch.exp(-(((batch.coordinates[:, 0] - 0.5) / 0.05) ** 2))
    )
    monkeypatch.setattr(Sampling, "count", lambda self, dimension: self.equations or 64)
    seen, _ = trained_points(heat_words, quick, tmp_path, monkeypatch, equations=None)
    assert [len(points) for _, points in seen] == [64] * 3 + [128] * 4


def test_the_power_of_the_residual_rises_once_there_are_four_times_as_many_points(heat_words, monkeypatch):
    monkeypatch.setattr(
        CollocationData, "_scores", lambda self, name, points: 1 / (0.01 + points.coordinates[:, 0] ** 2)
    )

    def points(power, draw):
        data = without_limit(Problem(**heat_words), Sampling(equations=400, residual_power=power))
        data.by_residual.add(EQUATIONS)
        data.draw(draw)
        return data.sets[EQUATIONS].coordinates

    np.testing.assert_array_equal(points(None, 79), points(0.5, 79))
    np.testing.assert_array_equal(points(None, 80), points(0.75, 80))
    near = [np.sum(np.abs(points(power, 80)[:, 0]) < 0.1) for power in (0.5, 0.75)]
    assert near[1] > 1.3 * near[0]


@pytest.mark.parametrize("keep", [0.0, 0.75])
def test_a_share_of_the_points_stays_at_a_redraw_by_residual_also_after_a_resume(heat_words, monkeypatch, keep):
    def bump(self, name, points):
        return np.exp(-(((points.coordinates[:, 0] - 0.5) / 0.05) ** 2))

    monkeypatch.setattr(CollocationData, "_scores", bump)
    sampling = Sampling(equations=400, residual_keep=keep)

    def data():
        return without_limit(Problem(**heat_words), sampling)

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


def test_points_of_a_condition_follow_its_residual_with_their_normals(monkeypatch):
    """At a kink of the boundary values at y = 0.3, and to both ends of each line; data, single points and what is even
    keep theirs."""
    problem = Problem(
        coordinates={"x": [0, 1], "y": [0, 1]},
        fields=["u"],
        equations={"laplace": "u_xx + u_yy = 0"},
        conditions={
            "flux": {"at": ["x = 0", "x = 1"], "equations": "u_n = abs(y - 0.3)"},
            "part": {"at": "x = 0", "where": "y < 0.35", "equations": "u = abs(y - 0.3)"},
            "corner": {"at": [{"x": 0, "y": 0}, "x = 1"], "equations": "u = abs(y - 0.3)"},
            "floor": {"at": "y = 0", "equations": "u = 0"},
            "seen": {"data": {"x": [0.5] * 9, "y": [0.3, *np.linspace(0.6, 0.9, 8)], "u": [0.0] * 9}},
        },
    )

    def bump(self, name, points):
        return np.exp(-(((points.coordinates[:, 1] - 0.3) / 0.02) ** 2))

    monkeypatch.setattr(CollocationData, "_scores", bump)
    through, resumed = (without_limit(problem, Sampling(equations=50, conditions=101)) for _ in range(2))
    for draw in range(4):
        through.draw(draw)
    assert through.by_residual == {EQUATIONS, "flux", "part"}
    resumed.load_state_dict(through.state_dict())
    for data in (through, resumed):
        data.draw(4)
        counts = {"flux": 100, "part": 101, "corner": 102, "floor": 101, "seen": 9, EQUATIONS: 50}
        assert {name: len(points) for name, points in data.sets.items()} == counts
        for name, share in (("flux", 0.1), ("part", 0.2)):
            y = data.sets[name].coordinates[:, 1]
            assert (np.abs(y - 0.3) < 0.05).mean() > share + 0.25  # a third are still the first, a third are even
            assert y.min() == 0.0  # where the line ends
        assert 0.3 < data.sets["part"].coordinates[:, 1].max() < 0.35
        for end in (0.0, 1.0):
            assert sorted(data.sets["flux"].coordinates[data.sets["flux"].coordinates[:, 1] == end, 0]) == [0.0, 1.0]
        x = data.sets["flux"].coordinates[:, 0]
        np.testing.assert_array_equal(data.sets["flux"].normals[:, 0], 2 * x - 1)
    for name, points in through.sets.items():
        np.testing.assert_array_equal(points.coordinates, resumed.sets[name].coordinates)
        assert points.arrays().keys() == resumed.sets[name].arrays().keys()


def test_points_stay_by_residual_once_they_have_been(heat_words, quick, tmp_path, monkeypatch):
    """A residual that is gathered at the first redraw, and spread from then on, also in a resumed run."""
    asked = []

    def score(self, group, batch):
        if group != EQUATIONS:
            return torch.ones(len(batch), dtype=torch.float64)
        asked.append(len(batch))  # the first time whether the residual is concentrated, at 100 points
        bump = torch.exp(-(((batch.coordinates[:, 0] - 0.5) / 0.05) ** 2))
        return bump if len(asked) <= 2 else torch.ones_like(bump)

    monkeypatch.setattr(PINN, "score", score)
    monkeypatch.setattr("pinnkit.training.divergence.RISE", np.inf)
    seen, _ = trained_points(heat_words, quick, tmp_path, monkeypatch, redraw_every=20)
    sequence = [
        equation_points(Problem(**heat_words), Sampling(equations=100), 0, draw).coordinates for draw in range(3)
    ]
    same = [np.array_equal(points.numpy(), sequence[draw]) for draw, points in seen]
    assert same == [True, True, False, False, False, False]
    rounds = [800, 200, 200, 200, 200]  # candidates, and four times some near them
    at_the_end = [*rounds, 100]  # on the points that would come next
    assert asked == [100, *rounds, *rounds, *at_the_end]
    quick |= {"trainer": {"max_steps": 80}, "sampling": {**quick["sampling"], "redraw_every": 20}}
    points = solve(Problem(**heat_words), tmp_path, quick, resume=True).module.trainer.datamodule.sets[EQUATIONS]
    assert asked == [100, *rounds, *rounds, *at_the_end, *rounds, *at_the_end]
    assert not np.array_equal(
        points.coordinates, equation_points(Problem(**heat_words), Sampling(equations=100), 0, 3).coordinates
    )


def test_a_draw_holds_for_fewer_of_the_dear_steps(heat_words, quick, tmp_path, monkeypatch):
    """A step along a curve counts as 25: 50 of other methods are 2 of its own, and with J'J 50 again."""
    words = {"redraw_every": 50, "equations": 30, "conditions": 10}
    quick |= {"trainer": {"max_steps": 6, "steps_per_batch": 1}, "polish": False}
    for solver, draws in (("qr", [0, 0, 1, 1, 2, 2]), ("gram", [0] * 6)):
        quick["phases"] = [{"name": "gauss_newton", "solver": solver}]
        seen, _ = trained_points(heat_words, quick, tmp_path / solver, monkeypatch, **words)
        assert [draw for draw, _ in seen] == draws
        assert torch.equal(seen[1][1], seen[2][1]) == (solver == "gram")
