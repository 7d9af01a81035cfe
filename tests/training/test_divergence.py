"""An objective that explodes is divergence: it is found, told, and gone back from; one that jumps is not."""

import json
import math
import weakref

import numpy as np
import pytest
import torch

from pinnkit.optimizers.quasi_newton import QuasiNewton
from pinnkit.problem.problem import Problem
from pinnkit.runs.solve import solve
from pinnkit.sampling.points import equation_points
from pinnkit.sampling.sequences.sobol import Sobol as Sampling
from pinnkit.training.checkpoint_reader import read
from pinnkit.training.counters import Counters
from pinnkit.training.divergence import exploded
from pinnkit.training.exceptions import Diverged
from pinnkit.training.loop import Loop
from pinnkit.training.module import PINN
from pinnkit.training.stopping import Stopping
from tests.conftest import assembled
from tests.runs.small import QUICK, solved

COUNT = 100


@pytest.mark.parametrize(
    ("objective", "first", "least", "expected"),
    [
        (9e5, 3.0, 1.0, False),
        (2e6, 3.0, 1.0, True),
        (2.9, 3.0, 1e-9, False),  # no more than at the start: the solution is lost, and may come back
        (3.1, 3.0, 1e-9, True),
        (3.1, 3.0, math.inf, False),  # no other points have been seen yet
        (1e30, math.nan, 1.0, False),  # a checkpoint that does not hold the first value
    ],
)
def test_an_objective_has_exploded_above_its_first_value_and_a_million_times_its_least(
    objective, first, least, expected
):
    assert exploded(objective, Counters(first_objective=first, least_objective=least)) is expected


def unseen_before(words, draw):
    """A point (2,) of a draw, and the square of its distance to the nearest point of the draws before it."""
    draws = [
        equation_points(Problem(**words), Sampling(equations=COUNT), 0, one).coordinates for one in range(draw + 1)
    ]
    before = np.concatenate(draws[:-1])
    squares = ((draws[-1][:, None] - before[None]) ** 2).sum(2).min(1)
    return draws[-1][squares.argmax()], squares.max()


@pytest.fixture
def spiked(heat_words, quick, monkeypatch):
    """(words, settings, point, spike): a heat equation with a peak, spike["height"] high, at a point of draw 2."""
    monkeypatch.setattr("pinnkit.training.rises.DOUBLINGS", 0)  # more points would find it in the draws before
    (x, t), square = unseen_before(heat_words, 2)
    spike = {"height": 1e6}

    def residual(p):
        peak = torch.exp(-60.0 * ((p.x - x) ** 2 + (p.t - t) ** 2) / square)  # 1e-26 where points have been before
        return p.u_t - p.alpha * p.u_xx + spike["height"] * peak

    words = {**heat_words, "equations": {"heat": residual}}
    del words["exact"]
    settings = {
        **quick,
        "operators": {"engine": "autograd"},
        "sampling": {"equations": COUNT, "conditions": 20, "redraw_every": 25, "residual_power": 0.0},
        "trainer": {"max_steps": 70},
        "checkpoint": {"every_steps": 25},
    }
    return words, settings, (x, t), spike


def test_an_objective_that_explodes_at_a_redraw_is_divergence(spiked, tmp_path):
    """Found where the points are new, in the weights of the draw before: training goes back to where that began."""
    words, settings, (x, t), _ = spiked
    told = rf"at step 60: the objective rose from \d\S* to \S+; .*'heat' is \S+ at x = {x:.6g}, t = {t:.6g}"
    with pytest.raises(Diverged, match=told) as caught:
        solve(Problem(**words), tmp_path, settings)
    assert "3 times training went back" in str(caught.value)
    assert caught.value.points[0] == pytest.approx({"x": x, "t": t})
    assert (tmp_path / "train.log").read_text().count("back to step 25") == 3
    assert json.loads((tmp_path / "metrics.json").read_text())["status"] == "diverged"


def test_training_goes_on_where_going_back_has_helped(spiked, tmp_path, monkeypatch):
    words, settings, _, spike = spiked
    start, best = PINN.on_train_start, []

    def helped(self):
        if self.rolled_back:
            spike["height"] = 0.0
            best.append((tmp_path / "checkpoints" / "best.ckpt").exists())
        start(self)

    monkeypatch.setattr(PINN, "on_train_start", helped)
    found = solve(Problem(**words), tmp_path, settings)
    assert (found.status, found.metrics["steps"]) == ("finished", 70)
    assert found.module.progress.rollbacks == 1
    assert best == [False]  # it was of step 50, which has been given up
    assert read(tmp_path / "checkpoints" / "best.ckpt")["progress"]["step"] >= 50


def test_a_jump_of_the_objective_is_no_divergence(spiked, tmp_path, monkeypatch):
    words, settings, _, spike = spiked
    spike["height"] = 25.0  # at one of 100 points: 6 in the mean
    seen = []
    look = Loop.sync_metrics

    def watched(self, batches, before):
        first = self.divergence.first
        if first is not None:
            seen.append(float(first))
        return look(self, batches, before)

    monkeypatch.setattr(Loop, "sync_metrics", watched)
    assert solve(Problem(**words), tmp_path, settings).status == "finished"
    assert 10 * seen[1] < seen[2] < 100 * seen[1]
    assert len(seen) == 3  # no draw was trained again


