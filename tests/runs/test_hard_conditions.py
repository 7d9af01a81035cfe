"""Hard conditions hold at every step, whatever is trained, and are no terms of the loss."""

import json
import math

import numpy as np
import pytest
import torch

import pinnkit
from pinnkit.optimizers.settings import OPTIMIZERS
from pinnkit.problem.at import random_points
from pinnkit.problem.problem import Problem
from pinnkit.training.step import OptimizerStep
from tests.conftest import assembled
from tests.problem.hard_problems import CHANNEL, HEAT, NAMES, PROBLEMS
from tests.runs.small import QUICK, solved

COUNT = 10_000
SETTINGS = {**QUICK, "network": {"width": 6, "depth": 2}, "sampling": {"equations": 40}, "trainer": {"max_steps": 4}}


@pytest.fixture
def watched(monkeypatch):
    """Collects what `watched.look(network)` gives after every step of a run."""

    class Watch:
        look, found = None, []

    take = OptimizerStep.take

    def recording(self, *arguments):
        take(self, *arguments)
        Watch.found.append(Watch.look(self.state.model.network))

    monkeypatch.setattr(OptimizerStep, "take", recording)
    Watch.found = []
    return Watch


def prescribed(problem):
    """Condition -> triples of points (n, d) of a place, the field's number, and its values there."""
    names = [field.name for field in problem.fields]
    for condition in problem.hard_conditions:
        for place in condition.places:
            points = random_points(place, COUNT)
            x, y = points[:, 0], points[:, -1]
            yield condition.name, points, names, x, y


EXPECTED = {
    ("rod", "initial"): ("u", lambda x, y: 2 + np.sin(np.pi * x)),
    ("rod", "ends"): ("u", lambda x, y: 2 + 0 * x),
    ("string", "shape"): ("u", lambda x, y: np.sin(np.pi * x)),
    ("string", "ends"): ("u", lambda x, y: 0 * x),
    ("string", "moved"): ("u", lambda x, y: y),
    ("square", "sides"): ("u", lambda x, y: y**2 + x),
    ("square", "lid"): ("u", lambda x, y: 1 + x + x * (2 - x)),
    ("square", "base"): ("u", lambda x, y: x),
    ("membrane", "rim"): ("u", lambda x, y: x + y),
    ("oval", "rim"): ("u", lambda x, y: np.exp(x) * y),
    ("channel", "walls"): ("uv", lambda x, y: 0 * x),
    ("corner", "edge"): ("u", lambda x, y: 1 + x),
    ("ring", "outer"): ("u", lambda x, y: y),
    ("ring", "rim"): ("u", lambda x, y: 1 + x),
    ("blob", "rim"): ("u", lambda x, y: 1 + x),
    ("wedge", "rim"): ("u", lambda x, y: 1 + x),
    ("inner", "wire"): ("u", lambda x, t: 1 + t),
    ("inner", "edge"): ("u", lambda x, t: x * t),
    ("plate", "edge"): ("u", lambda x, y: np.sin(x * y)),
}


def missed(problem, network):
    """The largest miss of any hard value at 10,000 points of each place."""
    worst = 0.0
    for condition, points, names, x, y in prescribed(problem):
        fields, value = EXPECTED.get((problem.name, condition), ("", None))
        with torch.no_grad():
            values = network(torch.from_numpy(points)).numpy()
        for field in fields:
            expected = value(x, y)
            miss = np.abs(values[:, names.index(field)] - expected).max()
            worst = max(worst, miss / max(1.0, np.abs(expected).max()))
    return max(worst, missed_slope(problem, network)) if problem.name == "string" else worst


def missed_slope(problem, network):
    """The largest miss of u_t = x at the start."""
    points = torch.from_numpy(random_points(problem.domain.at(t=0.0), COUNT)).requires_grad_()
    with torch.enable_grad():
        (gradient,) = torch.autograd.grad(network(points).sum(), points)
    return float((gradient[:, 1] - points.detach()[:, 0]).abs().max())


