"""Every engine gives the losses and the gradient of nested autograd, whole or in chunks, at any parameters."""

import math
from dataclasses import replace

import pytest
import torch
import yaml
from torch import nn

from pinnkit.engines.unsupported import EngineUnsupported
from pinnkit.problem.problem import Problem
from pinnkit.runs.shipped import problems
from tests.conftest import ROOT, assembled
from tests.engines.evaluations import CLOSE, SAMPLING, assert_same, definition, evaluated, weights_of

FOLDER = ROOT / "conf" / "pde"
NAMES = (
    "advection", "allen_cahn", "burgers", "burgers_inverse", "disk", "gradient_matching", "heat", "heat_family", "kdv",
    "lotka_volterra", "plate", "poisson_5d", "poisson_two_materials", "schrodinger", "stefan", "volterra",
)  # fmt: skip
"""Shipped problems that differ in what their terms hold."""


class Residual(nn.Module):
    """A network of a user's: a residual connection between two activations."""

    def __init__(self, inputs, outputs):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second, self.last = nn.Linear(inputs, 6), nn.Linear(6, 6), nn.Linear(6, outputs)

    def forward(self, points):
        values = torch.tanh(self.first(points))
        return self.last(values + torch.sin(self.second(values)))


def shipped(name):
    return Problem(folder=FOLDER, **yaml.safe_load(problems()[name].read_text()))


def network_of(kind, problem):
    """Settings, and a network of the user's where there is one."""
    kinds = {"mlp": {}, "fourier": {"fourier_features": 4, "activation": "sin"}, "separate": {"separate": True}}
    words = {"network": {"width": 6, "depth": 2, **kinds.get(kind, {})}, "sampling": SAMPLING}
    return words, Residual(len(problem.coordinates), len(problem.fields)) if kind == "residual" else None


KINDS = [(name, ("mlp", "fourier", "residual")[number % 3]) for number, name in enumerate(NAMES)]
KINDS += [("heat", "fourier"), ("burgers", "residual"), ("lotka_volterra", "separate")]


@pytest.mark.parametrize(("name", "kind"), KINDS)
def test_taylor_mode_agrees_with_the_definition_for_every_shipped_problem(name, kind, unrecorded):
    module, batches = assembled(shipped(name), *network_of(kind, shipped(name)))
    expected = definition(module, batches, weights_of(module))
    assert_same(evaluated(module, batches, "autograd"), expected, 1e-12)
    assert_same(evaluated(module, batches, "jets"), expected, CLOSE)
    if kind == "mlp":
        assert_same(evaluated(module, batches, "jets", 5), expected, CLOSE)


@pytest.mark.parametrize("name", NAMES)
def test_recorded_steps_agree_with_the_definition_for_every_shipped_problem(name, recorded):
    kind = ["mlp", "fourier", "residual"][NAMES.index(name) % 3]
    module, batches = assembled(shipped(name), *network_of(kind, shipped(name)))
    expected = definition(module, batches, weights_of(module))
    for engine in ("compiled", "jets"):
        assert_same(evaluated(module, batches, engine), expected, CLOSE)
    assert len(recorded) == 2


RICH = {
    "coordinates": {"x": [-1, 1], "t": [0, 1]},
    "fields": ["u", "v"],
    "parameters": {"a": 0.7, "b": {"learn": 0.4, "positive": True}, "c": {"learn": -0.3}},
    "equations": {
        "one": "u_t = b*u_xx + c*v*u_x + a*sin(x)",
        "two": "v_t = b*v_xx + c*u_x*v_x",
        "python": lambda p: p.u_x * p.v_t - p.c * p.u_xx + p.t,
    },
    "conditions": {
        "start": {"at": "t = 0", "equations": ["u = sin(pi*x)", "v = b"]},
        "ring": {"at": "x = 1", "equations": ["u = u(x=-1)", "v_x = c*v_x(x=-1, t=0)"]},
        "flux": {"at": "boundary", "equations": "u_n = x*v"},
        "spot": {"at": {"x": 0, "t": 0}, "equations": "u_x = 1"},
    },
}
"""Learned and fixed parameters, a residual in Python, fields elsewhere, normals, and a condition at one point."""


