"""Every engine gives the losses and the gradient of nested autograd, whole or in chunks, at any parameters."""

import itertools
import math
from dataclasses import replace

import pytest
import torch
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from pinnkit.engines import evaluator as tested
from pinnkit.engines.unsupported import EngineUnsupported
from pinnkit.problem.problem import Problem
from tests.conftest import ROOT, assembled

FOLDER = ROOT / "conf" / "pde"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
SAMPLING = {"equations": 13, "conditions": 7}
CLOSE = 1e-10


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
    return Problem(folder=FOLDER, **yaml.safe_load((FOLDER / f"{name}.yaml").read_text()))


def weights_of(module):
    """Weights that differ from term to term."""
    return torch.linspace(0.5, 2.0, sum(len(group.terms) for group in module.groups.values()), dtype=torch.float64)


def evaluated(module, batches, engine, chunk=None, weights=None, directions=()):
    evaluator = module.make_evaluator(engine, chunk)
    weights = weights_of(module) if weights is None else weights
    return evaluator(evaluator.prepare(batches), weights, list(directions))


def assert_same(found, expected, tolerance):
    """Losses and gradient, to a tolerance relative to the largest loss and to the gradient's norm."""
    assert float(expected[0].abs().max()) > 0
    assert float(expected[1].norm()) > 0
    assert float((found[0] - expected[0]).abs().max()) <= tolerance * float(expected[0].abs().max())
    assert float((found[1] - expected[1]).norm()) <= tolerance * float(expected[1].norm())


def definition(module, batches, weights):
    """Losses and gradient by the module's own residuals, with nothing of the evaluator."""
    losses = torch.stack(list(module.losses(batches).values()))
    trained = list(module.model.trainable().values())
    gradient = torch.autograd.grad(torch.dot(weights, losses), trained, allow_unused=True, materialize_grads=True)
    return losses.detach(), torch.cat([one.flatten() for one in gradient])


@pytest.fixture
def unrecorded(monkeypatch):
    """Steps run as they are: neither recorded nor compiled."""
    monkeypatch.setattr(tested, "record_graph", lambda step, inputs: step)
    monkeypatch.setattr(tested, "compile_graph", lambda step, inputs: step)


# ------------------------------------------------------------ engines against the definition


def network_of(kind, problem):
    """Settings, and a network of the user's where there is one."""
    kinds = {"mlp": {}, "fourier": {"fourier_features": 4, "activation": "sin"}, "separate": {"separate": True}}
    words = {"network": {"width": 6, "depth": 2, **kinds.get(kind, {})}, "sampling": SAMPLING}
    return words, Residual(len(problem.coordinates), len(problem.fields)) if kind == "residual" else None


KINDS = [(name, kind) for name in NAMES for kind in ("mlp", "fourier", "residual")] + [("lotka_volterra", "separate")]


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


# ------------------------------------------------------------ random equations

ATOMS = ["u", "u_x", "u_t", "u_xx", "u_xt", "u_tt", "u_xxx", "v", "v_x", "v_t", "v_xx", "v_tt"]
COEFFICIENTS = ["1", "-0.5", "a", "b", "x", "a*x^2", "sin(b*t)", "exp(-x)", "1/(2 + t)", "a*b"]
SHAPES = ["{}", "{}", "{}", "{}^2", "sin({})", "tanh({})", "exp(-({})^2)", "{}*u", "v*{}", "{}*u_x", "u(x=-1)*{}"]
TERMS = st.tuples(st.sampled_from(COEFFICIENTS), st.sampled_from(SHAPES), st.sampled_from(ATOMS))
EQUATION = st.lists(TERMS, min_size=1, max_size=4).map(
    lambda terms: " + ".join(f"({factor})*{shape.format(atom)}" for factor, shape, atom in terms)
)
NETWORK = st.fixed_dictionaries(
    {
        "width": st.integers(2, 5),
        "depth": st.integers(1, 2),
        "activation": st.sampled_from(["tanh", "sin", "sigmoid", "silu", "gelu", "softplus"]),
        "separate": st.booleans(),
        "fourier_features": st.sampled_from([0, 2]),
    }
)


