"""Mini-batches of the equations' points, and methods with points of their own in each step."""

import pytest
import torch

from pinnkit.language.errors import Report
from pinnkit.problem.problem import Problem
from pinnkit.runs.factory import assemble
from pinnkit.runs.solve import solve
from pinnkit.settings import read_settings
from pinnkit.training.minibatch import MiniBatches
from pinnkit.training.step import OptimizerStep


def module_of(words, settings=None):
    report = Report()
    read = read_settings(settings or {}, report)
    report.raise_if_any()
    module, data = assemble(Problem(**words), read)
    data.draw(0)
    return module, data


def test_a_mini_batch_is_a_part_of_the_points_and_changes_the_trajectory(heat_words, quick, tmp_path):
    _, data = module_of(heat_words, {**quick, "sampling": {**quick["sampling"], "batch": 30}})
    whole = data.batches()
    rows = {tuple(row) for row in whole["equations"].coordinates.tolist()}
    seen = []
    for step in range(3):  # 100 points in batches of 30: three of them are a round without repetition
        thinned = MiniBatches(30, seed=0).at(step, whole)
        assert len(thinned["equations"]) == 30
        assert thinned["ends"] is whole["ends"]
        seen += [tuple(row) for row in thinned["equations"].coordinates.tolist()]
    assert len(set(seen)) == 90
    assert set(seen) <= rows
    losses = {}
    for batch in (None, 30):
        settings = {**quick, "phases": ["adam"], "sampling": {**quick["sampling"], "batch": batch}}
        losses[batch] = solve(Problem(**heat_words), tmp_path / str(batch), settings).metrics["loss"]
    assert losses[None] != losses[30]


def test_quasi_newton_phases_take_all_points_and_say_so(heat_words, quick, tmp_path):
    losses = []
    for batch in (None, 30):
        settings = {**quick, "phases": ["ssbroyden"], "sampling": {**quick["sampling"], "batch": batch}}
        losses.append(solve(Problem(**heat_words), tmp_path / str(batch), settings).metrics["loss"])
    assert losses[0] == losses[1]
    assert "changes nothing" not in (tmp_path / "None" / "train.log").read_text()
    assert "sampling.batch=30 changes nothing here" in (tmp_path / "30" / "train.log").read_text()


def test_spring_has_new_points_in_each_step_and_the_phase_after_it_those_of_a_draw(heat_words, quick, tmp_path):
    quick |= {"phases": [{"name": "spring", "steps": 3}, "ssbroyden"], "trainer": {"max_steps": 5}}
    seen = []
    step = OptimizerStep.take

    def watched(self, optimizer, batches, weights):
        seen.append({name: batch.coordinates.clone() for name, batch in batches.items()})
        step(self, optimizer, batches, weights)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(OptimizerStep, "take", watched)
        solve(
            Problem(**heat_words), tmp_path, quick | {"sampling": {**quick["sampling"], "batch": 40, "conditions": 60}}
        )
    assert [len(one["equations"]) for one in seen] == [40, 40, 40, 100, 100]
    assert [len(one["initial"]) for one in seen] == [40, 40, 40, 60, 60]
    for earlier, later in ((0, 1), (1, 2)):
        for name in seen[0]:
            assert not torch.equal(seen[earlier][name], seen[later][name])
    assert torch.equal(seen[3]["equations"], seen[4]["equations"])
