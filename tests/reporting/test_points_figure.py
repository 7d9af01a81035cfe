"""The figure of the collocation points."""

from __future__ import annotations

import numpy as np

from tests.reporting.figure_cases import drawn, mesh


def test_points_in_a_plane_and_on_a_line(heat):
    grid, u, _ = heat
    generator = np.random.default_rng(0)
    points = {
        "ends": {"x": np.array([-1.0, 1.0]), "t": np.array([0.25, 0.75])},
        "heat": {"x": generator.uniform(-1, 1, 30), "t": generator.uniform(0, 1, 30)},
    }
    (axes,) = drawn(grid, {"u": u}, points=points)["points"].axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("$t$", "$x$")
    assert (axes.get_xlim(), axes.get_ylim()) == ((0, 1), (-1, 1))
    below, above = axes.lines  # the larger set is drawn first
    assert np.array_equal(below.get_xdata(), points["heat"]["t"])
    assert np.array_equal(below.get_ydata(), points["heat"]["x"])
    assert np.array_equal(above.get_xdata(), points["ends"]["t"])
    assert below.get_color() != above.get_color()
    assert {text.get_text() for text in axes.get_legend().get_texts()} == {"heat (30)", "ends (2)"}

    line = mesh(x=np.linspace(-1, 1, 5))
    (axes,) = drawn(line, {"u": line.axis("x")}, points=points)["points"].axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["ends (2)", "heat (30)"]
    assert np.array_equal(axes.lines[1].get_xdata(), points["heat"]["x"])
    assert [one.get_marker() for one in axes.lines] == ["o", "|"]
    assert [one.get_clip_on() for one in axes.lines] == [False, True]  # the ends lie on the frame


def test_points_of_three_coordinates_are_seen_on_the_first_two():
    grid = mesh(x=np.linspace(0, 1, 3), y=np.linspace(0, 1, 3), t=np.linspace(0, 1, 3))
    points = {"e": {name: np.array([0.1, 0.2]) * scale for name, scale in zip("xyt", (1, 2, 3), strict=True)}}
    figure = drawn(grid, {"u": grid.coordinates["x"]}, points=points)["points"]
    assert figure.get_suptitle().endswith("seen on $x$ and $y$")
    assert np.array_equal(figure.axes[0].lines[0].get_ydata(), points["e"]["y"])
