"""What figures show of a problem's points and data."""

import numpy as np
import pytest

from pinnkit.problem.problem import Problem
from pinnkit.reporting.figures import draw
from pinnkit.reporting.history_figure import History
from pinnkit.runs.drawn_points import drawn_points, measured
from pinnkit.runs.planes import grid
from pinnkit.sampling.point_set import PointSet

CONDITIONS = {
    "point": {"at": "t = 0", "equations": "u(x=0.25) = 1"},
    "total": {"at": "x = 0", "equations": "integral(u(t=2), x) = 1"},
    "flux": {"at": "x = 0", "equations": "integral(u, x) = t"},
    "ends": {"at": "x = 0", "equations": "u(x=0) = u(x=1)"},
    "start": {"at": "t = 0", "equations": "u = x"},
}
WORDS = {
    "coordinates": {"x": [0, 1], "t": [0, 2]},
    "fields": ["u"],
    "parameters": {"c": {"learn": 1}, "k": 2.0},
    "equations": "u_t = c*u_xx",
}


@pytest.fixture(scope="module")
def shown():
    problem = Problem(**WORDS, conditions=CONDITIONS)
    rows = np.array([[0.1, 0.0], [0.7, 0.0], [0.4, 1.5]])
    return problem, rows, drawn_points(problem, {name: PointSet(rows) for name in [*CONDITIONS, "equations"]})


def test_points_lie_where_the_fields_are_evaluated(shown):
    _, rows, found = shown
    for name in ("start", "equations"):
        assert np.array_equal(np.column_stack(list(found[name].values())), rows)
    assert found["point"]["x"].tolist() == [0.25, 0.25]
    assert found["point"]["t"].tolist() == [0.0, 1.5]  # each place once
    assert sorted(zip(*map(np.ndarray.tolist, found["ends"].values()), strict=True)) == [
        (0, 0),
        (0, 1.5),
        (1, 0),
        (1, 1.5),
    ]


def test_a_coordinate_that_is_integrated_over_is_not_a_number(shown):
    _, _, found = shown
    assert np.isnan(found["total"]["x"]).all()
    assert found["total"]["t"].tolist() == [2.0]
    assert np.isnan(found["flux"]["x"]).all()
    assert found["flux"]["t"].tolist() == [0.0, 1.5]


def test_such_a_condition_is_drawn_as_lines_and_not_as_points(shown):
    problem, _, found = shown
    own = grid(problem, problem.domain.grid({"x": 5, "t": 5}), structured=True)
    points = {name: found[name] for name in ("flux", "start")} | {
        "all": {"x": np.array([np.nan]), "t": np.array([np.nan])}
    }
    figure = draw("", own, {"u": own.coordinates["x"]}, {}, {}, History([], [], []), points)["points"]
    (axes,) = figure.axes
    vertical = sorted(line.get_xdata()[0] for line in axes.lines if list(line.get_ydata()) == [0, 1])
    assert vertical == [0.0, 1.5]
    labels = {text.get_text() for text in axes.get_legend().get_texts()}
    assert labels == {"flux (2)", "start (3)", "all (integral)"}


def test_values_are_read_from_equations_that_are_linear_in_a_field(tmp_path):
    (tmp_path / "s.csv").write_text("x,t,S\n0.1,0.5,3\n0.2,0.6,5\n")

    def found(equations):
        conditions = {"samples": {"data": "s.csv", "equations": equations}}
        return measured(Problem(folder=tmp_path, **WORDS, conditions=conditions))["u"]

    assert found("u = S").values.tolist() == [3, 5]
    assert found("k*u + 1 = S").values.tolist() == [1, 2]
    assert found("u = S").coordinates["t"].tolist() == [0.5, 0.6]
    for unknown in ("u_x = S", "u^2 = S", "c*u = S", "u + u_t = S"):
        assert np.isnan(found(unknown).values).all(), unknown
    assert found(["u = S", "u_x = S"]).values.tolist() == [3, 5]
    assert measured(Problem(**WORDS, conditions={"start": {"at": "t = 0", "equations": "u = 0"}})) == {}
