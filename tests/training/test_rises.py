"""Rises of the objective by more than a factor 100: training goes back, takes more points, and says so."""

import json
import math

import pytest
import torch

from pinnkit.optimizers.state_check import InvalidStateError
from pinnkit.problem.problem import Problem
from pinnkit.runs.solve import solve
from pinnkit.sampling.settings import SAMPLERS
from pinnkit.training.checkpoint_reader import read
from pinnkit.training.counters import Counters
from pinnkit.training.divergence import lost, rose
from pinnkit.training.loop import Loop
from pinnkit.training.module import PINN
from pinnkit.training.rises import Rise, check_rises, doublings, loaded_rises, saved_rises
from pinnkit.training.stopping import Stopping
from tests.runs.small import DECAY, QUICK

COUNT = 20
SETTINGS = {
    **QUICK,
    "sampling": {"equations": COUNT, "redraw_every": 10},
    "trainer": {"max_steps": 40, "steps_per_batch": 5},
    "checkpoint": {"every_steps": 10},
}


@pytest.mark.parametrize(
    ("objective", "fresh", "first", "least", "risen", "gone"),
    [
        (99.0, 1.0, 1e9, 1.0, False, False),
        (101.0, 1.0, 1e9, 1.0, True, False),
        (101.0, 2.0, 3.0, 1.0, False, True),  # above the first value, and 100 times the least
        (101.0, math.inf, 3.0, 1.0, False, False),  # the first on points of another density
        (2.0, 1e-9, 3.0, 1e-9, True, False),
        (1e9, math.inf, math.nan, math.inf, False, False),
    ],
)
def test_a_rise_is_one_by_100_from_the_points_before_or_above_the_first_value(
    objective, fresh, first, least, risen, gone
):
    counters = Counters(fresh_objective=fresh, first_objective=first, least_objective=least)
    assert (rose(objective, counters), lost(objective, counters)) == (risen, gone)


class Spike:
    """The residual of u' = -u with a term that is `height` on the points of the draws from `draw` on."""

    def __init__(self, height, draw=2):
        self.height, self.draw, self.drawn = height, draw, 0

    def __call__(self, p):
        return p.u_t + p.u + (self.height if self.drawn >= self.draw else 0.0)


@pytest.fixture
def spiked(monkeypatch):
    """(problem, spike, counts): a problem whose objective rises at a draw, and the points of each block of steps."""
    spike, counts, run = Spike(100.0), [], Loop.run

    def watched(self, block, *arguments):
        spike.drawn = block.draw
        counts.append(len(block.batches["equations"].coordinates))
        run(self, block, *arguments)

    monkeypatch.setattr(Loop, "run", watched)
    words = {key: value for key, value in DECAY.items() if key != "exact"}
    return Problem(**{**words, "equations": {"decay": spike}}), spike, counts


def test_training_goes_back_from_a_rise_and_takes_more_points(spiked, tmp_path, monkeypatch):
    problem, spike, counts = spiked
    start = PINN.on_train_start

    def helped(self):
        if self.rolled_back:
            spike.height = 0.0
        start(self)

    monkeypatch.setattr(PINN, "on_train_start", helped)
    found = solve(problem, tmp_path, SETTINGS)
    (rise,) = found.metrics["rises"]
    assert (found.status, rise["step"], rise["back_to"]) == ("finished", 25, 10)
    assert rise["factor"] > 100
    assert set(counts[:5]) == {COUNT}  # draws 0, 1, and the first block of draw 2
    assert set(counts[-4:]) == {2 * COUNT}
    assert (
        "twice as many points of the equations from the next draw on; it rose by a factor"
        in (tmp_path / "train.log").read_text()
    )
    assert f"up to a factor {rise['factor']:.2g}, and training went back" in found.metrics["verdict_text"]
    assert json.loads((tmp_path / "metrics.json").read_text())["rises"] == found.metrics["rises"]


def test_a_rise_that_stays_is_lost_where_the_objective_is_above_its_first_value(spiked, tmp_path):
    problem, _, counts = spiked
    with pytest.raises(Exception, match=r"3 times training went back and took smaller steps and more points, in vain"):
        solve(problem, tmp_path, SETTINGS)
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert (metrics["status"], [one["back_to"] for one in metrics["rises"]]) == ("diverged", [10, 10, 10])
    assert max(counts) == 4 * COUNT  # no more than twice doubled


