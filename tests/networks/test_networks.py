"""Networks: shapes, embeddings, transforms, and what the seed decides."""

import math

import pytest
import torch

from pinnkit.networks.architectures.mlp import MLP as Network
from pinnkit.networks.build import build
from pinnkit.networks.embeddings import CoordinateEmbedding, RandomFourier
from pinnkit.networks.fields import TRANSFORMS, Output
from pinnkit.networks.mlp import ACTIVATIONS, MLP
from pinnkit.networks.settings import SMOOTHNESS
from pinnkit.problem import parts


def build_two_fields(settings=None, periodic=(), transforms=(None, None), columns=((0, 1), (0, 1)), seed=0):
    fields = [Output(*both, periodic=periodic) for both in zip(columns, transforms, strict=True)]
    return build(settings or Network(), [-1.0, 0.0], [1.0, 2.0], fields, seed, linear=True, steady=False)


def points(n=6):
    generator = torch.Generator().manual_seed(3)
    return torch.rand(n, 2, dtype=torch.float64, generator=generator) * 2 - torch.tensor([1.0, 0.0])


def test_mlp_computes_its_formula():
    torch.manual_seed(0)
    network = MLP(2, 1, width=4, depth=2, activation="tanh")
    (w0, b0), (w1, b1), (w2, b2) = [(layer.weight, layer.bias) for layer in network.layers]
    p = points()
    expected = torch.tanh(torch.tanh(p @ w0.T + b0) @ w1.T + b1) @ w2.T + b2
    torch.testing.assert_close(network(p), expected, rtol=1e-14, atol=1e-15)


def test_glorot_weights_have_their_variance():
    torch.manual_seed(0)
    layer = MLP(100, 1, width=300, depth=1).layers[0]
    assert float(layer.weight.detach().var()) == pytest.approx(2 / 400, rel=0.02)
    assert layer.bias.abs().max() == 0


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_the_activation_decides_the_smoothness_that_its_table_claims(activation):
    torch.manual_seed(0)
    network = MLP(1, 1, width=8, depth=2, activation=activation)
    x = torch.linspace(-1, 1, 21, dtype=torch.float64)[:, None].requires_grad_()
    (first,) = torch.autograd.grad(network(x).sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x, create_graph=True)
    assert first.abs().max() > 1e-3
    assert bool(second.abs().max() > 1e-6) == (SMOOTHNESS[activation] > 1)


def test_every_activation_has_a_known_smoothness():
    assert set(ACTIVATIONS) == set(SMOOTHNESS)


def test_transforms_are_those_that_a_problem_may_name():
    assert set(TRANSFORMS) == set(parts.TRANSFORMS)


def test_coordinates_are_scaled_to_minus_one_and_one():
    embedding = CoordinateEmbedding([-1.0, 2.0], [3.0, 10.0])
    corners = torch.tensor([[-1.0, 2.0], [3.0, 10.0], [1.0, 6.0]], dtype=torch.float64)
    torch.testing.assert_close(embedding(corners), torch.tensor([[-1.0, -1], [1, 1], [0, 0]], dtype=torch.float64))


def test_periodic_embedding_is_periodic_with_its_derivatives():
    network = build_two_fields(Network(harmonics=2), periodic=(0,))
    t = torch.linspace(0, 2, 5, dtype=torch.float64)
    jets = []
    for end in (-1.0, 1.0):
        x = torch.full_like(t, end).requires_grad_()
        u = network(torch.stack([x, t], dim=1))[:, 0]
        (u_x,) = torch.autograd.grad(u.sum(), x, create_graph=True)
        (u_xx,) = torch.autograd.grad(u_x.sum(), x)
        jets.append(torch.stack([u, u_x, u_xx]).detach())
    torch.testing.assert_close(jets[0], jets[1], rtol=0, atol=1e-13)
    assert jets[0][1].abs().max() > 1e-3


def test_embedding_holds_the_harmonics():
    embedding = CoordinateEmbedding([0.0], [2.0], periodic=[0], harmonics=2)
    x = torch.tensor([[0.3]], dtype=torch.float64)
    angles = [math.pi * 0.3, 2 * math.pi * 0.3]
    expected = [math.cos(a) for a in angles] + [math.sin(a) for a in angles]
    torch.testing.assert_close(embedding(x)[0], torch.tensor(expected, dtype=torch.float64))


def test_random_fourier_features_have_unit_pairs_and_their_scale():
    torch.manual_seed(0)
    features = RandomFourier(2, 4000, 3.0)
    values = features(points())
    torch.testing.assert_close(values[:, :4000] ** 2 + values[:, 4000:] ** 2, torch.ones(6, 4000, dtype=torch.float64))
    assert float(features.matrix.std()) == pytest.approx(3 * math.pi, rel=0.03)


def test_fourier_features_change_the_network_as_asked():
    network = build_two_fields(Network(fourier_features=16))
    assert network.networks[0][-1].layers[0].in_features == 32
    assert build_two_fields().networks[0][-1].layers[0].in_features == 2


