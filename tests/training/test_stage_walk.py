"""The walk through stages of one problem: what goes over to the next, and steps that shorten at the end."""

import pytest

from pinnkit.optimizers.schedule import settling_factor
from pinnkit.problem.problem import Problem
from pinnkit.runs.solve import solve
from pinnkit.training.step import OptimizerStep
from pinnkit.training.stopping import Stopping


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
    monkeypatch.setattr(Stopping, "asked", lambda self: "enough" if len(shares) == 20 else None)
    sampling = {**quick["sampling"], "batch": 20, "conditions": 10}
    solve(Problem(**heat_words), tmp_path, quick | {"phases": chosen, "trainer": limits, "sampling": sampling})
    count = limits.get("max_steps", 20)
    expected = [1.0 if began is None or at < began else settling_factor(at - began) for at in range(count)]
    if len(chosen) > 1:  # 10 steps of a phase, and 5 of Adam
        expected[10:] = [None] * 5
    assert shares == expected
