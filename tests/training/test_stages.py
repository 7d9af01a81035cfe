"""Stages: each trains its own terms, on its own points, until its own limits; a resumed run knows its stage."""

import numpy as np
import pytest
import torch

from pinnkit.losses.residuals import groups
from pinnkit.optimizers.methods.adam import Adam
from pinnkit.optimizers.methods.gauss_newton import GaussNewton
from pinnkit.optimizers.methods.self_scaled import SSBroyden
from pinnkit.problem.problem import Problem
from pinnkit.runs.solve import solve
from pinnkit.sampling.points import EQUATIONS
from pinnkit.sampling.sequences.sobol import Sobol
from pinnkit.training.checkpoint_reader import read
from pinnkit.training.computation import Computation
from pinnkit.training.stages import Stage
from pinnkit.training.step import OptimizerStep
from tests.conftest import assembled

CONDITIONS = frozenset({"initial", "ends"})
FEW = Sobol(conditions=12, redraw_every=4)
FIRST = Stage(Adam(steps=7, learning_rate=0.01), terms=CONDITIONS, sampling=FEW)


@pytest.fixture
def run(heat_words, quick, monkeypatch):
    """Trains in stages; each call may go on from the last."""

    def trained(folder, stages, steps, resume=False, **settings):
        monkeypatch.setattr("pinnkit.runs.factory.stages_of", lambda settings, values=(): tuple(stages))
        common = {"trainer": {"max_steps": steps}, "operators": {"engine": "autograd"}, "phases": None}
        sampling = {"equations": 60, "conditions": 20, "redraw_every": 6}
        return solve(
            Problem(**heat_words), folder, {**quick, **common, "sampling": sampling, **settings}, resume=resume
        )

    return trained


@pytest.fixture
def seen(monkeypatch):
    """The number of points of each group in each step."""
    counts, take = [], OptimizerStep.take

    def watched(self, optimizer, batches, weights):
        counts.append({name: len(batch) for name, batch in batches.items()})
        assert [group.name for group in self.computation.evaluator.groups] == [
            group.name for group in self.computation.groups
        ]
        take(self, optimizer, batches, weights)

    monkeypatch.setattr(OptimizerStep, "take", watched)
    return counts


def test_the_first_stage_trains_the_conditions_alone_on_its_own_points(run, seen, tmp_path):
    solution = run(tmp_path, [FIRST, Stage(SSBroyden())], 20)
    assert seen[:7] == [{"initial": 12, "ends": 12}] * 7
    assert seen[7:] == [{"initial": 20, "ends": 20, EQUATIONS: 60}] * 13
    rows = read(tmp_path / "checkpoints" / "last.ckpt")["callbacks"]["Record"]["rows"]
    assert [row["step"] for row in rows if row["phase"] == 0][-1] < 8
    for row in rows:
        assert set(row["losses"]) - {"objective"} == ({*CONDITIONS, "heat"} if row["step"] > 7 else CONDITIONS)
    assert (solution.module.progress.stage, solution.module.progress.stage_step) == (1, 13)
    assert "adam ended: its 7 steps are done; ssbroyden follows" in (tmp_path / "train.log").read_text()


def test_the_equation_has_no_part_in_what_the_first_stage_trains(run, heat_words, tmp_path):
    """The weights after it do not depend on the equation."""
    found = []
    for number, equation in enumerate(("u_t = alpha * u_xx", "u_t = alpha * u_x")):
        heat_words |= {"equations": {"heat": equation}, "exact": {}}
        module = run(tmp_path / str(number), [FIRST, Stage(SSBroyden())], 7).module
        found.append([one.clone() for one in module.parameters()])
    assert all(map(torch.equal, *found))


@pytest.mark.parametrize("second", [SSBroyden(), GaussNewton()])
@pytest.mark.parametrize("stop", [5, 7, 15])
def test_a_run_that_is_resumed_in_any_stage_ends_as_the_whole_one(stop, second, run, tmp_path):
    stages = [FIRST, Stage(second)]
    whole = run(tmp_path / "whole", stages, 20)
    run(tmp_path / "parts", stages, stop)
    kept = read(tmp_path / "parts" / "checkpoints" / "last.ckpt")
    assert kept["progress"]["stage"] == (0 if stop < 7 else 1)
    parts = run(tmp_path / "parts", stages, 20, resume=True)
    for name, value in whole.module.state_dict().items():
        assert torch.equal(parts.module.state_dict()[name], value), name
    ends = [one.module.progress.state_dict() for one in (whole, parts)]
    for key in ends[0]:
        assert key.endswith("_s") or ends[0][key] == ends[1][key], key
    for name, points in whole.module.trainer.datamodule.sets.items():
        np.testing.assert_array_equal(points.coordinates, parts.module.trainer.datamodule.sets[name].coordinates)


