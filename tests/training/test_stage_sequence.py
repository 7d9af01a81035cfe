"""The sequence of stages of one problem: what goes over to the next, and steps that shorten at the end."""

from types import SimpleNamespace

import pytest

from pinnkit.optimizers.methods.adam import Adam
from pinnkit.optimizers.methods.self_scaled import SSBroyden
from pinnkit.optimizers.schedule import settling_factor
from pinnkit.problem.problem import Problem
from pinnkit.runs.solve import solve
from pinnkit.training.distributed import Ranks
from pinnkit.training.stages import Stage
from pinnkit.training.step import OptimizerStep
from pinnkit.training.stopping import Stopping
from tests.conftest import assembled


def test_phases_follow_each_other_and_both_train_what_is_learned(heat_words, quick, tmp_path):
    heat_words["parameters"] = {"alpha": {"learn": 0.5}}
    del heat_words["exact"]
    values = []
    settings = {**quick, "trainer": {"max_steps": 40, "steps_per_batch": 20}}
    for steps in (20, 40):
        settings["trainer"]["max_steps"] = steps
        solution = solve(Problem(**heat_words), tmp_path / str(steps), settings)
        values.append(solution.metrics["learned"]["alpha"]["value"])
    assert values[0] != 0.5
    assert values[1] != values[0]
    assert solution.module.progress.stage == 1
    assert solution.module.progress.stage_step == 20


def test_the_phase_that_follows_has_the_inverse_hessian_of_the_one_before(heat_words, quick, tmp_path):
    quick |= {"phases": [{"name": "ssbfgs", "steps": 20}, "ssbroyden"], "trainer": {"max_steps": 20}}
    module = solve(Problem(**heat_words), tmp_path, quick).module
    former, following = (one.optimizer.state for one in module.optimizers())
    assert ["inverse_hessian" in next(iter(state.values())) for state in (former, following)] == [False, True]


@pytest.mark.parametrize(
    ("chosen", "limits", "began"),
    [
        ([{"name": "spring"}], {"max_steps": 20}, 18),
        ([{"name": "spring", "settle": 0.5}], {"max_steps": 20}, 11),
        ([{"name": "spring", "settle": 0.0}], {"max_steps": 20}, None),
        ([{"name": "spring", "settle": 0.5}], {"max_time": 1000.0, "max_steps": 20}, 11),
        ([{"name": "spring", "settle": 0.5}], {"max_time": 1e-9}, 0),
        ([{"name": "spring", "settle": 0.3, "steps": 10}, "adam"], {"max_steps": 15}, 8),
    ],
)
def test_steps_of_spring_shorten_at_the_end_of_the_run_or_of_its_phase(
    chosen, limits, began, heat_words, quick, tmp_path, monkeypatch
):
    shares = []
    step = OptimizerStep.take

    def watched(self, optimizer, batches, weights):
        step(self, optimizer, batches, weights)
        shares.append(getattr(optimizer.optimizer, "step_factor", None))

    monkeypatch.setattr(OptimizerStep, "take", watched)
    monkeypatch.setattr(Stopping, "stop_reason", lambda self: "enough" if len(shares) == 20 else None)
    sampling = {**quick["sampling"], "batch": 20, "conditions": 10}
    solve(Problem(**heat_words), tmp_path, quick | {"phases": chosen, "trainer": limits, "sampling": sampling})
    count = limits.get("max_steps", 20)
    expected = [1.0 if began is None or at < began else settling_factor(at - began) for at in range(count)]
    if len(chosen) > 1:  # 10 steps of a phase, and 5 of Adam
        expected[10:] = [None] * 5
    assert shares == expected


def test_a_stage_ends_on_all_ranks_where_its_time_is_over_on_one(heat_words, quick):
    """They agree once in each block of steps; none ends it alone within a block."""

    class Two(Ranks):
        def first_message(self, message, device):
            asked.append(message)
            return message or "its 5 s are over"

    asked = []
    module, _ = assembled(heat_words, quick)
    state, sequence = module.state, module.loop.sequence
    state.run_stages, state.ranks = (Stage(Adam(), max_time=5.0), Stage(SSBroyden())), Two(1, 2)
    state.progress.stage_step = 4
    state.clock.start(3.0)
    assert sequence.over_before_block() == "its 5 s are over"
    state.clock.start(7.0)
    assert sequence.over_after_step(SimpleNamespace()) is None
    assert sequence.over_before_block() == "its 5 s are over"
    assert asked == [None, "its 5 s are over"]
    state.ranks = Ranks(0, 1)
    assert sequence.over_before_block() is None
    assert sequence.over_after_step(SimpleNamespace()) == "its 5 s are over"


@pytest.mark.parametrize("optimizer", ["ssbroyden", "lbfgs"])
def test_a_run_whose_optimizer_has_finished_ends_at_once_when_resumed(optimizer, heat_words, quick, tmp_path):
    phases = [{"name": optimizer, "gradient_tolerance": 0.3}]
    first = solve(Problem(**heat_words), tmp_path, {**quick, "phases": phases, "trainer": {"max_steps": 200}}).metrics
    assert first["reason"].startswith(f"{optimizer} ended: the largest entry of the gradient is ")
    settings = {**quick, "phases": phases, "trainer": {"max_steps": 300}}
    again = solve(Problem(**heat_words), tmp_path, settings, resume=True).metrics
    same = ("status", "reason", "steps", "evaluations", "loss")
    assert {key: again[key] for key in same} == {key: first[key] for key in same}


def test_a_stage_whose_steps_are_done_makes_no_more_when_resumed(heat_words, quick, tmp_path):
    settings = {**quick, "phases": [{"name": "adam", "steps": 7}], "trainer": {"max_steps": 20}}
    for resume in (False, True):
        metrics = solve(Problem(**heat_words), tmp_path, settings, resume=resume).metrics
        assert (metrics["steps"], metrics["reason"]) == (7, "adam ended: its 7 steps are done")