def random_problem(equations, at_start, network, periodic):
    problem = {
        "coordinates": {"x": [-1, 1], "t": [0, 1]},
        "fields": ["u", "v"],
        "parameters": {"a": 0.6, "b": {"learn": 0.8}},
        "equations": [f"{text} = x + 0.3" for text in equations],
        "conditions": {"start": {"at": "t = 0", "equations": f"{at_start} = 0.1"}},
        "periodic": ["x"] if periodic else [],
    }
    return assembled(problem, {"network": network, "sampling": {"equations": 6, "conditions": 4}})


@given(equations=st.lists(EQUATION, min_size=1, max_size=2), at_start=EQUATION, network=NETWORK, periodic=st.booleans())
@settings(max_examples=25, deadline=None, derandomize=True)
def test_taylor_mode_agrees_with_the_definition_for_random_equations(equations, at_start, network, periodic):
    module, batches = random_problem(equations, at_start, network, periodic)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tested, "record_graph", lambda step, inputs: step)
        patch.setattr(tested, "compile_graph", lambda step, inputs: step)
        found = evaluated(module, batches, "jets")
    assert_same(found, definition(module, batches, weights_of(module)), CLOSE)


@given(equation=EQUATION, at_start=st.sampled_from(ATOMS[:5]), network=NETWORK, periodic=st.booleans())
@settings(max_examples=6, deadline=None, derandomize=True)
def test_recorded_steps_agree_with_the_definition_for_random_equations(equation, at_start, network, periodic):
    module, batches = random_problem([equation], at_start, {**network, "depth": 1}, periodic)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tested, "compile_graph", lambda graph, inputs: graph)
        found = evaluated(module, batches, "compiled")
    assert_same(found, definition(module, batches, weights_of(module)), CLOSE)


# ------------------------------------------------------------ sampled directions

SPACE = {
    "coordinates": {name: [0, 1] for name in "abcde"},
    "fields": ["u"],
    "equations": {"poisson": "laplacian(u) + u^2 = sin(a)*b"},
    "conditions": {"face": {"at": "a = 0", "equations": "u = b"}},
}


def in_five(directions, words=SPACE, **coordinates):
    words = {**words, "coordinates": {**words["coordinates"], **coordinates}}
    small = {"network": {"width": 4, "depth": 2, "activation": "sin"}, "sampling": {"equations": 10, "conditions": 4}}
    return assembled(words, {**small, "operators": {"directions": directions}})


def along(axes, d=5):
    """Scaled unit vectors along these axes, as the evaluator draws them in d coordinates."""
    rows = torch.zeros(len(axes), d, dtype=torch.float64)
    for row, axis in enumerate(axes):
        rows[row, axis] = math.sqrt(5 / len(axes))
    return rows


def test_the_mean_over_all_pairs_of_samples_is_exact_and_that_of_one_used_twice_is_not(unrecorded):
    module, batches = in_five(2)
    expected = definition(module, batches, weights_of(module))
    samples = [along(axes) for axes in itertools.combinations(range(5), 2)]
    for engine in ("autograd", "jets"):
        evaluator = module.make_evaluator(engine, None)
        arguments = evaluator.prepare(batches), weights_of(module)
        pairs = [evaluator(*arguments, pair) for pair in itertools.product(samples, repeat=2)]
        mean = [torch.stack(ones).mean(dim=0) for ones in zip(*pairs, strict=True)]
        assert_same(mean, expected, 1e-12)
        twice = [evaluator(*arguments, (one, one)) for one in samples]
        biased = torch.stack([losses for losses, _ in twice]).mean(dim=0)
        spread = torch.stack([losses for losses, _ in twice]).std(dim=0)
        assert float(biased[0] - expected[0][0]) > 0.05 * float(expected[0][0])
        assert float(spread[0]) > 0
        torch.testing.assert_close(biased[1], expected[0][1], rtol=1e-12, atol=0)