@pytest.mark.parametrize(
    ("limits", "steps", "reason"),
    [({"max_time": 1e-9}, 1, "its 1e-09 s are over"), ({"stop_loss": 1e9}, 6, "the objective is at most 1e+09")],
)
def test_a_stage_ends_by_its_own_limits(limits, steps, reason, run, tmp_path):
    solution = run(tmp_path, [Stage(Adam(), **limits), Stage(SSBroyden())], 10)
    assert f"adam ended: {reason}; ssbroyden follows" in (tmp_path / "train.log").read_text()
    assert solution.module.progress.stage_step == 10 - steps
    alone = run(tmp_path / "alone", [Stage(Adam(), **limits)], 10)
    assert (alone.metrics["steps"], alone.metrics["reason"]) == (steps, f"adam ended: {reason}")


def test_the_objective_of_fewer_terms_is_compared_with_no_other(run, tmp_path):
    """It is smaller: the best checkpoint is of the last stage nevertheless, and its objective is no explosion."""
    first = Stage(SSBroyden(steps=30), terms=frozenset({"ends"}))
    settings = {"checkpoint": {"every_steps": 6}}
    found = run(tmp_path, [first, Stage(Adam(learning_rate=1e-4))], 42, **settings)
    rows = read(tmp_path / "checkpoints" / "last.ckpt")["callbacks"]["Record"]["rows"]
    objectives = {row["step"]: row["losses"]["objective"] for row in rows}
    assert min(value for step, value in objectives.items() if step <= 30) < 1e-6 * objectives[42]
    assert found.status == "finished"
    assert read(tmp_path / "checkpoints" / "best.ckpt")["progress"]["step"] > 30
    assert found.module.progress.first_objective > 0.5 * objectives[42]


def test_a_stage_may_train_one_of_two_equations(heat_words):
    heat_words |= {"equations": {"heat": "u_t = alpha * u_xx", "other": "u_x = u"}, "exact": {}}
    all_groups = groups(Problem(**heat_words))
    parts = Stage(Adam(), terms=frozenset({"other", "ends"})).part(all_groups)
    assert {part.name: part.terms for part in parts} == {EQUATIONS: ("other",), "ends": ("ends",)}
    with pytest.raises(ValueError, match=r"\['nothing'\].* heat, other, initial, ends"):
        Stage(Adam(), terms=frozenset({"nothing"})).part(all_groups)


def test_metrics_have_the_last_engine_where_a_run_ends_as_other_terms_begin(run, tmp_path):
    metrics = run(tmp_path, [FIRST, Stage(SSBroyden())], 7).metrics
    assert metrics["steps"] == 7
    assert metrics["operators"]["engine"] == "autograd"


def test_what_a_residual_in_python_reads_is_known_before_the_engine_of_a_stage_is_chosen(
    heat_words, run, tmp_path, monkeypatch
):
    known, begin = [], Computation.begin

    def watched(self, *arguments):
        known.append({str(one) for group in self.groups for one in group.extra_partials})
        begin(self, *arguments)

    monkeypatch.setattr(Computation, "begin", watched)
    heat_words |= {"equations": {"heat": lambda p: p.u_t - p.u_xx, "other": "u_x = u"}, "exact": {}}
    run(tmp_path, [Stage(Adam(), terms=frozenset({"heat", "ends"}))], 1)
    assert known == [{"u_t", "u_xx"}]


def test_a_dear_step_counts_as_many_evaluations_where_the_engine_is_chosen(heat_words, quick):
    quick["trainer"] = {"max_steps": 40}
    found = {}
    for phases in (["ssbroyden"], ["gauss_newton"], [{"name": "gauss_newton", "solver": "gram"}]):
        quick["phases"] = phases
        module, _ = assembled(heat_words, quick)
        found[str(phases)] = module.computation.budget().evaluations
    first, curved, gram = found.values()
    assert first == gram == pytest.approx(44.0)
    assert curved == pytest.approx(25 * first)
