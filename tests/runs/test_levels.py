"""Levels: networks that are trained one after the other, each on what those before leave."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import pinnkit
from pinnkit.networks.architectures.mlp import MLP
from pinnkit.networks.build import build
from pinnkit.networks.fields import Output
from pinnkit.operators.derivatives import derivatives
from pinnkit.operators.trace import BoundNetwork
from pinnkit.problem.problem import Problem
from pinnkit.runs.network_exporters import NETWORK_EXPORTERS
from pinnkit.training.checkpoint_reader import read
from pinnkit.training.level import begin_level
from tests.conftest import assembled
from tests.operators.jet_cases import by_taylor, uniform
from tests.runs.small import QUICK
from tests.runs.test_exported_maps import subject_of

BEND = {
    "name": "bend",
    "coordinates": {"x": [-1, 1]},
    "fields": ["u"],
    "parameters": {"k": {"learn": 1.0}},
    "equations": {"bend": "u_xx = 20*k*exp(-20*x^2)"},
    "conditions": {
        "ends": {"at": "boundary", "equations": "u = 0"},
        "middle": {"at": "x = 0.5", "equations": "u = 1"},
    },
}
FIRST, ALL = 60, 240
LEVELS = {**QUICK, "phases": None, "stages": [{"name": "ssbroyden", "steps": FIRST}, "level", "ssbroyden"]}


def settings(steps, **others):
    return {**LEVELS, "trainer": {"max_steps": steps}, "sampling": {"equations": 40, "redraw_every": 50}, **others}


def solved(folder, steps, resume=False, **others):
    return pinnkit.solve(Problem(**BEND), folder, settings(steps, **others), resume=resume)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run of the first level alone, of both, and of both that goes on in the middle of the second."""
    folder = tmp_path_factory.mktemp("levels")
    first = solved(folder / "first", FIRST)
    whole = solved(folder / "whole", ALL)
    solved(folder / "parts", 150)
    parts = solved(folder / "parts", ALL, resume=True)
    return SimpleNamespace(first=first, whole=whole, parts=parts, folder=folder)


def test_the_second_level_lowers_the_objective_and_leaves_the_first_network(runs):
    first, whole = (one.module.state_dict() for one in (runs.first, runs.whole))
    for name, _ in runs.whole.module.named_parameters():
        same = torch.equal(first[name], whole[name])
        assert same is name.startswith("network.networks.0.networks.0."), name
    alone = solved(runs.folder / "alone", ALL, stages=["ssbroyden"])
    assert runs.whole.metrics["loss"] < 0.1 * alone.metrics["loss"]
    assert 0.0 < float(whole["network.networks.0.scales"]) < 1.0
    assert float(first["network.networks.0.scales"]) == 0.0
    told = (runs.folder / "whole" / "train.log").read_text()
    assert "ssbroyden ended: its 60 steps are done; ssbroyden (level 2) follows" in told


def test_a_run_that_is_resumed_in_the_second_level_ends_as_the_whole_one(runs):
    assert read(runs.folder / "parts" / "checkpoints" / "last.ckpt")["progress"]["stage"] == 1
    whole, parts = (one.module.state_dict() for one in (runs.whole, runs.parts))
    for name, value in whole.items():
        assert torch.equal(parts[name], value), name
    assert runs.parts.metrics["parameters"] == runs.whole.metrics["parameters"] == 16 + 46 + 1


def test_a_run_that_is_read_back_or_exported_has_both_networks(runs, tmp_path):
    x = np.linspace(-1, 1, 7)
    values = runs.whole(x=x)["u"]
    assert abs(values - runs.first(x=x)["u"]).max() > 1e-8
    np.testing.assert_array_equal(pinnkit.load(runs.folder / "whole")(x=x)["u"], values)
    path = NETWORK_EXPORTERS["pt2"]().save(tmp_path, subject_of(runs.whole.module))
    exported = torch.export.load(path).module()({"x": torch.from_numpy(x)})["u"]
    np.testing.assert_allclose(exported.detach().numpy(), values, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("engine", ["jets", "compiled"])
def test_every_engine_computes_the_same_of_two_levels(engine, recorded):
    found = []
    for one in ("autograd", engine):
        module, batches = assembled(BEND, settings(4, operators={"engine": one}))
        module.progress.stage = 1
        begin_level(module.state, module.values, batches)
        for layer in module.network.levels[0].added[0].rest.layers[-1:]:
            torch.nn.init.constant_(layer.weight, 0.3)
        evaluator = module.computation.make_evaluator(one, None)
        weights, directions = module.computation.weight_vector(), evaluator.draw_directions(0, 0)
        found.append(evaluator(evaluator.prepare(batches), weights, directions))
    for own, known in zip(*found[::-1], strict=True):
        torch.testing.assert_close(own, known, rtol=1e-10, atol=1e-12)
    assert len(found[0][1]) == 46 + 1


def test_taylor_mode_has_all_operations_of_levels():
    network = build(
        MLP(width=5, depth=2), [-1, 0], [1, 3], [Output((0, 1))] * 2, 0, linear=False, steady=False, levels=2
    )
    network.levels[0].begin(0.5, torch.tensor([3.0, 7.0], dtype=torch.float64))
    points, wanted = uniform(6, 2), [(0, ()), (0, (0,)), (1, (1, 1)), (1, (0, 0, 1))]
    expected = derivatives(BoundNetwork(network, dict(network.named_parameters())), points, wanted)
    found = by_taylor(network, points, wanted)
    for one in wanted:
        torch.testing.assert_close(found[one], expected[one], rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize(("span", "frequency"), [([-1, 1], 3 * math.pi), ([2, 3], 1.5 * math.pi)])
def test_a_level_has_the_frequency_of_the_residual_and_the_scale_at_which_it_changes_it_as_much(span, frequency):
    problem = {"coordinates": {"x": span}, "fields": ["u"], "equations": {"fit": "0.001*u = 0.1*sin(3*pi*x)"}}
    module, batches = assembled(problem, settings(4, sampling={"equations": 4000}))
    levels = module.network.levels[0]
    for one in module.network.parameters():
        torch.nn.init.zeros_(one)
    output = levels.added[0].rest.layers[-1]
    torch.nn.init.constant_(output.bias, 2.0)  # the network is 2 everywhere
    module.progress.stage = 1
    begin_level(module.state, module.values, batches)
    assert float(levels.added[0].stretch) == pytest.approx(frequency / 2, rel=0.03)
    size = math.sqrt(float((0.1 * torch.sin(3 * math.pi * batches["equations"].coordinates[:1000])).square().mean()))
    assert float(levels.scales) == pytest.approx(size / (0.001 * 2.0), rel=1e-6)
    assert [name for name, one in module.network.named_parameters() if one.requires_grad] == [
        f"networks.0.networks.1.{name}" for name, _ in levels.added[0].named_parameters()
    ]


@pytest.mark.parametrize(
    ("network", "message"),
    [({"name": "separable"}, "stages: network=separable has no other levels: network=mlp has"),
     (torch.nn.Linear(1, 1), "stages: other levels need a network of pinnkit's own, and one was given in Python")],
)  # fmt: skip
def test_networks_without_levels_are_refused(network, message):
    own = isinstance(network, torch.nn.Module)
    words = settings(4) if own else settings(4, network=network)
    with pytest.raises(pinnkit.ProblemError, match=message):
        assembled(BEND, words, network.double() if own else None)
