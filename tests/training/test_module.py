"""The LightningModule and its parts: objective, limits, gradients that are missing, mini-batches, going back."""

import json
import math
import re

import numpy as np
import pytest
import torch

from pinnkit.language.errors import Report
from pinnkit.losses.residuals import mean_square
from pinnkit.optimizers.schedule import settling_factor
from pinnkit.optimizers.settings import OPTIMIZERS, LeastSquares
from pinnkit.problem.problem import Problem
from pinnkit.runs.evaluation import residuals
from pinnkit.runs.factory import assemble
from pinnkit.runs.solve import solve
from pinnkit.settings import read_settings
from pinnkit.training import automatic
from pinnkit.training.exceptions import Diverged, NoGradient
from pinnkit.training.loop import Loop
from pinnkit.training.minibatch import MiniBatches
from pinnkit.training.settings import Trainer
from pinnkit.training.stages import Stage
from pinnkit.training.step import OptimizerStep
from pinnkit.training.stopping import Stopping
from tests.conftest import assembled


def module_of(words, settings=None):
    report = Report()
    read = read_settings(settings or {}, report)
    report.raise_if_any()
    module, data = assemble(Problem(**words), read)
    data.draw(0)
    return module, data


def objective(module, losses):
    weights = module.computation.weight_vector()
    return torch.dot(weights, torch.stack([losses[term] for term in module.computation.terms]))


def test_objective_is_the_weighted_sum_of_mean_squares(heat_words, quick):
    heat_words["conditions"]["initial"]["weight"] = 7
    module, data = module_of(heat_words, {**quick, "weighting": {"weights": {"heat": 0.25}}})
    batches = data.batches()
    losses = module.losses(batches)
    assert set(losses) == {"heat", "initial", "ends"}
    by_hand = {
        name: mean_square(module.residuals(group, batches[group])[name])
        for name, group in [("heat", "equations"), ("initial", "initial"), ("ends", "ends")]
    }
    expected = 0.25 * by_hand["heat"] + 7 * by_hand["initial"] + by_hand["ends"]
    torch.testing.assert_close(objective(module, losses), expected, rtol=1e-14, atol=0)


def test_a_positive_parameter_stays_positive_and_starts_where_it_should(heat_words, quick):
    heat_words["parameters"] = {"alpha": {"learn": 0.5, "positive": True}}
    del heat_words["exact"]
    module, _ = module_of(heat_words, quick)
    assert float(module.parameter_values()["alpha"].detach()) == pytest.approx(0.5, rel=1e-14)
    with torch.no_grad():
        module.learned["alpha"].fill_(-30.0)
    assert 0 < float(module.parameter_values()["alpha"].detach()) < 1e-12


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_trains_networks_and_learned_parameters(optimizer, heat_words, quick, tmp_path):
    heat_words["parameters"] = {"alpha": {"learn": 0.5}}
    del heat_words["exact"]
    settings = {**quick, "phases": None, "optimizer": optimizer, "trainer": {"max_steps": 30}}
    if issubclass(OPTIMIZERS[optimizer], LeastSquares):  # their time is that of recording the Jacobian
        settings |= {"network": {"width": 8, "depth": 1}, "operators": {"engine": "autograd"}}
        settings["trainer"] = {"max_steps": 3}
    before, data = module_of(heat_words, settings)
    solution = solve(Problem(**heat_words), tmp_path, settings)
    after = dict(solution.module.named_parameters())
    for name, value in before.named_parameters():
        assert not torch.equal(value, after[name]), name
    assert "learned.alpha" in after
    first, last = (objective(one, one.losses(data.batches())).item() for one in (before, solution.module))
    assert last < first
    assert solution.metrics["optimizers"] == [optimizer]


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


@pytest.mark.parametrize(
    ("cut", "trains"),
    [
        (lambda p: p.u_x.detach() - 1, False),
        (lambda p: torch.as_tensor(p.u_x.detach().numpy()) - p.x, False),
        (lambda p: p.u_x - 1, True),
        (lambda p: p.u_x.detach() - p.u, True),
    ],
)
def test_a_term_that_trains_nothing_ends_the_run_with_its_name(cut, trains, heat_words, quick, tmp_path):
    problem = Problem(
        coordinates=heat_words["coordinates"],
        fields=["u"],
        equations={"good": "u_t = u", "matched": cut},
        conditions=heat_words["conditions"],
    )
    quick["trainer"]["max_steps"] = 2
    if trains:
        assert solve(problem, tmp_path, quick).metrics["steps"] == 2
    else:
        with pytest.raises(NoGradient, match=r"'matched' trains nothing.*detach"):
            solve(problem, tmp_path, quick)


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"max_steps": 33}, "33 steps are done"),
        ({"max_time": 1e-6}, "s of training are over"),
        ({"max_steps": 60, "stop_loss": 1e6}, "the objective is at most 1e\\+06"),
        ({"max_steps": 60, "stop_reduction": 0.5}, "the objective has fallen to 0.5 of its first value"),
        ({"max_steps": 60, "stop_error": 1e6}, "the error is at most 1e\\+06"),
    ],
)
def test_each_limit_stops_training(limits, reason, heat_words, quick, tmp_path):
    metrics = solve(Problem(**heat_words), tmp_path, {**quick, "trainer": limits}).metrics
    assert metrics["status"] == "finished"
    assert metrics["steps"] < 60
    assert re.search(reason, metrics["reason"])


