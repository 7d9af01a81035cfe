"""The losses of all terms at once: passes shared among conditions, shares, and what each engine is asked for."""

from dataclasses import replace

import pytest
import torch

from pinnkit.losses.objective import Objective
from pinnkit.losses.residuals import mean_square
from pinnkit.operators.derivatives import derivatives
from pinnkit.operators.linear_operators import LinearCombination, SampledLaplacian
from pinnkit.sampling.point_set import PointSet
from tests.conftest import assembled

SMALL = {"network": {"width": 5, "depth": 2}, "sampling": {"equations": 30, "conditions": 12}}
ROD = {
    "coordinates": {"x": [-1, 1], "t": [0, 1]},
    "fields": ["u"],
    "parameters": {"alpha": 0.1},
    "equations": {"heat": "u_t = alpha * u_xx"},
    "conditions": {
        "initial": {"at": "t = 0", "equations": "u = sin(pi*x)"},
        "left": {"at": "x = -1", "equations": "u = 0"},
        "right": {"at": "x = 1", "equations": ["u_x = u_x(x=-1)", "u = u(x=-1)"]},
        "middle": {"at": "x = 0.5", "equations": "u = cos(t)"},
    },
}


class Asked:
    """Nested autograd that notes how many points and which operators each call is for."""

    def __init__(self):
        self.calls = []

    def __call__(self, network, points, wanted, given):
        self.calls.append((len(points), {operator for _, operator in wanted}))
        return derivatives(network, points, wanted, given)


def losses(module, batches, together=False, engine=derivatives, **options):
    objective = Objective(tuple(module.groups.values()), engine, together, **options)
    return objective, objective(module.network, batches, module.parameter_values())


def test_losses_are_the_mean_squares_in_the_order_of_the_terms():
    module, batches = assembled(ROD, SMALL)
    expected = module.losses(batches)
    for together in (False, True):
        objective, found = losses(module, batches, together)
        assert objective.terms == tuple(expected) == ("heat", "initial", "left", "right_1", "right_2", "middle")
        torch.testing.assert_close(found, torch.stack(list(expected.values())), rtol=1e-13, atol=0)


def test_conditions_that_need_the_same_derivatives_share_a_pass():
    module, batches = assembled(ROD, SMALL)
    asked = Asked()
    losses(module, batches, engine=asked)
    # the equation; u at initial, left and middle; u and u_x on the right and at its image on the left
    assert sorted((count, sorted(map(str, wanted))) for count, wanted in asked.calls) == [
        (24, ["()", "(0,)"]),
        (30, ["(0, 0)", "(1,)"]),
        (36, ["()"]),
    ]
    seen = []

    def network(points):
        seen.append(len(points))
        return module.network(points)

    losses_of = Objective(tuple(module.groups.values()), derivatives)
    losses_of(network, batches, module.parameter_values())
    assert sorted(seen) == [24, 30, 36]


def test_sums_with_coefficients_are_not_merged_across_groups():
    """Two groups ask for sums of one shape with coefficients that differ from point to point."""
    words = {**ROD, "equations": {"heat": "u_t = x^2 * u_xx"}}
    words["conditions"] = {"initial": {"at": "t = 0", "equations": "u_t = exp(x) * u_xx"}}
    module, batches = assembled(words, SMALL)
    asked = Asked()
    objective, found = losses(module, batches, True, asked)
    assert [len(part.sums) for part in objective.parts.values()] == [1, 1]
    assert [count for count, _ in asked.calls] == [30, 12]
    torch.testing.assert_close(found, torch.stack(list(module.losses(batches).values())), rtol=1e-13, atol=0)


def test_only_engines_that_carry_sums_are_asked_for_them():
    module, batches = assembled(ROD, SMALL)
    for together in (False, True):
        asked = Asked()
        losses(module, batches, together, asked)
        kinds = {type(operator) for _, wanted in asked.calls for operator in wanted}
        assert kinds == ({tuple, LinearCombination} if together else {tuple})


