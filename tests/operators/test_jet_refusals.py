"""Derivatives that are zero in Taylor mode, and operations that it refuses."""

from contextlib import suppress

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from pinnkit.operators.linear_operators import LinearCombination, SampledLaplacian
from pinnkit.operators.rules.common import MissingRuleError
from pinnkit.operators.trace import Untraceable, check_traceable
from tests.operators.jet_cases import FEW, HEAT, Around, N, assert_same, by_taylor, mlp, named, ramp, uniform


class Partly(nn.Module):
    """u_0 depends on x_1 alone, u_1 on nothing, u_2 linearly on x_0."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.tensor([0.4, 1.1, -0.7], dtype=torch.float64))

    def forward(self, points):
        ones = torch.ones_like(points[:, :1])
        return torch.cat(
            [torch.sin(self.w[0] * points[:, 1:2]), self.w[1] * ones, self.w[2] * points[:, :1] + self.w[0]], 1
        )


def test_what_an_output_does_not_depend_on_gives_zero():
    network, points = Partly(), uniform(N, 3)
    wanted = [(0, (0,)), (0, (2, 2)), (0, (0, 1)), (1, (0,)), (1, (1, 1)), (2, (0, 0)), (2, (1,))]
    found = by_taylor(network, points, wanted)
    for one in wanted:
        assert found[one].shape == (N, 1)
        assert found[one].abs().max() == 0
    assert_same(network, points, [*wanted, (0, (1, 1)), (2, (0,)), (1, ())])


@pytest.mark.parametrize("wanted", [(0, ()), (0, (0,)), (1, (0, 1)), (0, HEAT), (1, SampledLaplacian(0))])
def test_a_network_without_the_points_has_derivative_zero(wanted):
    class Constant(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(ramp(2))

        def forward(self, points):
            return self.w.expand(len(points), 2)

    network, points = Constant(), uniform(N, 2)
    found = by_taylor(network, points, [wanted], FEW)[wanted]
    expected = network.w[:1].expand(N, 1) if wanted[1] == () else torch.zeros(N, 1, dtype=torch.float64)
    torch.testing.assert_close(found, expected)


def test_the_identity_has_its_unit_slopes():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.tensor(2.0, dtype=torch.float64))

        def forward(self, points):
            return self.w * points

    found = by_taylor(Scaled(), uniform(N, 2), [(0, (0,)), (0, (1,)), (1, (1,)), (0, HEAT), (1, HEAT)], FEW)
    assert [found[one][2].item() for one in [(0, (0,)), (0, (1,)), (1, (1,))]] == [2.0, 0.0, 2.0]
    torch.testing.assert_close(found[0, HEAT], torch.full((N, 1), 2.0 * 0.7, dtype=torch.float64))
    assert found[1, HEAT].abs().max() == 0


@pytest.mark.parametrize(
    "operation",
    named(
        {
            "detach": lambda h: h.sin() * h.detach().cos(),
            "no_grad": lambda h: h.sin() * torch.no_grad()(torch.cos)(h),
        }
    ),
)
def test_what_is_detached_has_no_derivative_or_is_refused(operation):
    network, points = Around(operation, 2), uniform(N, 2)
    with suppress(Untraceable):
        check_traceable(network, points)
        assert_same(network, points, [(0, (0,)), (1, (0, 1))])


def test_detached_values_of_an_unsimplified_graph_have_no_derivative():
    network = Around(lambda h: h.sin() * h.detach().cos(), 2)
    assert_same(network, uniform(N, 2), [(0, (0,)), (1, (0, 1))], simplify=False)


def test_a_sum_with_the_value_as_a_term_is_right_or_refused():
    with suppress(ValueError):
        assert_same(mlp(2), uniform(N, 2), [(0, LinearCombination((((), 0), ((0, 0), 1))))], given=FEW)


@pytest.mark.parametrize(
    "operation",
    named(
        {
            "W h'": lambda h: (ramp(3, 4) @ h.t()).sin().t(),
            "h'": lambda h: h.t().sin().t(),
            "W h' transposed before": lambda h: (ramp(3, 4) @ h.t()).t().sin(),
            "a dimension in front": lambda h: h.unsqueeze(0).sin().squeeze(0),
            "stacked in front": pytest.param(lambda h: torch.stack([h, h * h]).sin().permute(1, 0, 2).flatten(1)),
        }
    ),
)
def test_layouts_in_which_the_points_are_not_first_are_right_or_refused(operation):
    network, points = Around(operation, 2), uniform(N, 2)
    with suppress(MissingRuleError):
        assert_same(network, points, [(0, (0, 0)), (1, HEAT)], given=FEW)


def shift(n):
    """The permutation matrix that takes each row from the one before."""
    return torch.eye(n, dtype=torch.float64).roll(1, 0)


@pytest.mark.parametrize(
    ("operation", "name"),
    [
        pytest.param(lambda h: h.sin() - h.sum(0, keepdim=True), "sum", id="sum"),
        pytest.param(lambda h: h.sin() * h.sum(), "sum", id="sum of all"),
        pytest.param(lambda h: h.sin() - h.mean(0, keepdim=True), "mean", id="mean"),
        pytest.param(lambda h: h.sin() - h.mean(), "mean", id="mean of all"),
        pytest.param(lambda h: F.batch_norm(h, None, None, training=True), "batch_norm", id="batch norm"),
        pytest.param(lambda h: F.softmax(h, 0), "softmax", id="softmax"),
        pytest.param(lambda h: F.layer_norm(h, h.shape), "layer_norm", id="layer norm of all"),
        pytest.param(lambda h: h.sin()[torch.arange(len(h)).roll(1)], "index", id="index"),
        pytest.param(lambda h: h * h[0], "select", id="one point"),
        pytest.param(lambda h: h * h[-1:], "slice", id="a slice of points"),
        pytest.param(lambda h: h * h.split(1)[0], "split", id="split"),
        pytest.param(lambda h: h * h.unbind(0)[0], "", id="unbind"),
        pytest.param(lambda h: torch.cat([h[:, :2], h[:, 2:]], 0).view(-1, 4), "cat", id="cat"),
        pytest.param(lambda h: h.sin().flip(0), "flip", id="flip"),
        pytest.param(lambda h: h.sin().roll(1, 0), "index_select", id="roll"),
        pytest.param(lambda h: h - (h.t() - h.t().mean(1, keepdim=True)).t(), "", id="mean of columns"),
        pytest.param(lambda h: F.softmax(h @ h.t(), -1) @ h, "", id="attention among points"),
        pytest.param(lambda h: shift(len(h)) @ h.sin(), "", id="matrix from the left"),
        pytest.param(lambda h: torch.einsum("mn,nj->mj", shift(len(h)), h), "", id="einsum over points"),
    ],
)
def test_operations_that_mix_points_are_refused(operation, name):
    with pytest.raises(MissingRuleError, match="Taylor mode has no rule for aten") as caught:
        by_taylor(Around(operation, 2), uniform(4, 2), [(0, (0,)), (1, (0, 1))])
    assert name in caught.value.operation


@pytest.mark.parametrize(
    ("operation", "name"),
    [
        (torch.atan, "aten.atan.default"),
        (lambda h: h.cumsum(1), "aten.cumsum.default"),
        (lambda h: h.view(-1, 2, 2).transpose(0, 1).sin().transpose(0, 1).flatten(1), "aten.sin.default"),
        (lambda h: torch.pow(2.0, h), "aten.pow.Scalar"),
        (lambda h: h.abs() ** h, "aten.pow.Tensor_Tensor"),
        (lambda h: torch.div(h, 0.3, rounding_mode="floor"), "aten.div.Tensor_mode"),
        (lambda h: h.sin().mul_(2.0), "aten.mul_.Tensor"),
    ],
)
def test_an_operation_without_a_rule_is_named(operation, name):
    with pytest.raises(MissingRuleError, match=f"Taylor mode has no rule for {name}") as caught:
        by_taylor(Around(operation, 2), uniform(4, 2), [(0, (0,))])
    assert caught.value.operation.startswith(name)
