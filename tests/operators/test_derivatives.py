"""Nested automatic differentiation against closed forms, and the plan of its backward passes."""

import pytest
import torch
from torch import nn

from pinnkit.operators.derivatives import derivatives, plan
from pinnkit.operators.linear_operators import LinearCombination, OperatorData, SampledLaplacian


def two_layer_sigmoid(hidden=8):
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(2, hidden, dtype=torch.float64), nn.Sigmoid(), nn.Linear(hidden, 1, dtype=torch.float64)
    )


def grid_5_by_7():
    x = torch.linspace(-1, 1, 5, dtype=torch.float64)
    t = torch.linspace(0, 1, 7, dtype=torch.float64)
    return torch.cartesian_prod(x, t)


def closed_form(network, points):
    """u = v . s(W p + b) + c with s' = s (1 - s), s'' = s' (1 - 2 s): u_x, u_t, u_xx, each (n, 1)."""
    weight, v = network[0].weight, network[2].weight[0]
    s = torch.sigmoid(network[0](points))
    first = s * (1 - s)
    second = first * (1 - 2 * s)
    u_x = (first * weight[:, 0]) @ v
    u_t = (first * weight[:, 1]) @ v
    u_xx = (second * weight[:, 0] ** 2) @ v
    return u_x[:, None], u_t[:, None], u_xx[:, None]


def by_grad(network, points):
    """u_x, u_t, u_xx by torch.autograd.grad on the sum."""
    x, t = points[:, :1].clone().requires_grad_(), points[:, 1:].clone().requires_grad_()
    u = network(torch.cat([x, t], dim=1))
    u_x, u_t = torch.autograd.grad(u.sum(), (x, t), create_graph=True)
    (u_xx,) = torch.autograd.grad(u_x.sum(), x, create_graph=True)
    return u_x, u_t, u_xx


def by_backward(network, points):
    """The same by Tensor.backward with create_graph, reading and clearing .grad."""
    x, t = points[:, :1].clone().requires_grad_(), points[:, 1:].clone().requires_grad_()
    u = network(torch.cat([x, t], dim=1))
    u.backward(gradient=torch.ones_like(u), create_graph=True, inputs=(x, t))
    u_x, u_t = x.grad, t.grad
    x.grad = t.grad = None
    u_x.backward(gradient=torch.ones_like(u_x), create_graph=True, inputs=(x,))
    u_xx, x.grad = x.grad, None  # clearing breaks the cycle between a leaf and its gradient
    return u_x, u_t, u_xx


@pytest.mark.filterwarnings("ignore:Using backward:UserWarning")  # torch warns of the cycle; .grad is cleared
def test_grad_of_the_sum_and_backward_with_ones_agree_with_the_closed_form():
    network, points = two_layer_sigmoid(), grid_5_by_7()
    expected = closed_form(network, points)
    for way in (by_grad(network, points), by_backward(network, points)):
        for value, exact in zip(way, expected, strict=True):
            assert value.shape == (35, 1)
            assert value.dtype == torch.float64
            torch.testing.assert_close(value, exact, rtol=1e-13, atol=1e-14)