def test_drawn_directions_give_an_unbiased_estimate():
    """Over many steps: the mean stays within a few standard errors of the exact losses and gradient."""
    module, batches = in_five(2)
    expected = definition(module, batches, weights_of(module))
    evaluator = module.make_evaluator("autograd", None)
    prepared = evaluator.prepare(batches)
    count = 800
    found = [evaluator(prepared, weights_of(module), evaluator.draw_directions(3, step)) for step in range(count)]
    for values, exact in zip((torch.stack(ones) for ones in zip(*found, strict=True)), expected, strict=True):
        spread = values.std(dim=0) / math.sqrt(count)
        miss = (values.mean(dim=0) - exact).abs()
        varying = spread > 1e-12
        assert bool(varying.any())
        assert float((miss[varying] / spread[varying]).max()) < 4.5
        assert float((miss[varying] / spread[varying]).square().mean()) < 4.0
        assert float(miss[~varying].sum()) < 1e-10


def test_directions_are_a_function_of_seed_and_step():
    module, _ = in_five(2, t=[0, 1])
    evaluator = module.make_evaluator("autograd", None)
    first, second = evaluator.draw_directions(0, 7)
    assert first.shape == second.shape == (2, 6)
    again = module.make_evaluator("jets", 3).draw_directions(0, 7)
    assert torch.equal(again[0], first)
    assert torch.equal(again[1], second)
    counts = torch.zeros(5, 5)
    for step in range(600):
        one, other = (draw[:, :5].abs().sum(dim=0) > 0 for draw in evaluator.draw_directions(0, step))
        assert int(one.sum()) == int(other.sum()) == 2
        counts += torch.outer(one.float(), other.float())
    # each pair of axes, one of either sample, has the probability (2/5)^2: the samples are independent
    torch.testing.assert_close(counts / 600, torch.full((5, 5), 0.16), rtol=0, atol=4 * math.sqrt(0.16 * 0.84 / 600))
    draws = [torch.cat(evaluator.draw_directions(0, step)) for step in range(600)]
    mean = 5 * torch.stack([draw.T @ draw for draw in draws]).mean(dim=0) / 10  # of v v', summed over two samples
    torch.testing.assert_close(mean[:5, :5], torch.eye(5, dtype=torch.float64), rtol=0, atol=0.15)
    assert float(mean[5].abs().max()) == 0.0  # never along t
    assert not torch.equal(torch.cat(evaluator.draw_directions(1, 7)), torch.cat([first, second]))


@pytest.mark.parametrize("engine", ["compiled", "jets"])
def test_recorded_engines_estimate_the_same_with_the_same_directions(engine, recorded):
    module, batches = in_five(2)
    evaluator = module.make_evaluator(engine, 4)
    plain = module.make_evaluator("autograd", None)
    for step in range(2):
        directions = evaluator.draw_directions(0, step)
        expected = plain(plain.prepare(batches), weights_of(module), directions)
        assert_same(evaluator(evaluator.prepare(batches), weights_of(module), directions), expected, CLOSE)
    assert len(recorded) == 1  # directions are inputs of the recording


@pytest.mark.parametrize(
    ("directions", "equation"),
    [(None, "laplacian(u) + u^2 = sin(a)*b"), (5, "laplacian(u) = u"), (2, "u_aa + u_bb + u_a = u"), (2, "u_a = u")],
)
def test_without_a_large_laplacian_everything_is_exact(directions, equation, unrecorded):
    module, batches = in_five(directions, {**SPACE, "equations": {"poisson": equation}})
    expected = definition(module, batches, weights_of(module))
    for engine in ("autograd", "jets"):
        evaluator = module.make_evaluator(engine, None)
        assert evaluator.draw_directions(0, 0) == []
        assert_same(evaluator(evaluator.prepare(batches), weights_of(module)), expected, 1e-12)


def test_threads_share_the_chunks_on_a_cpu_alone(heat_words):
    module, _ = assembled(heat_words, {"sampling": SAMPLING})
    module.computation.threads = 4
    assert module.make_evaluator("jets", None).workers.count == 4
    assert module.to("meta").make_evaluator("jets", None).workers.count == 1