def rich(tmp_path, **sampling):
    table = tmp_path / "samples.csv"
    table.write_text("x,t,s\n" + "\n".join(f"{i / 11 - 0.5},{i / 13},{math.cos(i)}" for i in range(11)))
    samples = {"data": str(table), "equations": "u = b*s", "weight": "1/(1 + s^2 + u_x^2)"}
    words = {**RICH, "conditions": {**RICH["conditions"], "samples": samples}}
    module, batches = assembled(words, {"network": {"width": 5, "depth": 2}, "sampling": {**SAMPLING, **sampling}})
    assert len(batches["samples"]) == 11
    assert set(batches["samples"].columns) == {"s"}
    return module, batches


@pytest.mark.parametrize("engine", ["autograd", "compiled", "jets"])
@pytest.mark.parametrize("chunk", [1000, 13, 5, 2])
def test_chunks_change_nothing(engine, chunk, unrecorded, tmp_path):
    """Groups of 13, 11, 7 and of 1 point: no chunk divides them, and some chunks are padding alone."""
    module, batches = rich(tmp_path)
    expected = definition(module, batches, weights_of(module))
    evaluator = module.make_evaluator(engine, chunk)
    prepared = evaluator.prepare(batches)
    assert len(prepared.chunks) == math.ceil(max(map(len, batches.values())) / chunk)
    assert_same(evaluator(prepared, weights_of(module)), expected, 1e-12)


@pytest.mark.parametrize("engine", ["compiled", "jets"])
def test_recorded_chunks_change_nothing(engine, recorded, tmp_path):
    module, batches = rich(tmp_path)
    expected = definition(module, batches, weights_of(module))
    evaluator = module.make_evaluator(engine, 5)
    assert_same(evaluator(evaluator.prepare(batches), weights_of(module)), expected, CLOSE)
    other = torch.flip(weights_of(module), [0])  # weights are inputs of the recording
    assert_same(evaluator(evaluator.prepare(batches), other), definition(module, batches, other), CLOSE)
    with torch.no_grad():
        for one in module.model.trainable().values():  # and so are the parameters, the learned ones too
            one.mul_(1.2).add_(0.05)
    assert_same(evaluator(evaluator.prepare(batches), other), definition(module, batches, other), CLOSE)
    assert len(recorded) == 1


def test_other_points_of_the_same_number_need_no_other_recording(recorded):
    module, batches = assembled(shipped("heat_inverse"), network_of("mlp", shipped("heat_inverse"))[0])
    batches["samples"] = batches["samples"].take(slice(0, 7))
    evaluator = module.make_evaluator("jets", None)
    evaluator(evaluator.prepare(batches), weights_of(module))
    moved = {name: replace(one, coordinates=one.coordinates * 0.9 + 0.03) for name, one in batches.items()}
    found = evaluator(evaluator.prepare(moved), weights_of(module))
    assert_same(found, definition(module, moved, weights_of(module)), CLOSE)
    assert len(recorded) == 1
    fewer = {**moved, "equations": moved["equations"].take(slice(0, 6))}
    found = evaluator(evaluator.prepare(fewer), weights_of(module))
    assert_same(found, definition(module, fewer, weights_of(module)), CLOSE)
    assert len(recorded) == 2


@pytest.mark.parametrize("engine", ["autograd", "compiled", "jets"])
def test_parameters_can_be_given_and_the_modules_own_stay(engine, unrecorded, tmp_path):
    module, batches = rich(tmp_path)
    own = [one.detach().clone() for one in module.model.trainable().values()]
    given_ = [one * 1.1 + 0.02 for one in own]
    evaluator = module.make_evaluator(engine, None)
    prepared = evaluator.prepare(batches)
    found = evaluator(prepared, weights_of(module), at=given_)
    before = evaluator(prepared, weights_of(module))
    assert_same(before, definition(module, batches, weights_of(module)), CLOSE)
    assert all(torch.equal(one, other) for one, other in zip(module.model.trainable().values(), own, strict=True))
    with torch.no_grad():
        for one, value in zip(module.model.trainable().values(), given_, strict=True):
            one.copy_(value)
    assert_same(found, definition(module, batches, weights_of(module)), CLOSE)


