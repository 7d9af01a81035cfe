"""Points as Lightning's data: draws, blocks, and redraws by residual that do reach the batches."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from pinnkit.optimizers.methods.adam import Adam
from pinnkit.problem.problem import Problem
from pinnkit.runs.solve import solve
from pinnkit.sampling.points import EQUATIONS, equation_points
from pinnkit.sampling.sequences.sobol import Sobol as Sampling
from pinnkit.training.blocks import StepBlocks
from pinnkit.training.counters import Counters
from pinnkit.training.datamodule import CollocationData
from pinnkit.training.distributed import Ranks
from pinnkit.training.settings import Trainer
from pinnkit.training.stages import Stage
from pinnkit.training.weights import WeightState
from tests.training.draws import trained_points


def test_blocks_cover_the_steps_of_a_draw():
    blocks = StepBlocks({}, draw=3, steps=25, length=10)
    assert [blocks[index].steps for index in range(len(blocks))] == [10, 10, 5]
    assert {blocks[index].draw for index in range(len(blocks))} == {3}


@pytest.mark.parametrize("first", range(0, 12, 3))
@pytest.mark.parametrize("every", [1, 4, 7, 10, 12, 100, None])
@pytest.mark.parametrize("steps", [1, 7, 30])
def test_blocks_end_where_weights_are_updated_and_are_else_as_long_as_they_may(first, every, steps):
    blocks = StepBlocks({}, draw=3, steps=steps, length=5, first=first, every=every)
    lengths = [blocks[index].steps for index in range(len(blocks))]
    step, expected = first, []
    while step < first + steps:
        expected.append(min(5, first + steps - step, every - step % every if every else steps))
        step += expected[-1]
    assert lengths == expected


@pytest.mark.parametrize("every", [None, 1, 4, 12])
@pytest.mark.parametrize("began", [0, 3])
def test_blocks_of_a_resumed_draw_end_where_those_of_the_whole_run_end(began, every):
    def ends(first):
        blocks = StepBlocks({}, 3, began + 30 - first, 5, first=first, every=every, began=began)
        return list(first + np.cumsum([blocks[index].steps for index in range(len(blocks))]))

    for first in range(began, began + 30):
        assert ends(first) == [end for end in ends(began) if end > first]


def test_a_draw_without_end_has_its_blocks_at_once():
    assert len(StepBlocks({}, draw=0, steps=10**12, length=10, first=3, every=7)) == 1 + -(-(10**12 - 4) // 7)


def test_points_are_redrawn_on_time_and_reach_the_batches(heat_words, quick, tmp_path, monkeypatch):
    seen, _ = trained_points(heat_words, quick, tmp_path, monkeypatch, residual_power=0.0)
    assert [draw for draw, _ in seen] == [0, 0, 0, 1, 1, 1, 2]  # 25 steps a draw in blocks of 10, 60 steps in all
    problem = Problem(**heat_words)
    for draw, points in seen:
        expected = equation_points(problem, Sampling(equations=100), 0, draw).coordinates
        np.testing.assert_array_equal(points.numpy(), expected)


def test_fixed_points_stay(heat_words, quick, tmp_path, monkeypatch):
    seen, _ = trained_points(heat_words, quick, tmp_path, monkeypatch, redraw_every=None)
    assert all(torch.equal(points, seen[0][1]) for _, points in seen)


@pytest.mark.parametrize(
    ("max_time", "trained", "step_time", "late"),
    [
        (100.0, 74.0, 1.0, False),  # 25 steps of a second are to come, and 26 are left
        (100.0, 76.0, 1.0, True),
        (100.0, 76.0, 0.9, False),
        (None, 76.0, 9.0, False),  # without `max_time` the clock has no say
    ],
)
def test_it_is_too_late_for_new_points_when_a_draw_does_not_fit(heat_words, max_time, trained, step_time, late):
    class Two(Ranks):
        def any(self, flag, device):
            asked.append(flag)
            return flag or other_is_late

    module = SimpleNamespace(
        limits=Trainer(max_time=max_time),
        progress=Counters(train_time_s=trained, step_time_s=step_time),
        ranks=Two(0, 2),
        device="cpu",
    )
    data = CollocationData(Problem(**heat_words), Sampling(), 0, torch.float64, 10)
    data.trainer = SimpleNamespace(lightning_module=module)
    timed = max_time is not None
    asked, other_is_late = [], True
    assert data._too_late(25) is False  # there are no points yet
    data.drawn = 3
    assert data._too_late(25) is timed
    other_is_late = False
    assert data._too_late(25) is late
    assert asked == ([late, late] if timed else [])


@pytest.mark.parametrize(
    ("max_time", "trained", "followed"), [(100.0, 49.0, True), (100.0, 51.0, False), (None, 99.0, True)]
)
def test_a_group_begins_to_follow_its_residual_in_the_first_half_of_the_time(heat_words, max_time, trained, followed):
    module = SimpleNamespace(
        limits=Trainer(max_time=max_time), progress=Counters(train_time_s=trained), ranks=Ranks(0, 1), device="cpu"
    )
    module.score = lambda group, batch: (batch.coordinates[:, 0] > 0.9).double()  # a twentieth of the rod
    data = CollocationData(Problem(**heat_words), Sampling(), 0, torch.float64, 10)
    data.trainer = SimpleNamespace(lightning_module=module)
    data.draw(0)
    assert data.by_residual == set()
    data.draw(1)
    assert data.by_residual == ({EQUATIONS, "initial"} if followed else set())
    module.progress.train_time_s = 99.0
    data.draw(2)  # once begun it goes on
    gathered = float((data.sets[EQUATIONS].coordinates[:, 0] > 0.9).mean())
    assert (gathered > 0.3) is followed


def test_points_stay_once_it_is_too_late_also_in_a_resumed_run(heat_words, quick, tmp_path, monkeypatch):
    quick["trainer"]["max_time"] = 600.0
    seen, solution = trained_points(heat_words, quick, tmp_path / "a", monkeypatch)
    assert [draw for draw, _ in seen] == [0, 0, 0, 1, 1, 1, 2]
    assert 0 < solution.module.progress.step_time_s < solution.metrics["train_time_s"]  # of one step, not of 60
    monkeypatch.setattr(CollocationData, "_too_late", lambda self, period: self.drawn is not None)
    seen, _ = trained_points(heat_words, quick, tmp_path / "b", monkeypatch)
    quick["trainer"]["max_steps"] = 110
    resumed, _ = trained_points(heat_words, quick, tmp_path / "b", monkeypatch, resume=True)
    assert {draw for draw, _ in seen + resumed} == {0}
    assert all(torch.equal(points, seen[0][1]) for _, points in seen + resumed)


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


def in_training(problem, sampling, score):
    """The data beside as much of a module as it asks for."""
    module = SimpleNamespace(
        limits=Trainer(),
        progress=Counters(),
        stages=[Stage(Adam())],
        state=SimpleNamespace(weights=WeightState({}), rises=[]),
        ranks=Ranks(0, 1),
        device="cpu",
        score=score,
    )
    data = CollocationData(problem, sampling, 0, torch.float64, 10)
    data.trainer = SimpleNamespace(lightning_module=module)
    return data


def steps_on(data):
    """The draw that the data are at, and how many steps it goes on for."""
    blocks = list(data.train_dataloader())
    assert {block.draw for block in blocks} == {data.drawn}
    return data.drawn, sum(block.steps for block in blocks)


@pytest.mark.parametrize("gathered", [True, False])
def test_points_by_residual_stay_longer_and_become_more(heat_words, monkeypatch, gathered):
    def score(group, batch):
        x = batch.coordinates[:, 0]
        return (x > 0.9).double() if gathered else torch.ones_like(x)

    monkeypatch.setattr(Sampling, "count", lambda self, dimension: 16)
    monkeypatch.setattr("pinnkit.sampling.settings.CONDITIONS", 8)
    data = in_training(Problem(**heat_words), Sampling(redraw_every=30), score)
    seen, counts, progress = [], {}, data.trainer.lightning_module.progress
    while progress.step < 90 * 30:
        draw, steps = steps_on(data)
        assert draw == progress.step // 30  # named by where it begins
        seen.append(draw)
        counts[draw] = (len(data.sets[EQUATIONS]), len(data.sets["initial"]))
        progress.step += steps
    if not gathered:
        assert seen == list(range(90))
        assert set(counts.values()) == {(16, 8)}
        return
    assert seen == [*range(40), *range(40, 60, 2), *range(60, 81, 3), 81, 85, 89]
    for draw, found in counts.items():
        times = 1 if draw < 40 else 2 if draw < 80 else 4
        assert found == ((32 * times, 8 * times) if draw else (16, 8))


@pytest.mark.parametrize("begun", [40, 41])
def test_a_run_resumed_within_a_long_draw_goes_on_with_its_points(heat_words, begun):
    """Also where the residual is gathered for the first time in the second half of what would have been one draw."""
    sampling = Sampling(equations=40, conditions=8, redraw_every=30)
    scores = {"now": torch.ones_like}

    def score(group, batch):
        return scores["now"](batch.coordinates[:, 0])

    data = in_training(Problem(**heat_words), sampling, score)
    for draw in range(begun + 1):
        if draw == begun:
            scores["now"] = lambda x: (x > 0.9).double()
        data.trainer.lightning_module.progress.step = 30 * draw
        assert steps_on(data) == (draw, 30)
    assert EQUATIONS in data.by_residual
    for step, left in ((41 * 30 + 20, 10), (42 * 30 - 1, 1)):
        resumed = in_training(Problem(**heat_words), sampling, score)
        resumed.load_state_dict(data.state_dict())
        resumed.trainer.lightning_module.progress.step = step
        assert steps_on(resumed) == (begun, left)
        for name, points in data.sets.items():
            np.testing.assert_array_equal(resumed.sets[name].coordinates, points.coordinates)
    resumed.trainer.lightning_module.progress.step = 42 * 30
    assert steps_on(resumed) == (42, 60)
    assert not np.array_equal(resumed.sets[EQUATIONS].coordinates, data.sets[EQUATIONS].coordinates)
