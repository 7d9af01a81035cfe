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
from pinnkit.training.module import PINN
from pinnkit.training.settings import Trainer
from pinnkit.training.stages import Stage
from tests.conftest import assembled


def test_blocks_cover_the_steps_of_a_draw():
    blocks = StepBlocks({}, draw=3, steps=25, length=10)
    assert [blocks[index].steps for index in range(len(blocks))] == [10, 10, 5]
    assert {blocks[index].draw for index in range(len(blocks))} == {3}


def without_limit(problem, sampling):
    data = CollocationData(problem, sampling, 0, torch.float64, 10)
    data.trainer = SimpleNamespace(lightning_module=SimpleNamespace(limits=Trainer()))
    return data


def trained_points(heat_words, quick, tmp_path, monkeypatch, resume=False, **sampling):
    """The points of the equations in each call of training_step, and the draws that they belong to."""
    seen = []
    original = PINN.training_step

    def watched(self, block, batch_idx):
        seen.append((block.draw, block.batches[EQUATIONS].coordinates.clone()))
        return original(self, block, batch_idx)

    settings = {**quick, "sampling": {**quick["sampling"], **sampling}}
    with monkeypatch.context() as patch:
        patch.setattr(PINN, "training_step", watched)
        solution = solve(Problem(**heat_words), tmp_path, settings, resume=resume)
    return seen, solution


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


@pytest.mark.parametrize(("scored", "chunk"), [(7, None), (7, 100), (8192, 7)])
def test_the_score_of_a_group_is_the_root_of_its_weighted_squares(scored, chunk, heat_words, monkeypatch):
    heat_words["conditions"]["ends"] |= {"equations": ["u_n = 1", "u = 0"], "weight": 4}
    settings = {"sampling": {"equations": 100, "conditions": 30}, "operators": {"chunk": chunk}}
    module, batches = assembled(heat_words, settings)
    monkeypatch.setattr("pinnkit.training.diagnostics.SCORED", scored)
    residuals = module.values.residuals
    for name, batch in batches.items():
        weights = {"heat": 1.0, "initial": 1.0, "ends_1": 4.0, "ends_2": 4.0}
        squares = [weights[term] * r.square() for term, r in residuals(name, batch).items()]
        sizes = []

        def watched(group, part, sizes=sizes):
            sizes.append(len(part))
            return residuals(group, part)

        monkeypatch.setattr(module.values, "residuals", watched)
        torch.testing.assert_close(module.score(name, batch), sum(squares).sqrt()[:, 0])
        assert max(sizes) == 7


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


def in_training(problem, sampling, score):
    """The data beside as much of a module as it asks for."""
    module = SimpleNamespace(
        limits=Trainer(),
        progress=Counters(),
        stages=[Stage(Adam())],
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
