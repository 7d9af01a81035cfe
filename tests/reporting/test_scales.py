"""Colour maps and limits, chosen by the values."""

from __future__ import annotations

import numpy as np
import pytest

from pinnkit.reporting.scales import signed_scale, size_scale, solution_scale
from tests.reporting.figure_cases import colours, drawn, mesh, render


@pytest.mark.parametrize(
    ("low", "high", "colours", "limits"),
    [
        (0, 1, "viridis", (0, 1)),
        (-3, -1, "viridis", (-3, -1)),
        (-1, 0.5, "RdBu_r", (-1, 1)),
        (-0.2, 1, "RdBu_r", (-1, 1)),
        (-0.05, 1, "viridis", (-0.05, 1)),  # all but positive
        (-1e-9, 1, "viridis", (-1e-9, 1)),
    ],
)
def test_a_field_of_both_signs_has_a_diverging_map_with_zero_in_its_middle(low, high, colours, limits):
    scale = solution_scale(np.array([low, (low + high) / 2, high]), None)
    assert (scale.colours, (scale.low, scale.high)) == (colours, limits)


def test_one_value_does_not_blank_the_others():
    values = np.random.default_rng(0).standard_normal(10_000)
    assert (signed_scale(values).extend, signed_scale(values).note) == ("neither", "")
    values[17] = 1e6
    scale = signed_scale(values)
    assert scale.high == np.percentile(np.abs(values), 99.5) == -scale.low
    assert 2.5 < scale.high < 3.5
    assert scale.extend == "both"  # some normal values lie beyond on the other side
    assert scale.note == "99.5 % of the points; the largest is 1.0e+06"
    assert signed_scale(values, robust=False).high == 1e6
    sizes = size_scale(np.abs(values))
    assert (sizes.low, sizes.high, sizes.extend, sizes.note) == (0, scale.high, "max", scale.note)


def test_limits_are_those_of_all_values_where_these_are_few_or_most_are_zero():
    few = np.array([1.0] * 50 + [1e6])
    assert (signed_scale(few).high, signed_scale(few).note) == (1e6, "")
    spike = np.zeros(10_000)
    spike[3] = -2.0
    assert (signed_scale(spike).high, signed_scale(spike).extend) == (2.0, "neither")
    assert signed_scale(np.full(3, np.nan)).high == 1.0


def test_the_colour_bar_says_that_values_lie_beyond():
    grid = mesh(x=np.linspace(0, 1, 40), y=np.linspace(0, 1, 40))
    residual = np.sin(40 * grid.coordinates["x"])
    residual[20, 20] = 1e5
    figures = drawn(grid, {"u": residual}, residuals={"e": residual})
    axes, bar = figures["residual_e"].axes
    assert colours(axes).norm.vmax <= 1.0
    assert bar._colorbar.extend == "max"
    assert bar.get_ylabel() == "residual\n(99.5 % of the points; the largest is 1.0e+05)"
    assert colours(figures["solution_u"].axes[0]).norm.vmax == 1e5  # a solution is shown in full
    render(figures)