def test_divergence_names_the_term_the_step_and_the_point(heat_words, quick, tmp_path):
    heat_words["equations"] = {"heat": lambda p: p.u_t + torch.where(p.x > 0.5, torch.full_like(p.x, math.inf), p.u)}
    del heat_words["exact"]
    with pytest.raises(Diverged, match=r"at step 0: the term 'heat' is inf at x = 0\.[5-9]\d*, t = 0\.\d+") as caught:
        solve(Problem(**heat_words), tmp_path, {**quick, "phases": ["ssbroyden"]})
    assert len(caught.value.points) == 3
    assert all(point["x"] > 0.5 for point in caught.value.points)
    assert caught.value.values == [math.inf] * 3
    assert caught.value.count > 3
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["status"] == "diverged"
    assert "'heat'" in metrics["reason"]


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


def test_a_run_without_steps_or_time_has_limits_of_its_own():
    free, timed = Trainer(), Trainer(max_time=10.0)
    assert (free.steps, free.reduction(1), free.reduction(2)) == (10_000, 1e-15, 1e-13)
    assert (timed.steps, timed.reduction(2)) == (None, None)
    assert Trainer(max_steps=5, stop_reduction=0.1).reduction(2) == 0.1


@pytest.mark.parametrize(("width", "few"), [(8, True), (700, False)])
def test_small_arrays_get_one_thread_and_the_process_its_threads_back(width, few, heat_words, quick, tmp_path):
    former = torch.get_num_threads()
    torch.set_num_threads(2)
    settings = {**quick, "network": {"width": width, "depth": 1}, "phases": ["adam"], "trainer": {"max_steps": 1}}
    try:
        solution = solve(Problem(**heat_words), tmp_path, settings)
        assert solution.metrics["device"] == ("cpu, 1 threads" if few else "cpu, 2 threads")
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(former)


def test_a_run_that_is_stopped_as_new_points_arrive_goes_on_to_the_same_end(heat_words, quick, tmp_path, monkeypatch):
    """A signal may come between the draw and its first step: the optimizer's loss belongs to points that are gone."""
    whole = solve(Problem(**heat_words), tmp_path / "whole", quick)
    original = Loop.run

    def stopped(self, block, *arguments):
        if block.draw == 2:
            self.stopping.wish("a signal came")
        return original(self, block, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Loop, "run", stopped)
        assert solve(Problem(**heat_words), tmp_path / "parts", quick).metrics["steps"] == 50
    parts = solve(Problem(**heat_words), tmp_path / "parts", quick, resume=True)
    assert parts.metrics["steps"] == 60
    for name, value in whole.module.state_dict().items():
        assert torch.equal(parts.module.state_dict()[name], value), name


def test_the_phase_that_follows_has_the_inverse_hessian_of_the_one_before(heat_words, quick, tmp_path):
    quick |= {"phases": [{"name": "ssbfgs", "steps": 20}, "ssbroyden"], "trainer": {"max_steps": 20}}
    module = solve(Problem(**heat_words), tmp_path, quick).module
    former, following = (one.optimizer.state for one in module.optimizers())
    assert ["inverse_hessian" in next(iter(state.values())) for state in (former, following)] == [False, True]


@pytest.mark.parametrize(("free", "chosen"), [(16 * 1000**2, "ssbroyden"), (16 * 1000**2 - 1, "lbfgs")])
def test_auto_keeps_a_dense_matrix_where_half_of_the_free_memory_is_enough(free, chosen, monkeypatch):
    monkeypatch.setattr(automatic, "free_memory", lambda device: free)
    found, reason = automatic.automatic(1000, torch.float64)
    assert found[-1].name == chosen
    assert ("affordable" if chosen == "ssbroyden" else "GB") in reason


def test_auto_keeps_no_matrix_beyond_its_limit():
    assert automatic.automatic(12_001, torch.float64)[0][-1].name == "lbfgs"


