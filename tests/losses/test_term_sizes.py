"""Sizes of terms against closed forms, of equations as text and in Python."""

import pytest
import torch

from pinnkit.language.calculus import Partial
from pinnkit.losses.residuals import groups
from pinnkit.losses.term_sizes import TermSizes, additive_terms
from pinnkit.problem.problem import Problem
from pinnkit.sampling.point_set import PointSet

X = torch.linspace(-1.0, 1.0, 7, dtype=torch.float64)[:, None]


def cubic(points: torch.Tensor) -> torch.Tensor:
    """u = x^3 - x."""
    return points**3 - points


def sizes(equation):
    problem = Problem(
        coordinates={"x": [-1, 1]},
        fields=["u"],
        equations={"one": equation},
        conditions={"end": {"at": "x = -1", "equations": "u = 0"}},
    )
    group, _ = groups(problem)
    values = group.point_values(cubic, PointSet(X), {})
    values = {key: one.detach() for key, one in values.items()}
    group.evaluated(cubic, PointSet(X), values)
    return TermSizes(group).at(cubic, PointSet(X), values)["one"], TermSizes(group), values


@pytest.mark.parametrize(
    ("equation", "size"),
    [
        ("u_xx - 6*u = 6*x", abs(6 * X) + abs(6 * (X**3 - X)) + abs(6 * X)),
        ("x*(u_xx - 2*u_x) = 1", abs(6 * X**2) + abs(2 * X * (3 * X**2 - 1)) + 1),
        ("(1 - u^2)*u_x = 0", abs((1 - (X**3 - X) ** 2) * (3 * X**2 - 1))),
        (lambda p: p.u_xx - 6 * p.u - 6 * p.x, abs(6 * X) + abs(6 * (X**3 - X)) + abs(6 * X)),
    ],
)
def test_the_size_is_the_sum_of_the_terms_absolute_values(equation, size):
    torch.testing.assert_close(sizes(equation)[0], size)


def test_levels_take_the_place_of_fields_and_derivatives():
    _, found, values = sizes("u_xx - 6*u = 6*x")
    levels = {("x", "x"): 2.0, (): 0.5}

    def level(partial: Partial) -> float:
        return levels[partial.derivative]

    torch.testing.assert_close(found.by_levels(PointSet(X), values, level)["one"], 2.0 + 3.0 + abs(6 * X))


def test_a_product_of_sums_with_fields_stays_one_term():
    u = Partial("u", ("x",))
    assert additive_terms((1 - u**2) * (u + 1)) == ((1 - u**2) * (u + 1),)