def test_training_goes_on_after_rises_below_the_first_value(spiked, tmp_path):
    problem, spike, _ = spiked
    spike.height = 0.5
    settings = {**SETTINGS, "trainer": {"max_steps": 50, "steps_per_batch": 5}}
    settings["sampling"] = {"equations": COUNT, "redraw_every": 20}
    found = solve(problem, tmp_path, settings)
    assert found.status == "finished"
    assert found.module.progress.rollbacks == 3
    assert [one["back_to"] is None for one in found.metrics["rises"]] == [False, False, False, True]
    assert "training went back 3 times before, and goes on" in (tmp_path / "train.log").read_text()


def test_a_run_that_went_back_resumes_to_the_bit(spiked, tmp_path, monkeypatch):
    problem, spike, _ = spiked
    spike.height = 0.5
    settings = {**SETTINGS, "trainer": {"max_steps": 50, "steps_per_batch": 5}}
    settings["sampling"] = {"equations": COUNT, "redraw_every": 20}
    through = solve(problem, tmp_path / "through", settings)
    look = Stopping.before_block

    def stopped(self):
        if self.state.progress.step == 45 and len(self.state.rises) == 4:
            self.request_stop("enough")
        look(self)

    with monkeypatch.context() as patch:
        patch.setattr(Stopping, "before_block", stopped)
        solve(problem, tmp_path / "parts", settings)
    resumed = solve(problem, tmp_path / "parts", settings, resume=True)
    assert resumed.metrics["rises"] == through.metrics["rises"]
    assert resumed.metrics["steps"] == 50
    for one, other in zip(resumed.module.parameters(), through.module.parameters(), strict=True):
        assert torch.equal(one, other)


def test_training_goes_back_from_a_rise_where_a_stage_begins(tmp_path):
    phases = [{"name": "ssbroyden", "steps": 30}, {"name": "adam", "learning_rate": 1.0, "warmup": 0}]
    settings = {**SETTINGS, "phases": phases, "sampling": {"equations": COUNT, "redraw_every": None}}
    found = solve(Problem(**DECAY), tmp_path, settings)
    assert [one["back_to"] for one in found.metrics["rises"]] == [30, 30, 30, None]


def test_checkpoints_of_former_versions_are_read(tmp_path):
    settings = {**SETTINGS, "trainer": {"max_steps": 15}}
    solve(Problem(**DECAY), tmp_path, settings)
    path = tmp_path / "checkpoints" / "last.ckpt"
    content = read(path)
    del content["progress"]["fresh_objective"], content["progress"]["stage_objective"]
    torch.save(content, path)
    assert solve(Problem(**DECAY), tmp_path, settings, resume=True).metrics["steps"] == 15


def test_rises_are_kept_as_plain_data():
    rises = [Rise(10, 1e3, 5), Rise(20, 200.0)]
    assert loaded_rises(saved_rises(rises)) == rises
    assert [doublings(rises * count) for count in (0, 1, 2, 3)] == [0, 1, 2, 2]
    check_rises(saved_rises(rises))
    check_rises(None)


@pytest.mark.parametrize(
    ("saved", "told"),
    [
        ("high", "rises: is no list"),
        ([{"step": 1}], r"rises\[0\]: is not whole"),
        ([{"step": -1, "factor": 2.0, "back_to": None}], r"rises\[0\]: -1, None are no counts"),
        ([{"step": 1, "factor": "much", "back_to": None}], r"rises\[0\].factor: 'much' is no number"),
    ],
)
def test_rises_that_are_none_are_damage(saved, told):
    with pytest.raises(InvalidStateError, match=told):
        check_rises(saved)


@pytest.mark.parametrize("dimension", [1, 2])
def test_denser_points_are_so_many_times_as_many(dimension):
    usual = SAMPLERS["sobol"]()
    denser = usual.denser(2, dimension)
    assert usual.denser(1, dimension) is usual
    assert denser.count(dimension) == 2 * usual.count(dimension)
    assert [denser.count_by_residual(dimension, draw) for draw in (0, 50)] == [
        2 * usual.count_by_residual(dimension, draw) for draw in (0, 50)
    ]
    assert denser.of_condition == usual.of_condition
    assert denser.fresh_points().equations == 2 * usual.fresh_points().equations
