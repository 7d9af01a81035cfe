"""Figures of fields over one, two, three and more coordinates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.collections import TriMesh
from matplotlib.colors import to_hex

from pinnkit.reporting.figures import Grid, draw
from tests.reporting.figure_cases import NO_HISTORY, colours, drawn, mesh, render


def test_snapshots_in_time():
    grid = mesh(x=np.linspace(-1, 1, 5), t=np.linspace(0, 1, 7), y=np.linspace(-2, 2, 6))
    x, t, y = grid.coordinates.values()
    u = x + 10 * y + 100 * t + 20
    figures = drawn(grid, {"u": u + 0.5}, {"u": u}, {"ns": x})
    *panels, bar = figures["solution_u"].axes
    assert [axes.get_title() for axes in panels] == [f"$t$ = {value}" for value in ("0", "0.333", "0.667", "1")]
    for axes, index in zip(panels, (0, 2, 4, 6), strict=True):
        assert np.array_equal(colours(axes).get_array(), (u + 0.5)[:, index, :].T)
        assert (axes.get_xlim(), axes.get_ylim(), axes.get_aspect()) == ((-1, 1), (-2, 2), 1.0)
        painted = colours(axes)
        assert (painted.norm.vmin, painted.norm.vmax) == (u.min(), u.max())
    assert (panels[0].get_xlabel(), panels[0].get_ylabel(), bar.get_ylabel()) == ("$x$", "$y$", "$u$")
    comparison = figures["slices_u"].axes
    assert len(comparison) == 3 * 4 + 3
    assert np.array_equal(colours(comparison[4 + 1]).get_array(), u[:, 2, :].T)
    assert np.array_equal(colours(comparison[8 + 3]).get_array(), ((u + 0.5) - u)[:, 6, :].T)
    assert [axes.get_ylabel() for axes in comparison[12:]] == ["$u$", "reference", "error"]
    assert len(figures["residual_ns"].axes) == 5
    assert "slices_u" not in drawn(grid, {"u": u})


def test_a_family_is_drawn_at_several_values_of_its_parameter():
    nu = np.geomspace(0.01, 1, 7)
    grid = replace(
        mesh(x=np.linspace(-1, 1, 5), t=np.linspace(0, 1, 4), nu=nu), parameters=("nu",), logarithmic=("nu",)
    )
    u = grid.coordinates["x"] + 10 * grid.coordinates["t"] + 100 * grid.coordinates["nu"]
    figures = drawn(grid, {"u": u + 0.5}, {"u": u})
    *panels, _ = figures["solution_u"].axes
    assert [axes.get_title() for axes in panels] == [f"$\\nu$ = {nu[index]:.3g}" for index in (0, 2, 4, 6)]
    for axes, index in zip(panels, (0, 2, 4, 6), strict=True):
        assert np.array_equal(colours(axes).get_array(), (u + 0.5)[:, :, index])
        assert (axes.get_xlabel(), axes.get_xlim(), axes.get_ylim()) == ("$t$", (0, 1), (-1, 1))
    assert len(figures["slices_u"].axes) == 3 * 4 + 3


def test_a_family_over_one_coordinate_is_curves_and_a_map_with_a_logarithmic_axis():
    nu = np.geomspace(0.01, 1, 9)
    grid = replace(mesh(x=np.linspace(-1, 1, 5), nu=nu), parameters=("nu",), logarithmic=("nu",))
    u = grid.coordinates["x"] * grid.coordinates["nu"]
    figures = drawn(grid, {"u": u})
    (axes,) = figures["slices_u"].axes
    assert [line.get_label() for line in axes.lines] == [f"$\\nu$ = {nu[index]:.3g}" for index in (0, 2, 4, 6, 8)]
    assert np.array_equal(axes.lines[1].get_ydata(), u[:, 2])
    axes, _ = figures["solution_u"].axes
    assert (axes.get_xlabel(), axes.get_xscale(), axes.get_yscale()) == ("$\\nu$", "log", "linear")
    render(figures)


def test_middle_planes_of_a_solid():
    grid = mesh(x=np.linspace(0, 1, 5), y=np.linspace(0, 2, 7), z=np.linspace(0, 3, 9))
    x, y, z = grid.coordinates.values()
    u = x + 10 * y + 100 * z
    *panels, _ = drawn(grid, {"u": u})["solution_u"].axes
    expected = [("$x$", "$y$", u[:, :, 4], "$z$ = 1.5"), ("$x$", "$z$", u[:, 3, :], "$y$ = 1")]
    expected += [("$y$", "$z$", u[2, :, :], "$x$ = 0.5")]
    for axes, (horizontal, vertical, values, title) in zip(panels, expected, strict=True):
        assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_title()) == (horizontal, vertical, title)
        assert np.array_equal(colours(axes).get_array(), values.T)


def test_curves_and_the_phase_portrait_of_a_system():
    grid = mesh(t=np.linspace(0, 10, 50))
    t = grid.axis("t")
    u, v = np.cos(t), -np.sin(t)
    figures = drawn(grid, {"u": u + 1e-7, "v": v}, {"u": u, "v": v}, {"velocity": 1e-6 * u})
    (axes,) = figures["solution_u"].axes
    network, reference = axes.lines
    assert np.array_equal(network.get_ydata(), u + 1e-7)
    assert np.array_equal(reference.get_ydata(), u)
    assert reference.is_dashed()
    assert to_hex(reference.get_color()) == "#000000"
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_xlim()) == ("$t$", "$u$", (0, 10))
    (axes,) = figures["error_u"].axes
    low, high = axes.get_ylim()
    assert low == -high
    assert high >= np.abs((u + 1e-7) - u).max()
    assert np.array_equal(axes.lines[0].get_ydata(), (u + 1e-7) - u)
    (axes,) = figures["phase_portrait"].axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("$u$", "$v$")
    assert np.array_equal(axes.lines[0].get_xdata(), u + 1e-7)
    assert np.array_equal(axes.lines[0].get_ydata(), v)
    assert "phase_portrait" not in drawn(grid, {"u": u})
    assert "phase_portrait" not in drawn(grid, {"u": u, "v": v, "w": u})


def test_scattered_points_on_a_line_are_joined_in_order():
    x = np.array([0.5, 0.1, 0.9])
    (axes,) = drawn(Grid({"x": x}, structured=False), {"u": 2 * x})["solution_u"].axes
    assert axes.lines[0].get_xdata().tolist() == [0.1, 0.5, 0.9]
    assert axes.lines[0].get_ydata().tolist() == [0.2, 1.0, 1.8]


def test_scattered_points_in_a_plane_are_coloured_triangles_or_a_few_dots():
    generator = np.random.default_rng(0)
    x, y = generator.uniform(-1, 1, (2, 40))
    figures = drawn(Grid({"x": x, "y": y}, structured=False), {"u": x * y + 1e-3}, {"u": x * y})
    (triangles,) = figures["solution_u"].axes[0].collections
    assert isinstance(triangles, TriMesh)
    assert np.array_equal(triangles.get_array(), x * y + 1e-3)
    assert {"reference_u", "error_u"} <= set(figures)
    for few in ({"x": x[:5], "y": y[:5]}, {"x": x, "y": 2 * x}):  # too few, and all on a line
        u = few["x"]
        (dots,) = drawn(Grid(few, structured=False), {"u": u})["solution_u"].axes[0].collections
        assert np.array_equal(dots.get_array(), u)
        assert np.array_equal(dots.get_offsets(), np.column_stack(list(few.values())))


@pytest.mark.parametrize("structured", [False, True])
def test_many_coordinates_are_compared_point_by_point(structured):
    generator = np.random.default_rng(0)
    if structured:
        grid = mesh(**{f"x{i}": np.linspace(0, 1, 3) for i in range(4)})
    else:
        grid = Grid({f"x{i}": generator.uniform(0, 1, 50) for i in range(10)}, structured=False)
    u = sum(values**2 for values in grid.coordinates.values())
    noise = 1e-2 * generator.standard_normal(u.shape)
    figures = drawn(grid, {"u": u + noise}, {"u": u}, {"poisson": noise})
    assert set(figures) == {"solution_u", "error_u", "residual_poisson", "loss_history", "points"}
    (axes,) = figures["solution_u"].axes
    assert np.array_equal(axes.lines[0].get_xdata(), u.ravel())
    assert np.array_equal(axes.lines[0].get_ydata(), (u + noise).ravel())
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("$u$, reference", "$u$, network")
    for name in ("error_u", "residual_poisson"):
        (axes,) = figures[name].axes
        assert axes.get_xlim()[0] == -axes.get_xlim()[1]
        assert sum(bar.get_height() for bar in axes.patches) == u.size
    (axes,) = drawn(grid, {"u": u})["solution_u"].axes
    assert sum(bar.get_height() for bar in axes.patches) == u.size


@pytest.mark.parametrize("count", [1, 2, 3])
def test_single_points_and_constants_draw(count):
    grid = mesh(**{name: np.zeros(1) for name in "xyt"[:count]})
    constant = np.full([1] * count, 3.0)
    figures = drawn(grid, {"u": constant}, {"u": constant}, {"e": 0 * constant})
    render({name: figures[name] for name in ("solution_u", "error_u", "points")})
    assert figures["solution_u"].get_suptitle().endswith("error 0")


def test_a_function_of_a_field_is_drawn_against_it():
    grid = mesh(x=np.linspace(-1, 1, 5), t=np.linspace(0, 1, 4))
    u = grid.coordinates["x"] * (1 + grid.coordinates["t"])
    fields, references = {"u": u, "f": u**2}, {"u": 2 * u, "f": 4 * u**2}
    figures = draw("", grid, fields, references, {}, NO_HISTORY, {}, {"f": "u"})
    network, reference = figures["curve_f"].axes[0].lines
    assert np.array_equal(network.get_xdata(), np.sort(u.ravel()))
    assert np.array_equal(network.get_ydata(), network.get_xdata() ** 2)
    assert np.array_equal(reference.get_ydata(), reference.get_xdata() ** 2)
    assert (figures["curve_f"].axes[0].get_xlabel(), figures["curve_f"].get_suptitle()) == (
        "$u$", "$f$ as a function of $u$"
    )  # fmt: skip
