"""Figures of a field over space and time: titles, colours, scales."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from tests.reporting.figure_cases import colours, drawn, mesh, titles


def bar_label(figure: Figure) -> str:
    return figure.axes[-1].get_ylabel() or figure.axes[-1].get_xlabel()


def test_space_and_time(heat):
    grid, u, error = heat
    figures = drawn(grid, {"u": u + error}, {"u": u}, {"heat": 5 * error})
    assert set(figures) == {
        "solution_u",
        "reference_u",
        "error_u",
        "slices_u",
        "residual_heat",
        "loss_history",
        "points",
    }
    for name, values in {"solution_u": u + error, "reference_u": u, "residual_heat": 5 * error}.items():
        axes, _ = figures[name].axes
        assert (axes.get_xlabel(), axes.get_ylabel()) == ("$t$", "$x$")
        assert (axes.get_xlim(), axes.get_ylim()) == ((0, 1), (-1, 1))
        # Rows run along x, which stands upright; columns along t.
        assert np.array_equal(colours(axes).get_array(), values)
    assert np.array_equal(colours(figures["error_u"].axes[0]).get_array(), (u + error) - u)


def test_the_titles_carry_the_figures_that_matter(heat):
    grid, u, error = heat
    text = titles(drawn(grid, {"u": u + error}, {"u": u}, {"heat": 5 * error}, title="heat $ bar"))
    relative = np.linalg.norm(error) / np.linalg.norm(u)
    assert text["solution_u"] == rf"heat \$ bar: $u$, relative $L^2$ error {relative:.1e}"
    assert text["error_u"] == rf"heat \$ bar: error of $u$, at most {np.abs(error).max():.1e}"
    assert text["residual_heat"] == rf"heat \$ bar: residual of heat, RMS {5 * np.sqrt((error**2).mean()):.1e}"
    assert titles(drawn(grid, {"u": u}, {"u": u}, title=""))["solution_u"] == "$u$, relative $L^2$ error 0"


@pytest.mark.parametrize("signed", [True, False])
def test_signed_colours_are_symmetric_and_solutions_share_theirs(heat, signed):
    grid, u, error = heat
    u = u if signed else u + 2
    figures = drawn(grid, {"u": u + error}, {"u": u}, {"heat": 5 * error})
    for name, largest in {
        "error_u": np.abs((u + error) - u).max(),
        "residual_heat": 5 * np.abs(error).max(),
    }.items():
        painted = colours(figures[name].axes[0])
        assert (painted.norm.vmin, painted.norm.vmax) == (-largest, largest)
        assert painted.cmap.name == "RdBu_r"
        assert figures[name].axes[1].get_ylim() == (-largest, largest)
    for name in ("solution_u", "reference_u"):
        painted = colours(figures[name].axes[0])
        largest = np.abs(u).max()
        assert (painted.norm.vmin, painted.norm.vmax) == ((-largest, largest) if signed else (u.min(), u.max()))
        assert painted.cmap.name == ("RdBu_r" if signed else "viridis")
        assert figures[name].axes[1].get_ylabel() == "$u$"


def test_a_solution_beyond_the_reference_is_marked_on_the_colour_bar(heat):
    grid, u, _ = heat
    values = u.copy()
    values[3, 3] = 7.0
    bars = drawn(grid, {"u": values}, {"u": u})["solution_u"].axes[1]._colorbar
    assert bars.extend == "max"
    assert drawn(grid, {"u": u}, {"u": u})["solution_u"].axes[1]._colorbar.extend == "neither"


def test_the_order_of_coordinates_does_not_change_the_picture(heat):
    grid, u, _ = heat
    turned = mesh(t=grid.axis("t"), x=grid.axis("x"))
    axes, _ = drawn(turned, {"u": u.T})["solution_u"].axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("$t$", "$x$")
    assert np.array_equal(colours(axes).get_array(), u)


@pytest.mark.parametrize("turned", [False, True])
def test_slices_lie_over_their_references(heat, turned):
    grid, u, error = heat
    x, t = grid.axis("x"), grid.axis("t")
    if turned:
        grid, u, error = mesh(t=t, x=x), u.T, error.T
    (axes,) = drawn(grid, {"u": u + error}, {"u": u})["slices_u"].axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("$x$", "$u$")
    shown = [0, 1, 2, 4, 5]  # five of the six times, first and last among them
    rows = (u + error if turned else (u + error).T)[shown]
    references = (u if turned else u.T)[shown]
    assert len(axes.lines) == 10
    for line, row in zip(axes.lines, [*rows, *references], strict=True):
        assert np.array_equal(line.get_ydata(), row)
        assert np.array_equal(line.get_xdata(), x)
    labels = [text.get_text() for text in axes.figure.legends[0].get_texts()]
    assert labels == [f"$t$ = {t[index]:.3g}" for index in shown] + ["reference"]
    assert all(line.is_dashed() for line in axes.lines[5:])
    assert not any(line.is_dashed() for line in axes.lines[:5])


def test_without_a_reference_there_is_neither_error_nor_reference(heat):
    grid, u, _ = heat
    figures = drawn(grid, {"u": u, "v": -u}, {"v": u})
    assert {"solution_u", "slices_u"} <= set(figures)
    assert not {"reference_u", "error_u"} & set(figures)
    assert {"reference_v", "error_v"} <= set(figures)
    assert figures["solution_u"].get_suptitle() == "heat: $u$"
    assert len(figures["slices_u"].axes[0].lines) == 5


def test_a_plane_is_drawn_to_scale():
    grid = mesh(x=np.linspace(0, 2, 7), y=np.linspace(0, 1, 4))
    x, y = grid.coordinates.values()
    figures = drawn(grid, {"u": x + 10 * y}, {"u": x + 10 * y + 1e-7})
    assert "slices_u" not in figures
    for name, values in {"solution_u": x + 10 * y, "reference_u": x + 10 * y + 1e-7}.items():
        axes = figures[name].axes[0]
        assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_aspect()) == ("$x$", "$y$", 1.0)
        assert np.array_equal(colours(axes).get_array(), values.T)
    assert bar_label(figures["error_u"]) == "error of $u$"


def test_a_long_channel_is_not_drawn_to_scale():
    grid = mesh(x=np.linspace(0, 20, 7), y=np.linspace(0, 1, 4))
    axes = drawn(grid, {"u": grid.coordinates["x"]})["solution_u"].axes[0]
    assert axes.get_aspect() == "auto"
