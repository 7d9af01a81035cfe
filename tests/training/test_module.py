"""The LightningModule: its objective, its limits, what it trains, and going back after divergence."""

import math
import re

import numpy as np
import pytest
import torch

from pinnkit.language.errors import Report
from pinnkit.losses.residuals import mean_square
from pinnkit.optimizers.settings import OPTIMIZERS, LeastSquares
from pinnkit.problem.problem import Problem
from pinnkit.runs.evaluation import residuals
from pinnkit.runs.factory import assemble
from pinnkit.runs.learned import learned
from pinnkit.runs.solve import solve
from pinnkit.settings import read_settings
from pinnkit.training.loop import Loop
from pinnkit.training.settings import Trainer
from pinnkit.training.stages import Stage
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


@pytest.mark.parametrize(("bounds", "ends"), [({"min": 0.1, "max": 0.7}, (0.1, 0.7)), ({"max": 2}, (-1e9, 2))])
def test_a_bounded_parameter_stays_within_its_bounds_and_starts_where_it_should(bounds, ends, heat_words, quick):
    heat_words["parameters"] = {"alpha": {"learn": 0.5, **bounds}}
    del heat_words["exact"]
    module, _ = module_of(heat_words, quick)
    assert float(module.parameter_values()["alpha"].detach()) == pytest.approx(0.5, rel=1e-14)
    for raw in (-20.0, 20.0):
        with torch.no_grad():
            module.learned["alpha"].fill_(raw)
        assert ends[0] < float(module.parameter_values()["alpha"].detach()) < ends[1]
    assert learned(module)["alpha"]["value"] == float(module.parameter_values()["alpha"].detach())


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
        assert solution.metrics["device"] == ("cpu, 1 thread" if few else "cpu, 2 threads")
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(former)


def test_a_run_that_is_stopped_as_new_points_arrive_goes_on_to_the_same_end(heat_words, quick, tmp_path, monkeypatch):
    """A signal may come between the draw and its first step: the optimizer's loss belongs to points that are gone."""
    whole = solve(Problem(**heat_words), tmp_path / "whole", quick)
    original = Loop.run

    def stopped(self, block, *arguments):
        if block.draw == 2:
            self.stopping.request_stop("a signal came")
        return original(self, block, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Loop, "run", stopped)
        assert solve(Problem(**heat_words), tmp_path / "parts", quick).metrics["steps"] == 50
    parts = solve(Problem(**heat_words), tmp_path / "parts", quick, resume=True)
    assert parts.metrics["steps"] == 60
    for name, value in whole.module.state_dict().items():
        assert torch.equal(parts.module.state_dict()[name], value), name


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


def test_what_is_reported_of_residuals_is_without_weights(heat_words, quick):
    grid = {"x": np.linspace(-0.9, 0.9, 7), "t": np.linspace(0.1, 0.9, 7)}
    plain, _ = module_of(heat_words, quick)
    equation = heat_words["equations"]["heat"]
    weighted, _ = module_of({**heat_words, "equations": {"heat": {"equation": equation, "weight": "4 + x^2"}}}, quick)
    found, expected = residuals(weighted, grid)["heat"], residuals(plain, grid)["heat"]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert np.abs(expected).min() > 0