def test_derivatives_agree_with_the_closed_form_and_share_passes(monkeypatch):
    network, points = two_layer_sigmoid(), grid_5_by_7()
    passes = []
    original = torch.autograd.grad
    monkeypatch.setattr(torch.autograd, "grad", lambda *a, **k: passes.append(1) or original(*a, **k))
    found = derivatives(network, points, [(0, ()), (0, (0,)), (0, (1,)), (0, (0, 0))])
    assert len(passes) == 2
    for key, exact in zip([(0, (0,)), (0, (1,)), (0, (0, 0))], closed_form(network, points), strict=True):
        assert found[key].shape == (35, 1)
        torch.testing.assert_close(found[key], exact, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize(
    ("wanted", "passes"),
    [
        ([(0, ())], 0),
        ([(0, (0,)), (0, (1,)), (0, (0, 0))], 2),
        ([(0, (0, 1))], 2),
        ([(0, (0, 0)), (0, (0, 1)), (0, (1, 1))], 3),
        ([(0, (0, 0)), (0, (0, 1)), (0, (0,))], 2),
        ([(0, (0, 0, 0)), (0, (1,))], 3),
        ([(0, (0, 0)), (1, (0, 0))], 4),
        ([(0, (0, 0, 0, 0)), (0, (0, 0, 1, 1)), (0, (1, 1, 1, 1))], 8),
    ],
)
def test_plan_covers_what_is_wanted_with_few_passes(wanted, passes):
    made = plan(wanted)
    known = {(output, ()) for output, _ in wanted}
    for parent, children in made:
        assert parent in known
        known |= set(children)
    assert set(wanted) <= known
    assert len(made) == passes


def test_derivatives_of_polynomials_of_several_outputs():
    points = torch.rand(11, 3, dtype=torch.float64)
    x, y, z = points.split(1, dim=1)

    def function(p):
        a, b, c = p.split(1, dim=1)
        return torch.cat([a**3 * b**2 * c, a * b * c**4], dim=1)

    found = derivatives(function, points, [(0, (0, 0, 1)), (0, (0, 1, 2)), (1, (2, 2, 2)), (1, (0, 1)), (1, ())])
    torch.testing.assert_close(found[0, (0, 0, 1)], 12 * x * y * z)
    torch.testing.assert_close(found[0, (0, 1, 2)], 6 * x**2 * y)
    torch.testing.assert_close(found[1, (2, 2, 2)], 24 * x * y * z)
    torch.testing.assert_close(found[1, (0, 1)], z**4)
    torch.testing.assert_close(found[1, ()], x * y * z**4)


def test_what_does_not_depend_on_the_points_has_derivative_zero():
    points = torch.rand(4, 2, dtype=torch.float64)
    linear = nn.Linear(2, 1, dtype=torch.float64)
    found = derivatives(linear, points, [(0, (0,)), (0, (0, 1))])
    torch.testing.assert_close(found[0, (0,)], linear.weight[0, 0].expand(4, 1))
    assert found[0, (0, 1)].abs().max() == 0
    constant = derivatives(lambda p: torch.ones(len(p), 1, dtype=p.dtype), points, [(0, (0,))])
    assert constant[0, (0,)].abs().max() == 0


def test_the_parameter_gradient_passes_through_every_derivative():
    """d/dw of mean(u_x^2) for u = tanh(w x): u_x = w (1 - tanh^2(w x)), by central differences."""
    points = torch.linspace(-1, 1, 9, dtype=torch.float64)[:, None]
    weight = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)

    def loss(w):
        return derivatives(lambda p: torch.tanh(w * p), points, [(0, (0,)), (0, (0, 0))])[0, (0, 0)].square().mean()

    (gradient,) = torch.autograd.grad(loss(weight), weight)
    step = 1e-5
    with torch.no_grad():
        central = (loss(weight + step) - loss(weight - step)) / (2 * step)
    torch.testing.assert_close(gradient, central, rtol=1e-8, atol=0)


def cubic(p):
    """y_0 = x^3 y^2 + z, y_1 = x y z."""
    x, y, z = p.split(1, dim=1)
    return torch.cat([x**3 * y**2 + z, x * y * z], dim=1)


def test_a_sum_takes_numbers_scalar_tensors_and_one_number_a_point():
    torch.manual_seed(2)
    points = torch.rand(11, 3, dtype=torch.float64)
    x, y, z = points.split(1, dim=1)
    field = torch.rand(11, 1, dtype=torch.float64)
    given = OperatorData((0.5, torch.tensor(-2.0, dtype=torch.float64), field))
    operator = LinearCombination((((0, 0), 0), ((0, 1), 1), ((1, 1), 2), ((2,), 1)))
    first_order = LinearCombination((((2,), 2),))
    found = derivatives(cubic, points, [(0, operator), (1, operator), (1, first_order), (0, (0, 1))], given)
    exact = 0.5 * 6 * x * y**2 - 2 * 6 * x**2 * y + field * 2 * x**3 - 2
    torch.testing.assert_close(found[0, operator], exact)
    torch.testing.assert_close(found[1, operator], -2 * z - 2 * x * y)
    torch.testing.assert_close(found[1, first_order], field * x * y)
    torch.testing.assert_close(found[0, (0, 1)], 6 * x**2 * y)
    assert list(found) == [(0, operator), (1, operator), (1, first_order), (0, (0, 1))]


