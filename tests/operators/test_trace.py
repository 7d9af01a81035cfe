"""Traced graphs against the functions they come from, and what cannot be traced."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.func import functional_call

from pinnkit.operators.derivatives import derivatives
from pinnkit.operators.jet_interpreter import RULES
from pinnkit.operators.rules.linear import LINEAR
from pinnkit.operators.rules.pointwise import ZERO_DERIVATIVE
from pinnkit.operators.trace import Untraceable, check_traceable, record_graph


def uniform(n, d, seed=1):
    return torch.rand(n, d, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def mlp(activation=nn.Tanh):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 6), activation(), nn.Linear(6, 6), activation(), nn.Linear(6, 1)).double()


def operations(graph):
    return {node.target.overloadpacket for node in graph.graph.nodes if hasattr(node.target, "overloadpacket")}


def varying(graph):
    """The operations on values that depend on the inputs."""
    depends, found = set(), set()
    for node in graph.graph.nodes:
        if node.op == "placeholder":
            depends.add(node)
        elif node.op == "call_function" and depends & set(node.all_input_nodes):
            depends.add(node)
            found.add(getattr(node.target, "overloadpacket", node.target))
    return found


class Base(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Linear(2, 1, dtype=torch.float64)
        self.register_buffer("count", torch.zeros((), dtype=torch.float64))


class Updates(Base):
    def forward(self, points):
        self.count.add_(1)
        return self.layer(points)


class Replaces(Base):
    def forward(self, points):
        self.count = self.count + 1
        return self.layer(points)


class Deletes(Base):
    def forward(self, points):
        del self.count
        return self.layer(points)


class Adds(Base):
    def forward(self, points):
        self.register_buffer("largest", points.detach().amax())
        return self.layer(points)


class Normalised(Base):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(2, dtype=torch.float64)

    def forward(self, points):
        return self.layer(self.norm(points))


class ChangesParameter(Base):
    def forward(self, points):
        with torch.no_grad():
            self.layer.weight.mul_(0.5)
        return self.layer(points)


class OwnSine(torch.autograd.Function):
    """sin, with a backward pass that is half of what it should be."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.sin(x)

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return 0.5 * gradient * torch.cos(x)


class Custom(Base):
    def forward(self, points):
        return self.layer(OwnSine.apply(points))


class CustomOfParameters(Base):
    def forward(self, points):
        return torch.tanh(points @ OwnSine.apply(self.layer.weight).t())


class BranchesOnValues(Base):
    def forward(self, points):
        return self.layer(points) if points.sum() > 0 else -self.layer(points)


class ReadsAValue(Base):
    def forward(self, points):
        return self.layer(points) * points.detach().mean().item()


class CountsPoints(Base):
    def forward(self, points):
        return self.layer(points) * len(points[:, 0].gt(0).nonzero())


class PicksPoints(Base):
    def forward(self, points):
        return self.layer(points) * points[points[:, 0] > 0].sum()


class DropsOut(Base):
    def forward(self, points):
        return self.layer(F.dropout(points, 0.5, self.training))


class AddsNoise(Base):
    def forward(self, points):
        return self.layer(points + 0.1 * torch.randn_like(points))


def checked_and_recorded(network, points):
    """What an engine does with a network before it trusts its graph."""
    check_traceable(network, points)
    names, parameters = zip(*network.named_parameters(), strict=True)

    def function(*inputs):
        return functional_call(network, dict(zip(names, inputs[:-1], strict=True)), inputs[-1])

    graph = record_graph(function, [*[one.detach() for one in parameters], points])
    return lambda points: graph(*parameters, points)


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        (Updates, "forward pass changes 'count'"),
        (Replaces, "forward pass changes 'count'"),
        pytest.param(Deletes, "'count'"),
        pytest.param(Adds, "'largest'"),
        (Normalised, r"forward pass changes 'norm\.(running_mean|running_var|num_batches_tracked)'"),
        (ChangesParameter, "forward pass changes 'layer.weight'"),
        (Custom, r"custom autograd function \(OwnSine\)"),
        (CustomOfParameters, r"custom autograd function \(OwnSine\)"),
        (BranchesOnValues, "cannot be traced: .*data-dependent control flow"),
        (ReadsAValue, "cannot be traced: .*data-dependent"),
        pytest.param(CountsPoints, "nonzero"),
        pytest.param(PicksPoints, "index"),
        (DropsOut, "random operation .*bernoulli"),
        (AddsNoise, "random operation .*randn_like"),
    ],
)
def test_what_a_recording_would_miss_is_refused_with_the_reason(network, reason):
    with pytest.raises(Untraceable, match=reason):
        checked_and_recorded(network(), uniform(5, 2))


def test_dropout_that_is_switched_off_is_recorded():
    network, points = DropsOut().eval(), uniform(5, 2)
    torch.testing.assert_close(checked_and_recorded(network, points)(points), network(points), rtol=0, atol=0)