def test_one_network_or_one_for_each_field():
    shared, separate = build_two_fields(), build_two_fields(Network(separate=True))
    assert (len(shared.networks), len(separate.networks)) == (1, 2)
    assert shared(points()).shape == separate(points()).shape == (6, 2)
    gradient = torch.autograd.grad(separate(points())[:, 0].sum(), separate.networks[1].parameters(), allow_unused=True)
    assert all(part is None or part.abs().max() == 0 for part in gradient)


def test_a_field_depends_on_its_own_coordinates_alone_and_keeps_its_place():
    network = build_two_fields(columns=((1,), (0, 1)), transforms=("softplus", None))
    p = points().requires_grad_()
    values = network(p)
    (first,) = torch.autograd.grad(values[:, 0].sum(), p, retain_graph=True)
    (second,) = torch.autograd.grad(values[:, 1].sum(), p)
    assert first[:, 0].abs().max() == 0
    assert first[:, 1].abs().min() > 0
    assert second.abs().min() > 0
    assert values[:, 0].min() > 0  # softplus went to the first field


@pytest.mark.parametrize(
    ("name", "low", "high"), [("softplus", 0, 9), ("exp", 0, 9), ("sigmoid", 0, 1), ("tanh", -1, 1)]
)
def test_output_transforms_bound_the_field(name, low, high):
    plain, bound = build_two_fields(), build_two_fields(transforms=(None, name))
    before, after = plain(points()), bound(points())
    torch.testing.assert_close(after[:, 0], before[:, 0])
    torch.testing.assert_close(after[:, 1], TRANSFORMS[name](before[:, 1]))
    assert low < float(after[:, 1].detach().min())
    assert float(after[:, 1].detach().max()) < high


@pytest.mark.parametrize(
    ("dimension", "linear", "neurons", "parameters"),
    [
        (1, True, 20, 901),
        (2, True, 20, 921),
        (3, True, 20, 941),
        (5, True, 68, 9861),
        (1, False, 20, 901),
        (2, False, 30, 1981),
        (3, False, 30, 2011),
        (5, False, 68, 9861),
    ],
)
def test_the_equations_decide_the_width(dimension, linear, neurons, parameters):
    box = ([0.0] * dimension, [1.0] * dimension)
    network = build(Network(), *box, [Output(tuple(range(dimension)))], 0, linear=linear, steady=False)
    assert Network().chosen(dimension, dimension, linear, False).width == neurons
    assert network.networks[0][-1].layers[1].weight.shape == (neurons, neurons)
    assert sum(one.numel() for one in network.parameters()) == parameters
    given = build(Network(width=7), *box, [Output(tuple(range(dimension)))], 0, linear=linear, steady=False)
    assert given.networks[0][-1].layers[0].out_features == 7


@pytest.mark.parametrize(
    ("dimension", "linear", "steady", "expected"),
    [
        (1, True, True, "sin"),
        (3, True, True, "sin"),
        (4, True, True, "tanh"),
        (2, True, False, "tanh"),
        (2, False, True, "tanh"),
        (2, False, False, "tanh"),
    ],
)
def test_the_equations_decide_the_activation(dimension, linear, steady, expected):
    def activation(settings):
        box = ([0.0] * dimension, [1.0] * dimension)
        network = build(settings, *box, [Output((0,))], 0, linear=linear, steady=steady)
        return network.networks[0][-1].activation

    assert Network().chosen(dimension, 1, linear, steady).activation == expected
    assert activation(Network()) is ACTIVATIONS[expected]
    assert activation(Network(activation="gelu")) is ACTIVATIONS["gelu"]


def test_weights_are_a_function_of_the_seed_and_leave_the_global_generator_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first = build_two_fields(seed=1)
    torch.testing.assert_close(torch.rand(3), expected, rtol=0, atol=0)
    second, other = build_two_fields(seed=1), build_two_fields(seed=2)
    same = [torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True)]
    assert all(same)
    assert not torch.equal(next(first.parameters()), next(other.parameters()))


def test_a_network_of_the_users_is_taken_as_it_is():
    own = torch.nn.Linear(2, 2, dtype=torch.float64)
    outputs = [Output((0, 1), scale=4.0), Output((0, 1))]
    network = build(Network(), [-1.0, 0.0], [1.0, 2.0], outputs, 0, linear=True, steady=False, custom=own)
    torch.testing.assert_close(network(points()), own(points()))


def test_outputs_are_multiplied_by_the_size_of_their_field_unless_a_transform_sets_the_range():
    box = ([-1.0, 0.0], [1.0, 2.0])
    plain = build(Network(), *box, [Output((0, 1)), Output((0, 1), "sigmoid")], 0, linear=True, steady=False)
    sized = build(
        Network(), *box, [Output((0, 1), None, 64.0), Output((0, 1), "sigmoid", 64.0)], 0, linear=True, steady=False
    )
    torch.testing.assert_close(sized(points())[:, 0], 64 * plain(points())[:, 0], rtol=0, atol=0)
    torch.testing.assert_close(sized(points())[:, 1], plain(points())[:, 1], rtol=0, atol=0)
