"""Measured data over fields, and triangles between scattered points."""

from __future__ import annotations

import numpy as np
from matplotlib.collections import PathCollection, PolyCollection, TriMesh

from pinnkit.reporting.figures import Grid, Samples, draw
from pinnkit.reporting.outlines import Outlines, Region
from pinnkit.reporting.samples import MOST
from tests.reporting.figure_cases import NO_HISTORY, mesh, render


def dots(axes):
    return [item for item in axes.collections if isinstance(item, PathCollection)]


def with_samples(grid, u, samples):
    return draw("", grid, {"u": u, "v": u}, {"u": u}, {}, NO_HISTORY, {}, samples={"u": samples})


def test_samples_lie_on_the_map_in_the_colour_of_their_values(heat):
    grid, u, _ = heat
    places = {"x": np.array([-0.5, 0.0, 0.5]), "t": np.array([0.1, 0.2, 0.9])}
    values = np.array([-0.4, 0.1, 0.7])
    figures = with_samples(grid, u, Samples(places, values))
    (found,) = dots(figures["solution_u"].axes[0])
    assert np.array_equal(found.get_offsets(), np.column_stack([places["t"], places["x"]]))
    assert np.array_equal(found.get_array(), values)
    painted = figures["solution_u"].axes[0].collections[0]
    assert (found.cmap, found.norm.vmin, found.norm.vmax) == (painted.cmap, painted.norm.vmin, painted.norm.vmax)
    assert dots(figures["solution_v"].axes[0]) == dots(figures["error_u"].axes[0]) == []
    (black,) = dots(with_samples(grid, u, Samples(places, np.full(3, np.nan)))["solution_u"].axes[0])
    assert black.get_array() is None
    render(figures)


def test_samples_over_one_coordinate_are_dots_at_their_values():
    grid = mesh(t=np.linspace(0, 1, 20))
    t, values = np.linspace(0, 1, 5), np.arange(5.0)
    axes = with_samples(grid, grid.axis("t"), Samples({"t": t}, values))["solution_u"].axes[0]
    assert np.array_equal(axes.lines[-1].get_xdata(), t)
    assert np.array_equal(axes.lines[-1].get_ydata(), values)
    assert [text.get_text() for text in axes.figure.legends[0].get_texts()] == ["network", "reference", "samples"]


def test_a_snapshot_has_the_samples_near_its_time_and_of_many_a_part():
    grid = mesh(x=np.linspace(0, 1, 4), y=np.linspace(0, 1, 4), t=np.linspace(0, 3, 7))
    u = grid.coordinates["x"]
    t = np.array([0.0, 0.1, 0.5, 1.05, 3.0])
    *panels, _ = with_samples(grid, u, Samples({"x": t / 3, "y": t / 3, "t": t}, t))["solution_u"].axes
    shown = [one.get_array().tolist() for axes in panels for one in dots(axes)]
    assert shown == [[0.0, 0.1], [1.05], [3.0]]
    many = Samples({"x": np.zeros(3 * MOST)}, np.arange(3.0 * MOST))
    assert len(many.thinned()) == MOST
    assert many.thinned().values[[0, -1]].tolist() == [0, 3 * MOST - 1]


def test_triangles_leave_holes_and_wide_gaps_open():
    x, y = (values.ravel() for values in np.meshgrid(np.linspace(-1, 1, 31), np.linspace(-1, 1, 31)))
    radius = np.hypot(x, y)
    kept = radius >= 0.5
    hole = Region(lambda at: np.hypot(at["x"], at["y"]) >= 0.5, lambda at: np.hypot(at["x"], at["y"]) - 0.5)
    grid = Grid({"x": x[kept], "y": y[kept]}, False, outlines=Outlines(domain=hole))
    figure = draw("", grid, {"u": x[kept]}, {}, {}, NO_HISTORY, {})["solution_u"]
    (triangles,) = (one for one in figure.axes[0].collections if isinstance(one, TriMesh))
    found = triangles._triangulation
    middle = np.hypot(*(one[found.get_masked_triangles()].mean(axis=1) for one in (found.x, found.y)))
    assert middle.min() >= 0.5
    apart = np.abs(x) > 0.4  # no shape says that nothing is there
    figure = draw("", Grid({"x": x[apart], "y": y[apart]}, False), {"u": x[apart]}, {}, {}, NO_HISTORY, {})[
        "solution_u"
    ]
    found = figure.axes[0].collections[0]._triangulation
    assert np.abs(found.x[found.get_masked_triangles()].mean(axis=1)).min() > 0.4


def test_phases_at_scattered_points_beside_a_hole_have_a_colour_a_triangle():
    x, y = (values.ravel() for values in np.meshgrid(np.linspace(-1, 1, 31), np.linspace(-1, 1, 31)))
    kept = np.hypot(x, y) >= 0.5
    hole = Region(lambda at: np.hypot(at["x"], at["y"]) >= 0.5, lambda at: np.hypot(at["x"], at["y"]) - 0.5)
    grid = Grid({"x": x[kept], "y": y[kept]}, False, outlines=Outlines(domain=hole))
    figure = draw("", grid, {"h": np.exp(2j * x[kept])}, {}, {}, NO_HISTORY, {})["phase_h"]
    figure.canvas.draw()
    kinds = [one for one in figure.axes[0].collections if isinstance(one, PolyCollection)]
    (drawn,) = (one for one in kinds if one.get_array() is not None)
    middles = np.array([path.vertices[:3].mean(axis=0) for path in drawn.get_paths()])
    assert np.hypot(*middles.T).min() >= 0.5
    assert np.allclose(drawn.get_array(), 2 * middles[:, 0], atol=0.01)