@pytest.mark.parametrize("activation", [nn.Tanh, nn.GELU, nn.SiLU, nn.Softplus, nn.Mish])
def test_a_plain_network_is_recorded_for_any_points_and_parameters(activation):
    network = mlp(activation)
    graph = checked_and_recorded(network, uniform(5, 2))
    for points in (uniform(5, 2, seed=2), uniform(5, 2, seed=3) * 4):
        torch.testing.assert_close(graph(points), network(points), rtol=1e-15, atol=1e-15)
    with torch.no_grad():
        for one in network.parameters():
            one.mul_(1.5).add_(0.1)
    points = uniform(5, 2, seed=4)
    torch.testing.assert_close(graph(points), network(points), rtol=1e-15, atol=1e-15)


def test_check_leaves_parameters_and_gradients_alone():
    network, points = mlp(), uniform(5, 2)
    before = [one.detach().clone() for one in network.parameters()]
    check_traceable(network, points)
    assert all(torch.equal(one, other) for one, other in zip(network.parameters(), before, strict=True))
    assert all(one.grad is None for one in network.parameters())
    assert not points.requires_grad


COMPOSITES = {
    "gelu": F.gelu,
    "gelu by tanh": lambda h: F.gelu(h, approximate="tanh"),
    "mish": F.mish,
    "softplus": lambda h: F.softplus(h, beta=2.0),
    "softplus far out": lambda h: F.softplus(h, beta=50.0),
    "silu": F.silu,
    "logsigmoid": F.logsigmoid,
    "celu": F.celu,
    "glu": lambda h: F.glu(h, 1),
    "softmax": lambda h: F.softmax(h, 1),
    "layer norm": lambda h: F.layer_norm(h, (4,)),
    "roll": lambda h: h.roll(1, 1),
    "lerp": lambda h: torch.lerp(h, h.sin(), h.cos()),
    "addcmul": lambda h: torch.addcmul(h, h.sin(), h.cos()),
    "matrix by vector": lambda h: h @ torch.ones(4, dtype=h.dtype),
    "masked fill": lambda h: h.masked_fill(h > 0, 1.0),
}


@pytest.mark.parametrize("name", COMPOSITES)
def test_a_simplified_recording_is_the_same_function_of_operations_with_rules(name):
    function, h = COMPOSITES[name], uniform(6, 4)
    graph = record_graph(lambda h: function(h), [h], simplify=True)
    assert varying(graph) <= set(RULES) | LINEAR | ZERO_DERIVATIVE
    for values in (h, 3 * uniform(6, 4, seed=2)):
        torch.testing.assert_close(graph(values), function(values), rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("name", ["mish", "softplus", "celu", "roll", "addcmul"])
def test_simplifying_takes_the_composite_away(name):
    composite, function, h = getattr(torch.ops.aten, name), COMPOSITES[name], uniform(6, 4)
    assert composite in operations(record_graph(lambda h: function(h), [h]))
    assert composite not in operations(record_graph(lambda h: function(h), [h], simplify=True))


@pytest.mark.parametrize(
    ("name", "kept"),
    [("silu", "silu"), ("gelu", "gelu"), ("layer norm", "native_layer_norm"), ("softmax", "_softmax")],
)
def test_what_has_a_rule_of_its_own_is_kept(name, kept):
    function = COMPOSITES[name]
    graph = record_graph(lambda h: function(h), [uniform(6, 4)], simplify=True)
    assert getattr(torch.ops.aten, kept) in operations(graph)


@pytest.mark.parametrize("simplify", [False, True])
@pytest.mark.parametrize("activation", [nn.Tanh, nn.GELU])
def test_a_recorded_training_step_gives_the_eager_loss_and_gradient(activation, simplify):
    """Two derivatives by the coordinates, then one by the parameters, all inside of the recording."""
    network = mlp(activation)
    names, parameters = zip(*network.named_parameters(), strict=True)

    def step(*inputs):
        leaves = [one.detach().requires_grad_() for one in inputs[:-1]]
        state = dict(zip(names, leaves, strict=True))
        wanted = [(0, ()), (0, (1,)), (0, (0, 0))]
        u, u_t, u_xx = derivatives(lambda p: functional_call(network, state, (p,)), inputs[-1], wanted).values()
        loss = (u_t - 0.1 * u_xx + u**3).square().mean()
        return loss.detach(), *torch.autograd.grad(loss, leaves)

    values = [one.detach() for one in parameters]
    graph = record_graph(step, [*values, uniform(7, 2)], simplify)
    for seed in (2, 3):
        points = uniform(7, 2, seed)
        moved = [one * (1 + 0.1 * seed) for one in values]
        for found, known in zip(graph(*moved, points), step(*moved, points), strict=True):
            assert not found.requires_grad
            torch.testing.assert_close(found, known, rtol=1e-14, atol=1e-14)


def test_what_is_not_used_is_not_recorded():
    def function(x):
        torch.atan(x)
        return torch.sin(x)

    assert operations(record_graph(function, [uniform(3, 2)])) == {torch.ops.aten.sin}


def test_one_mode_notes_the_shapes_of_a_recording(monkeypatch):
    """make_fx would make one for each operation, which is most of its time."""
    made, make, network = [], FakeTensorMode.__init__, mlp()
    monkeypatch.setattr(FakeTensorMode, "__init__", lambda mode, **named: made.append(mode) or make(mode, **named))
    graph = record_graph(lambda x: network(x).sin().sum(), (uniform(5, 2),))
    assert len(made) == 1
    assert len(list(graph.graph.nodes)) > 5