def test_the_last_points_are_not_believed(spiked, tmp_path):
    """A run that ends before the draw that would show the explosion looks at its points."""
    words, settings, _, _ = spiked
    with pytest.raises(Diverged, match=r"at step 50: the objective rose from \d\S* to \S+;"):
        solve(Problem(**words), tmp_path, {**settings, "trainer": {"max_steps": 50}})


@pytest.mark.parametrize("error", [MemoryError(), torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("other")])
def test_a_run_is_not_lost_where_memory_is_too_small_to_look_at_other_points(
    error, heat_words, quick, tmp_path, monkeypatch
):
    looking = []

    def residual(p):
        if looking:
            raise error
        return p.u_t - p.alpha * p.u_xx

    def looks(self, unseen):
        looking.append(True)
        try:
            look(self, unseen)
        finally:
            looking.clear()

    look = Loop.check_unseen_points
    monkeypatch.setattr(Loop, "check_unseen_points", looks)
    words = {**heat_words, "equations": {"heat": residual}}
    del words["exact"]
    settings = {**quick, "operators": {"engine": "autograd"}, "trainer": {"max_steps": 3}}
    if str(error) == "other":
        with pytest.raises(RuntimeError, match="other"):
            solve(Problem(**words), tmp_path, settings)
        return
    assert solve(Problem(**words), tmp_path, settings).status == "finished"
    assert "memory is too small to look. Set operators.chunk" in (tmp_path / "train.log").read_text()


def test_what_an_explosion_consists_of_is_found_in_parts_whose_graphs_are_let_go(heat_words):
    settings = {"sampling": {"equations": 100, "conditions": 30}, "operators": {"chunk": 7}}
    module, batches = assembled(heat_words, settings)
    residuals, seen, alive = module.values.residuals, [], []

    def watched(group, part):
        assert len(part) <= 7
        alive.append(sum(one() is not None for one in seen))
        found = residuals(group, part)
        seen.extend(weakref.ref(one) for one in found.values())
        return found

    module.values.residuals = watched
    expected = max(
        (float(one.detach().abs().max()), term) for term, one in residuals("equations", batches["equations"]).items()
    )
    told = module.divergence.explosion({"equations": batches["equations"]}, 1.0, new=False)
    assert (told.term, abs(told.values[0])) == (expected[1], pytest.approx(expected[0]))
    assert len(alive) == 15
    assert max(alive) <= 1


def test_a_run_that_stops_between_a_draw_and_its_first_step_learns_as_much_when_it_goes_on(tmp_path, monkeypatch):
    settings = {**QUICK, "trainer": {"max_steps": 12}, "checkpoint": {"every_steps": 100}}
    settings["sampling"] = {"equations": 20, "redraw_every": 6}
    through = solved(tmp_path / "through", settings=settings).module.progress
    first_look = Stopping.before_block

    def stopped(self):
        if self.state.progress.step == 6:
            self.request_stop("enough")
        first_look(self)

    with monkeypatch.context() as patch:
        patch.setattr(Stopping, "before_block", stopped)
        solved(tmp_path / "parts", settings=settings)
    assert read(tmp_path / "parts" / "checkpoints" / "last.ckpt")["progress"]["step"] == 6
    resumed = solved(tmp_path / "parts", settings=settings, resume=True).module.progress
    keys = ("step", "draw", "evaluations", "least_objective", "sound")
    assert {key: getattr(resumed, key) for key in keys} == {key: getattr(through, key) for key in keys}
    assert through.sound == 6


def test_a_resumed_run_knows_what_the_objective_has_been(spiked, tmp_path):
    words, settings, _, spike = spiked
    spike["height"] = 0.0
    solve(Problem(**words), tmp_path, {**settings, "trainer": {"max_steps": 50}})
    least = read(tmp_path / "checkpoints" / "last.ckpt")["progress"]["least_objective"]
    spike["height"] = 1e6
    with pytest.raises(Diverged) as caught:
        solve(Problem(**words), tmp_path, settings, resume=True)
    assert caught.value.rose[0] == least


@pytest.mark.parametrize("name", ["ssbroyden", "lbfgs"])
def test_a_gradient_that_is_missing_at_all_trials_is_divergence(name, heat_words, quick, tmp_path, monkeypatch):
    """The loss stays finite: a line search walks back from it, and would end as at a minimum."""
    monkeypatch.setattr("pinnkit.runs.recovery.ROLLBACKS", 0)
    searching, search = [], QuasiNewton._search

    def watched(self, *arguments):
        searching.append(True)
        return search(self, *arguments)

    def residual(p):
        edge = (p.x > 0.9) & bool(searching)
        return p.u_t - p.alpha * p.u_xx + 0.0 * torch.where(edge, p.u - p.u.detach(), torch.ones_like(p.u)).sqrt()

    monkeypatch.setattr(QuasiNewton, "_search", watched)
    words = {**heat_words, "equations": {"heat": residual}}
    del words["exact"]
    settings = {**quick, "phases": [name], "operators": {"engine": "autograd"}}
    with pytest.raises(Diverged, match=r"the term 'heat \(its gradient\)' is nan at x = 0\.9"):
        solve(Problem(**words), tmp_path, settings)
