"""Hard conditions hold at every step, whatever is trained, and are no terms of the loss."""

import json
import math

import numpy as np
import pytest
import torch

from pinnkit.problem.at import random_points
from pinnkit.problem.problem import Problem
from pinnkit.training.step import OptimizerStep
from tests.conftest import assembled
from tests.engines.evaluations import CLOSE, assert_same, definition, evaluated, weights_of
from tests.runs.small import QUICK, solved

COUNT = 10_000
SETTINGS = {**QUICK, "network": {"width": 6, "depth": 2}, "sampling": {"equations": 40}, "trainer": {"max_steps": 4}}
HEAT = {
    "name": "rod",
    "coordinates": {"x": [-1, 1], "t": [0, 1]},
    "fields": ["u"],
    "equations": {"heat": "u_t = 0.1 * u_xx"},
    "conditions": {
        "initial": {"at": "t = 0", "equations": "u = 2 + sin(pi*x)", "hard": True},
        "ends": {"at": ["x = -1", "x = 1"], "equations": "u = 2", "hard": True},
    },
    "exact": {"u": "2 + exp(-0.1*pi^2*t) * sin(pi*x)"},
}
WAVE = {
    "name": "string",
    "coordinates": {"x": [0, 1], "t": [0, 1]},
    "fields": ["u"],
    "equations": {"wave": "u_tt = u_xx"},
    "conditions": {
        "shape": {"at": "t = 0", "equations": "u = sin(pi*x)", "hard": True},
        "motion": {"at": "t = 0", "equations": "u_t = x", "hard": True},
        "ends": {"at": "x = 0", "equations": "u = 0", "hard": True},
        "moved": {"at": "x = 1", "equations": "2*u = 2*t", "hard": True},
    },
}
SQUARE = {
    "name": "square",
    "coordinates": {"x": [0, 2], "y": [0, 1]},
    "fields": ["u"],
    "equations": {"poisson": "laplacian(u) = x*u"},
    "conditions": {
        "sides": {"at": ["x = 0", "x = 2"], "equations": "u = y^2 + x", "hard": True},
        "lid": {"at": "y = 1", "equations": "u = 1 + x + x*(2 - x)", "hard": True},
        "base": {"at": "y = 0", "equations": "u = x", "hard": True},
    },
}
DISK = {
    "name": "membrane",
    "coordinates": {"x": [-1, 1], "y": [-1, 1], "t": [0, 1]},
    "shapes": {"part": {"disk": {"center": [0, 0], "radius": 1}}},
    "domain": "part",
    "fields": ["u"],
    "equations": "u_t = laplacian(u)",
    "conditions": {
        "rim": {"at": "part", "equations": "u = x + t", "hard": True},
        "start": {"at": "t = 0", "equations": "u = x + 1 - x^2 - y^2", "hard": True},
    },
}


ELLIPSE = {
    **DISK,
    "name": "oval",
    "coordinates": {"x": [-1, 1], "y": [-1, 1]},
    "shapes": {"part": {"ellipse": {"center": [0, 0], "radii": [1, 0.5]}}},
    "equations": "laplacian(u) = u^2",
    "conditions": {"rim": {"at": "part", "equations": "u = exp(x)*y", "hard": True}},
}
CHANNEL = {
    "name": "channel",
    "coordinates": {"x": [0, 2], "y": [-1, 1]},
    "fields": ["u", "v", "p"],
    "equations": ["laplacian(u) = p_x", "laplacian(v) = p_y", "u_x + v_y = 0"],
    "conditions": {
        "walls": {"at": ["y = -1", "y = 1"], "equations": ["u = 0", "v = 0"], "hard": True},
        "seam": {"at": "x = 0", "equations": ["u(x=0) = u(x=2)", "v(x=0) = v(x=2)"], "hard": True},
        "inlet": {"at": "x = 0", "equations": "p = 1"},
        "outlet": {"at": "x = 2", "equations": "p = 0"},
    },
}
PLATE = {
    "name": "plate",
    "coordinates": {"x": [0, 1], "y": [0, 1]},
    "fields": ["u"],
    "equations": {"plate": "laplacian(laplacian(u)) = 1"},
    "conditions": {
        "edge": {"at": "boundary", "equations": "u = sin(x*y)", "hard": True},
        "clamp": {"at": "boundary", "equations": "u_n = 0"},
    },
}
PROBLEMS = [HEAT, WAVE, SQUARE, DISK, ELLIPSE, CHANNEL, PLATE]
NAMES = [words["name"] for words in PROBLEMS]


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
    return worst


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


def test_the_start_of_second_order_has_its_slope_too():
    module, _ = assembled(WAVE, SETTINGS)
    points = torch.from_numpy(random_points(Problem(**WAVE).domain.at(t=0.0), COUNT)).requires_grad_()
    (gradient,) = torch.autograd.grad(module(points).sum(), points)
    assert float((gradient[:, 1] - points[:, 0]).abs().max()) <= 1e-14


def test_the_periodic_fields_alone_are_periodic():
    module, _ = assembled(CHANNEL, SETTINGS)
    points = torch.from_numpy(random_points(Problem(**CHANNEL).domain, 50))
    with torch.no_grad():
        gap = (module(points + torch.tensor([2.0, 0.0])) - module(points)).abs().max(dim=0).values
    assert float(gap[:2].max()) <= 1e-13
    assert float(gap[2]) > 1e-3


@pytest.mark.parametrize("words", PROBLEMS, ids=NAMES)
def test_taylor_mode_equals_nested_autograd(words, unrecorded):
    module, batches = assembled(words, SETTINGS)
    expected = definition(module, batches, weights_of(module))
    assert_same(evaluated(module, batches, "autograd"), expected, 1e-12)
    assert_same(evaluated(module, batches, "jets"), expected, CLOSE)


@pytest.mark.parametrize("words", PROBLEMS, ids=NAMES)
def test_recorded_steps_equal_nested_autograd(words, recorded):
    module, batches = assembled(words, SETTINGS)
    expected = definition(module, batches, weights_of(module))
    assert_same(evaluated(module, batches, "compiled"), expected, CLOSE)
    assert recorded