@pytest.mark.parametrize("words", PROBLEMS, ids=NAMES)
def test_hard_values_hold_to_rounding_at_every_step(words, watched, tmp_path):
    problem = Problem(**words)
    watched.look = lambda network: missed(problem, network)
    solution = solved(tmp_path, words, SETTINGS)
    assert len(watched.found) == 4
    assert max(watched.found) <= 1e-14
    hard = [condition.name for condition in problem.hard_conditions]
    assert solution.metrics["hard"] == json.loads((tmp_path / "metrics.json").read_text())["hard"] == hard
    soft = {one.name for condition in problem.soft_conditions for one in condition.equations}
    assert set(solution.module.terms) == {one.name for one in problem.equations} | soft
    assert f"exact by construction: {', '.join(hard)}" in (tmp_path / "train.log").read_text()
    assert solution.metrics["loss"] < solution.module.progress.first_objective
    assert all(math.isfinite(size) for size in solution.metrics["residual_rms"].values())
    three, each_time = {"poisson": 3}, {"heat": 4 * 41}  # of the cut, or of the pocket; of the box at each time
    corners = {"corner": three, "wedge": three, "inner": each_time}
    assert solution.metrics["residual_left_out"] == corners.get(words["name"], {})


def test_the_periodic_fields_alone_are_periodic():
    module, _ = assembled(CHANNEL, SETTINGS)
    points = torch.from_numpy(random_points(Problem(**CHANNEL).domain, 50))
    with torch.no_grad():
        gap = (module(points + torch.tensor([2.0, 0.0])) - module(points)).abs().max(dim=0).values
    assert float(gap[:2].max()) <= 1e-13
    assert float(gap[2]) > 1e-3


QUICK_ONES = ("adam", "lbfgs", "ssbroyden", "gauss_newton")


@pytest.mark.parametrize(
    "optimizer",
    [pytest.param(one, marks=() if one in QUICK_ONES else pytest.mark.slow) for one in sorted(OPTIMIZERS)],
)
def test_every_optimizer_trains_the_equations_alone(optimizer, tmp_path):
    settings = {**SETTINGS, "phases": [optimizer], "trainer": {"max_steps": 3}}
    solution = solved(tmp_path, HEAT, settings)
    assert solution.metrics["steps"] == 3
    assert 0 < solution.metrics["loss"] != solution.module.progress.first_objective
    assert set(solution.module.groups) == {"equations"}
    assert missed(Problem(**HEAT), solution.module.network) <= 1e-14


def test_a_resumed_run_ends_as_the_whole_one_and_is_read_back(tmp_path):
    whole = solved(tmp_path / "whole", HEAT, {**SETTINGS, "trainer": {"max_steps": 6}})
    solved(tmp_path / "parts", HEAT, {**SETTINGS, "trainer": {"max_steps": 3}})
    again = solved(tmp_path / "parts", HEAT, {**SETTINGS, "trainer": {"max_steps": 6}}, resume=True)
    at = {"x": np.linspace(-1, 1, 9), "t": 0.3}
    assert np.array_equal(again(**at)["u"], whole(**at)["u"])
    assert np.array_equal(pinnkit.load(tmp_path / "parts")(**at)["u"], whole(**at)["u"])


def test_a_network_of_the_users_is_wrapped(tmp_path):
    torch.manual_seed(0)
    own = torch.nn.Sequential(torch.nn.Linear(2, 6), torch.nn.Tanh(), torch.nn.Linear(6, 1))
    solution = solved(tmp_path, HEAT, SETTINGS, network=own)
    assert missed(Problem(**HEAT), solution.module.network) <= 1e-14
    own = torch.nn.Linear(2, 3)
    with pytest.raises(pinnkit.ProblemError, match="network: has no period in x, which a hard condition asks for"):
        solved(tmp_path / "period", CHANNEL, SETTINGS, network=own)


def test_in_float32_values_hold_to_its_rounding(tmp_path):
    solution = solved(tmp_path, HEAT, {**SETTINGS, "dtype": "float32"})
    assert solution(x=[-1.0, 1.0], t=0.4)["u"] == pytest.approx(2, abs=1e-6)


def test_a_hard_condition_has_no_weight(tmp_path):
    settings = {**SETTINGS, "weighting": {"weights": {"ends": 3.0}}}
    with pytest.raises(pinnkit.ProblemError, match=r"weighting.weights.ends: weighs nothing: a hard condition is no"):
        solved(tmp_path, HEAT, settings)