def test_the_derivatives_of_a_sum_are_shared_with_those_wanted_alone(monkeypatch):
    passes = []
    original = torch.autograd.grad
    monkeypatch.setattr(torch.autograd, "grad", lambda *a, **k: passes.append(1) or original(*a, **k))
    heat = LinearCombination((((1,), 0), ((0, 0), 1)))
    network, points = two_layer_sigmoid(), grid_5_by_7()
    found = derivatives(network, points, [(0, heat), (0, (0,)), (0, (0, 0))], OperatorData((1.0, -0.1)))
    assert len(passes) == 2
    u_x, u_t, u_xx = closed_form(network, points)
    torch.testing.assert_close(found[0, heat], u_t - 0.1 * u_xx, rtol=1e-13, atol=1e-14)
    torch.testing.assert_close(found[0, (0,)], u_x, rtol=1e-13, atol=1e-14)


def test_the_coefficients_of_a_sum_have_a_gradient():
    points = grid_5_by_7()
    alpha = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    heat = LinearCombination((((1,), 0), ((0, 0), 1)))
    network = two_layer_sigmoid()
    residual = derivatives(network, points, [(0, heat)], OperatorData((1.0, alpha)))[0, heat]
    (gradient,) = torch.autograd.grad(residual.square().mean(), alpha)
    _, u_t, u_xx = closed_form(network, points)
    torch.testing.assert_close(gradient, (2 * (u_t + alpha * u_xx) * u_xx).mean().detach())


def test_a_sample_sums_the_second_derivatives_along_its_directions():
    """v' H v for each v, with the Hessian H of x^3 y^2 + z."""
    torch.manual_seed(3)
    points = torch.rand(11, 3, dtype=torch.float64)
    other, directions = torch.randn(2, 3, dtype=torch.float64), torch.randn(4, 3, dtype=torch.float64)
    x, y, _ = points.split(1, dim=1)
    found = derivatives(cubic, points, [(0, SampledLaplacian(1)), (0, ())], OperatorData((), (other, directions)))
    exact = sum(v[0] ** 2 * 6 * x * y**2 + 2 * v[0] * v[1] * 6 * x**2 * y + v[1] ** 2 * 2 * x**3 for v in directions)
    torch.testing.assert_close(found[0, SampledLaplacian(1)], exact)
    torch.testing.assert_close(found[0, ()], x**3 * y**2 + points[:, 2:])


def test_unit_vectors_as_a_sample_give_the_laplacian():
    points = grid_5_by_7()
    laplacian = LinearCombination((((0, 0), 0), ((1, 1), 0)))
    given = OperatorData((1.0,), (torch.eye(2, dtype=torch.float64),))
    found = derivatives(two_layer_sigmoid(), points, [(0, laplacian), (0, SampledLaplacian(0))], given)
    torch.testing.assert_close(found[0, SampledLaplacian(0)], found[0, laplacian], rtol=1e-13, atol=1e-14)
    assert found[0, laplacian].abs().max() > 1e-3


def test_a_sample_and_a_sum_of_what_does_not_depend_on_the_points_are_zero():
    points = torch.rand(4, 2, dtype=torch.float64)
    given = OperatorData((2.0,), (torch.ones(3, 2, dtype=torch.float64),))
    laplacian = LinearCombination((((0, 0), 0), ((1, 1), 0)))
    wanted = [(0, SampledLaplacian(0)), (0, laplacian)]
    for function in (lambda p: torch.ones(len(p), 1, dtype=p.dtype), lambda p: 3 * p[:, :1]):
        for value in derivatives(function, points, wanted, given).values():
            assert value.shape == (4, 1)
            assert value.abs().max() == 0