def test_auto_takes_spring_in_many_coordinates_and_parameters_on_a_cpu():
    assert automatic.automatic(4000, torch.float64, "cpu", 4)[0] == (Stage(automatic.WIDE),)
    for others in ((3999, torch.float64, "cpu", 4), (4000, torch.float64, "cpu", 3), (4000, torch.float32, "cpu", 4)):
        assert automatic.automatic(*others)[0][-1].name != "spring"


def test_a_residual_that_is_infinite_at_a_candidate_alone_is_told(heat_words, quick, tmp_path, monkeypatch):
    monkeypatch.setattr("pinnkit.training.datamodule.CONCENTRATED", 0.0)
    heat_words["equations"] = {"heat": lambda p: p.u_t + torch.where(p.x > 0.998, torch.full_like(p.x, math.inf), p.u)}
    del heat_words["exact"]
    with pytest.raises(Diverged, match=r"at step 25: the term 'heat' is inf at x = 0\.99[89]\d*, t = 0\.\d+") as caught:
        solve(Problem(**heat_words), tmp_path, {**quick, "phases": ["ssbroyden"]})
    assert "3 times training went back" in str(caught.value)


@pytest.mark.parametrize(("equation", "width"), [("u_t = alpha*u_xx", 20), ("u_t = alpha*u_xx - u*u_x", 30)])
def test_networks_of_nonlinear_equations_are_wider(heat_words, equation, width):
    module, _ = assembled({**heat_words, "equations": equation, "exact": {}})
    assert {len(one) for one in module.network.parameters()} == {width, 1}
    assert module.computation.width == width


@pytest.mark.parametrize(
    ("words", "activation"),
    [({}, torch.tanh), ({"coordinates": {"x": [-1, 1], "y": [0, 1]}, "equations": "u_x = u_y"}, torch.sin)],
)
def test_linear_equations_without_time_have_sines(heat_words, words, activation):
    heat_words |= words
    if words:
        heat_words |= {"conditions": {"edge": {"at": "y = 0", "equations": "u = 0"}}, "exact": {}}
    module, _ = assembled(heat_words)
    assert module.network.networks[0][-1].activation is activation


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


def test_a_run_that_diverges_goes_back_and_its_rate_is_halved(heat_words, quick, tmp_path):
    """Until the rate is small enough: at the full one the second checkpoint's weights would not be finite."""
    fatal = [0]

    def residual(p):
        broken = fatal[0] == 0 and module_steps() > 12
        return p.u_t - p.alpha * p.u_xx + (math.inf if broken else 0.0) * p.u

    def module_steps():
        return len(rates)

    rates = []
    rate = Stage.set_learning_rate

    def watched(self, optimizer, step, share=1.0):
        rates.append(share)
        if share < 1.0:
            fatal[0] = 1
        return rate(self, optimizer, step, share)

    heat_words["equations"] = {"heat": residual}
    del heat_words["exact"]
    quick |= {"phases": ["adam"], "trainer": {"max_steps": 40}, "operators": {"engine": "autograd"}}
    quick |= {"checkpoint": {"every_steps": 10}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stage, "set_learning_rate", watched)
        metrics = solve(Problem(**heat_words), tmp_path, quick).metrics
    assert metrics["status"] == "finished"
    assert metrics["steps"] == 40
    assert set(rates) == {1.0, 0.5}
    assert rates.count(0.5) == 30  # from step 10, the last checkpoint, on
    log = (tmp_path / "train.log").read_text()
    assert "back to step 10, with steps of half the size (1 of 3)" in log


def test_an_infinite_gradient_is_told_with_its_term_and_a_point(heat_words, quick, tmp_path):
    def residual(p):
        far = (p.x > 0.9).to(p.x)
        return p.u_t - p.alpha * p.u_xx + ((p.u - p.u.detach()) * far + 1.0 - far).sqrt()

    heat_words["equations"] = {"heat": residual}
    del heat_words["exact"]
    quick |= {"phases": ["adam"], "trainer": {"max_steps": 40}, "operators": {"engine": "autograd"}}
    with pytest.raises(Diverged, match=r"the term 'heat \(its gradient\)' is (nan|-?inf) at x = 0\.9") as told:
        solve(Problem(**heat_words), tmp_path, quick)
    assert told.value.points[0]["x"] > 0.9


def test_what_is_reported_of_residuals_is_without_weights(heat_words, quick):
    grid = {"x": np.linspace(-0.9, 0.9, 7), "t": np.linspace(0.1, 0.9, 7)}
    plain, _ = module_of(heat_words, quick)
    equation = heat_words["equations"]["heat"]
    weighted, _ = module_of({**heat_words, "equations": {"heat": {"equation": equation, "weight": "4 + x^2"}}}, quick)
    found, expected = residuals(weighted, grid)["heat"], residuals(plain, grid)["heat"]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert np.abs(expected).min() > 0