def test_shares_sum_to_one_and_padding_has_none(tmp_path):
    module, batches = rich(tmp_path)
    for chunk in (1, 3, 4, 20):
        prepared = module.make_evaluator("autograd", chunk).prepare(batches)
        shapes = {tuple(tuple(one.shape) for one in part) for part in prepared.chunks}
        assert len(shapes) == 1  # one compilation serves all
        parts = [prepared.unpacked(chunk) for chunk in prepared.chunks]
        for group in module.groups.values():
            shares = torch.cat([part[group.name].shares for part in parts])
            count = len(batches[group.name])
            torch.testing.assert_close(shares.sum(), torch.ones((), dtype=torch.float64), rtol=1e-14, atol=0)
            assert int((shares > 0).sum()) == count
            points = torch.cat([part[group.name].coordinates for part in parts])[shares[:, 0] > 0]
            assert torch.equal(points, batches[group.name].coordinates)


def test_frozen_parameters_are_not_trained(recorded):
    problem = shipped("heat")
    network = Residual(2, 1)
    network.first.weight.requires_grad_(False)
    module, batches = assembled(problem, {"sampling": SAMPLING}, network)
    expected = definition(module, batches, weights_of(module))
    assert len(expected[1]) == 6 + 42 + 7
    for engine in ("autograd", "compiled", "jets"):
        assert_same(evaluated(module, batches, engine), expected, CLOSE)


def test_threads_give_the_same_numbers_each_time(recorded):
    words, _ = network_of("mlp", shipped("burgers"))
    module, batches = assembled(shipped("burgers"), {**words, "sampling": {**SAMPLING, "equations": 60}})
    module.computation.threads = 3
    evaluator = module.make_evaluator("jets", 7)
    assert evaluator.workers.count == 3
    prepared = evaluator.prepare(batches)
    assert len(prepared.chunks) % 3 == 0
    first = evaluator(prepared, weights_of(module))
    assert_same(first, definition(module, batches, weights_of(module)), CLOSE)
    for _ in range(3):
        again = evaluator(prepared, weights_of(module))
        assert all(torch.equal(one, other) for one, other in zip(again, first, strict=True))
    assert module.make_evaluator("autograd", 7).workers.count == 1


def test_chunk_sizes_follow_the_width_and_the_request(tmp_path):
    module, _ = rich(tmp_path)
    like = torch.zeros(1, dtype=torch.float64)
    sizes = {engine: module.make_evaluator(engine, None).chunk_size(like) for engine in ("autograd", "jets")}
    module.computation.width *= 4
    wider = {engine: module.make_evaluator(engine, None).chunk_size(like) for engine in ("autograd", "jets")}
    assert sizes["autograd"] > sizes["jets"]
    assert all(sizes[engine] == pytest.approx(4 * wider[engine], rel=1e-3) for engine in sizes)
    assert module.make_evaluator("jets", None).chunk_size(like.float()) == pytest.approx(2 * wider["jets"], rel=1e-3)
    assert module.make_evaluator("jets", 17).chunk_size(like) == 17


def test_an_operation_without_a_rule_is_named(recorded):
    class Angle(Residual):
        def forward(self, points):
            return torch.atan(super().forward(points))

    module, batches = assembled(shipped("heat"), {"sampling": SAMPLING}, Angle(2, 1))
    with pytest.raises(EngineUnsupported, match="atan"):
        evaluated(module, batches, "jets")
    assert_same(evaluated(module, batches, "compiled"), definition(module, batches, weights_of(module)), CLOSE)
