"""Units and names on the axes of figures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pinnkit.reporting.figures import History, draw
from tests.reporting.figure_cases import NO_HISTORY, drawn, mesh, render

UNITS = {"x": "m", "t": "s", "u": "K", "v": "1", "alpha": "m^2/s"}


def with_units(grid, **units):
    return replace(grid, units={**UNITS, **units})


def test_axes_and_colour_bars_name_their_units(heat):
    grid, u, error = heat
    figures = drawn(with_units(grid), {"u": u + error, "v": u}, {"u": u}, {"heat": error})
    axes, bar = figures["solution_u"].axes
    assert (axes.get_xlabel(), axes.get_ylabel(), bar.get_ylabel()) == ("$t$ (s)", "$x$ (m)", "$u$ (K)")
    assert figures["solution_v"].axes[1].get_ylabel() == "$v$"  # 1 is no unit
    assert figures["error_u"].axes[1].get_ylabel() == "error of $u$ (K)"
    assert figures["residual_heat"].axes[1].get_ylabel() == "residual"
    (slices,) = figures["slices_u"].axes
    assert (slices.get_xlabel(), slices.get_ylabel()) == ("$x$ (m)", "$u$ (K)")
    assert slices.lines[1].get_label() == "$t$ = 0.2 s"
    (points,) = drawn(with_units(grid), {"u": u}, points={"all": {"x": u, "t": u}})["points"].axes
    assert (points.get_xlabel(), points.get_ylabel()) == ("$t$ (s)", "$x$ (m)")
    render(figures)


def test_snapshots_curves_portraits_and_parity_name_them_too():
    solid = with_units(mesh(x=np.linspace(0, 1, 4), y=np.linspace(0, 1, 5), t=np.linspace(0, 2, 6)))
    panels = drawn(solid, {"u": solid.coordinates["x"]})["solution_u"].axes
    assert panels[-2].get_title() == "$t$ = 2 s"
    line = with_units(mesh(t=np.linspace(0, 1, 9)), v="m/s")
    t = line.axis("t")
    portrait = drawn(line, {"u": t, "v": t})["phase_portrait"].axes[0]
    assert (portrait.get_xlabel(), portrait.get_ylabel()) == ("$u$ (K)", "$v$ (m/s)")
    many = with_units(mesh(**{name: np.linspace(0, 1, 3) for name in "wxyz"}))
    parity = drawn(many, {"u": many.coordinates["w"]}, {"u": many.coordinates["w"]})["solution_u"].axes[0]
    assert (parity.get_xlabel(), parity.get_ylabel()) == ("$u$, reference (K)", "$u$, network (K)")


@pytest.mark.parametrize(("unit", "aspect"), [("m", 1.0), ("", 1.0), ("kg", "auto")])
def test_a_plane_is_to_scale_where_both_coordinates_have_one_unit(unit, aspect):
    grid = mesh(x=np.linspace(0, 2, 7), y=np.linspace(0, 1, 4))
    units = {"x": "m", "y": unit} if unit else {"x": "m"}
    axes = drawn(replace(grid, units=units), {"u": grid.coordinates["x"]})["solution_u"].axes[0]
    assert axes.get_aspect() == aspect


def test_learned_parameters_over_the_steps_with_their_exact_values(heat):
    grid, u, _ = heat
    steps = np.arange(0, 50, 10)
    learned = {"alpha": np.linspace(1, 0.1, 5), "k_0": np.full(5, 3.0)}
    history = History(steps, steps / 10, np.ones(5), phases=[(0, "adam"), (20, "bfgs")], learned=learned)
    figures = draw("heat", with_units(grid), {"u": u}, {}, {}, history, {}, truths={"alpha": 0.1})
    first, second = figures["learned_parameters"].axes
    assert np.array_equal(first.lines[0].get_xdata(), steps)
    assert np.array_equal(first.lines[0].get_ydata(), learned["alpha"])
    assert first.lines[1].get_ydata() == [0.1, 0.1]
    assert first.lines[1].is_dashed()
    assert (first.get_ylabel(), first.get_title(loc="right")) == (
        "$\\alpha$ (m$^{2}$/s)", "$\\alpha$ = 0.1, exact 0.1",
    )  # fmt: skip
    assert (second.get_ylabel(), second.get_title(loc="right")) == ("$k_{0}$", "$k_{0}$ = 3")
    assert len(second.lines) == 2  # the value, and the mark of the second phase
    assert second.lines[1].get_xdata() == [20, 20]
    assert "learned_parameters" not in draw("heat", grid, {"u": u}, {}, {}, NO_HISTORY, {})
    render({"learned": figures["learned_parameters"]})