@pytest.mark.parametrize("together", [False, True])
def test_a_share_is_the_weight_of_its_point(together):
    """Points whose share is zero may be anywhere; the loss is that of the others."""
    module, batches = assembled(ROD, SMALL)
    some = {name: PointSet(one.coordinates[:5]) for name, one in batches.items()}
    given = {name: torch.zeros(len(one), 1, dtype=torch.float64) for name, one in batches.items()}
    for one in given.values():
        one[:5] = 0.2
    objective = Objective(tuple(module.groups.values()), derivatives, together)
    parts = {name: replace(one, shares=given[name]) for name, one in batches.items()}
    found = objective(module.network, parts, module.parameter_values())
    torch.testing.assert_close(found, torch.stack(list(module.losses(some).values())), rtol=1e-13, atol=0)
    given["left"][7] = 3.0
    more = objective(module.network, parts, module.parameter_values())
    residual = module.residuals("left", batches["left"])["left"][7]
    torch.testing.assert_close((more - found)[2], 3 * residual.square()[0], rtol=1e-10, atol=0)
    assert torch.equal(more[:2], found[:2])


@pytest.mark.parametrize("together", [False, True])
def test_residuals_in_python_join_the_pass_of_the_text_once_they_are_known(together):
    def matched(p):
        return p.u_xx - p.alpha * p.u_x + p.x * p.u

    words = {**ROD, "equations": {"heat": "u_t = alpha * u_xx", "matched": matched}}
    module, batches = assembled(words, SMALL)
    expected = torch.stack(list(module.losses(batches).values()))  # this finds out what `matched` reads
    asked = Asked()
    _, found = losses(module, batches, together, asked)
    torch.testing.assert_close(found, expected, rtol=1e-13, atol=0)
    (equations,) = [wanted for count, wanted in asked.calls if count == 30]
    assert equations == {(), (0,), (0, 0), (1,)}  # u_xx is wanted on its own: there is nothing left to sum


def test_the_normal_derivative_is_taken_along_the_normal_of_each_point():
    words = {
        "coordinates": {"x": [0, 1], "y": [0, 1]},
        "fields": ["u"],
        "equations": "laplacian(u) = 0",
        "conditions": {"flux": {"at": "boundary", "equations": "u_n = x*y"}},
    }
    module, batches = assembled(words, SMALL)
    flux = batches["flux"]
    assert flux.normals.shape == flux.coordinates.shape
    found = derivatives(module.network, flux.coordinates, [(0, (0,)), (0, (1,))])
    along = flux.normals[:, :1] * found[0, (0,)] + flux.normals[:, 1:] * found[0, (1,)]
    expected = mean_square(along - flux.coordinates.prod(dim=1, keepdim=True))
    for together in (False, True):
        torch.testing.assert_close(losses(module, batches, together)[1][1], expected, rtol=1e-13, atol=0)


def test_directions_ask_for_two_samples_and_nothing_else_changes():
    names = "abcde"
    words = {
        "coordinates": {name: [0, 1] for name in names},
        "fields": ["u"],
        "equations": {"poisson": "laplacian(u) = u", "other": "u_a = u"},
        "conditions": {"face": {"at": "a = 0", "equations": "u = 1"}},
    }
    module, batches = assembled(words, SMALL)
    eye = torch.eye(5, dtype=torch.float64)
    asked = Asked()
    objective = Objective(tuple(module.groups.values()), asked, directions=2)
    assert objective.estimated == 5
    arguments = (module.network, batches, module.parameter_values())
    found = objective(*arguments, [eye, eye])  # all directions: the Laplacian itself
    assert {SampledLaplacian(0), SampledLaplacian(1)} <= set().union(*[wanted for _, wanted in asked.calls])
    expected = torch.stack(list(module.losses(batches).values()))
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=0)
    few = objective(*arguments, [eye[:2], eye[2:4]])
    assert abs(few[0] / expected[0] - 1) > 1e-3
    torch.testing.assert_close(few[1:], expected[1:], rtol=1e-12, atol=0)
    small = Objective(tuple(module.groups.values()), derivatives, directions=5)
    assert small.estimated == 0
    torch.testing.assert_close(small(*arguments), expected, rtol=1e-12, atol=0)
