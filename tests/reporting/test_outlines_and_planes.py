"""Lines of shapes in figures, and planes through problems of many coordinates."""

import numpy as np
import pytest
from matplotlib.contour import ContourSet

from pinnkit.problem.problem import Problem
from pinnkit.reporting.figures import Grid, draw
from pinnkit.reporting.history_figure import History
from pinnkit.reporting.outlines import Outlines, Region
from pinnkit.reporting.planes import Planes, rows_of_views
from pinnkit.runs.planes import grid as grid_of_problem
from pinnkit.runs.planes import planes_grid
from tests.reporting.figure_cases import colours, render

EMPTY = History([], [], [])


def region(distance):
    return Region(lambda at: distance(at) >= 0, distance)


def lines(axes):
    return [item for item in axes.collections if isinstance(item, ContourSet)]


def vertices(found):
    return np.concatenate([path.vertices for path in found.get_paths()])


@pytest.mark.parametrize("structured", [True, False])
def test_the_domain_and_what_lies_in_it_are_outlined(structured):
    asked = []

    def disk(at):
        asked.append(1)
        return 0.8 - np.hypot(at["x"], at["y"])

    within = {"half": lambda at: 0.1 - at["x"], "rest": lambda at: at["x"] - 0.1, "nowhere": lambda at: at["x"] - 5}
    outlines = Outlines(region(disk), {name: region(distance) for name, distance in within.items()})
    x, y = np.meshgrid(np.linspace(-1, 1, 21), np.linspace(-1, 1, 31), indexing="ij")
    coordinates = {"x": x, "y": y} if structured else {"x": x.ravel(), "y": y.ravel()}
    grid = Grid(coordinates, structured, outlines=outlines)
    u = np.where(disk(grid.coordinates) >= 0, grid.coordinates["x"], np.nan)
    figures = draw("disk", grid, {"u": u}, {"u": u}, {}, EMPTY, {"all": {"x": x.ravel(), "y": y.ravel()}})
    for name in ("solution_u", "reference_u", "error_u", "points"):
        *_, rim, half = lines(figures[name].axes[0])
        assert np.abs(np.hypot(*vertices(rim).T) - 0.8).max() < 1e-4
        assert np.abs(vertices(half)[:, 0] - 0.1).max() < 1e-4
    assert len(asked) == (
        5 if structured else 6
    )  # for u and its triangles; the outline is known from picture to picture
    render(figures)


def test_colours_reach_to_the_boundary_of_the_domain():
    x, y = np.linspace(-1, 1, 11), np.linspace(-1, 1, 11)
    across, up = np.meshgrid(x, y)
    values = np.where(np.hypot(across, up) <= 0.7, 3.0, np.nan)
    values[5, 5] = np.nan  # left out inside
    found = Outlines(region(lambda at: 0.7 - np.hypot(at["x"], at["y"]))).continued(values, ("x", x), ("y", y), {})
    assert set(found[np.isfinite(found)]) == {3.0}
    near = np.hypot(across, up) < 0.89
    near[5, 5] = False
    assert np.isfinite(found[near]).all()
    assert np.isnan(found[[5, 0], [5, 0]]).all()


def test_the_outlines_of_a_problem_are_those_of_its_shapes():
    words = {
        "coordinates": {"x": [-1, 1], "y": [-1, 1], "t": [0, 1]},
        "fields": ["u"],
        "equations": "u_t = laplacian(u)",
        "shapes": {
            "hole": {"disk": {"center": [0.5, 0], "radius": 0.25}},
            "core": {"disk": {"center": [-0.5, 0], "radius": 0.2}},
        },
        "domain": "box - hole",
        "conditions": {"core": {"at": "core", "equations": "u = 0"}},
    }
    problem = Problem(**words)
    x, y, t = np.meshgrid([-1.0, 0, 1], [-1.0, 0, 1], [0.0, 1], indexing="ij")
    outlines = grid_of_problem(problem, {"x": x, "y": y, "t": t}, structured=True).outlines
    at = {"x": np.array([0.5, -0.5, 0.0]), "y": np.zeros(3), "t": np.full(3, 0.3)}
    assert outlines.domain.contains(at).tolist() == [False, True, True]
    np.testing.assert_allclose(outlines.domain.distance(at), [-0.25, 0.5, 0.25])
    assert outlines.within["core"].contains(at).tolist() == [False, True, False]
    np.testing.assert_allclose(outlines.within["core"].distance(at), [-0.8, 0.2, -0.3])
    plain = {key: words[key] for key in ("coordinates", "fields", "equations")}
    assert grid_of_problem(Problem(**plain), {"x": x, "y": y, "t": t}, structured=True).outlines.domain is None


def posed(coordinates, parameters=None):
    return Problem(coordinates=coordinates, fields=["u"], equations="u_x = 0", parameters=parameters or {})


UNIT = [0, 1]
SPACE = dict.fromkeys("xyz", UNIT)


@pytest.mark.parametrize(
    ("coordinates", "parameters", "shape", "rows"),
    [
        ({**SPACE, "t": UNIT}, {}, (31, 31, 31, 3), [["xy"] * 3, ["xz"] * 3, ["yz"] * 3]),
        ({**SPACE, "w": UNIT, "v": UNIT}, {}, (61, 61, 1, 1, 1), [["xy"]]),
        ({"x": UNIT, "y": UNIT, "t": UNIT}, {"k": {"range": [0.01, 1], "log": True}}, (61, 61, 3, 3), [["xy"] * 3] * 3),
        (SPACE, {"k": {"range": UNIT}}, (31, 31, 31, 3), [["xy"] * 3, ["xz"] * 3, ["yz"] * 3]),
        (
            {"x": UNIT, "t": UNIT},
            {"k": {"range": UNIT}, "m": {"range": UNIT}},
            (61, 31, 31, 1),
            [["tx"] * 3],
        ),
        (SPACE, {}, None, None),
    ],
    ids=["space and time", "five", "family in time", "family", "two parameters", "three"],
)
def test_planes_of_many_coordinates(coordinates, parameters, shape, rows):
    grid = planes_grid(posed(coordinates, parameters))
    assert (grid.shape if grid else None) == shape
    if grid is not None:
        views = rows_of_views(grid)
        assert [[one.horizontal + one.vertical for one in row] for row in views] == rows
        assert len({(view.horizontal, view.vertical, *view.at.items()) for row in views for view in row}) == sum(
            map(len, rows)
        )
    if parameters.get("k", {}).get("log"):
        assert np.allclose(grid.axis("k"), [0.01, 0.1, 1])


def test_values_on_planes_are_those_of_the_grid():
    grid = planes_grid(posed({**SPACE, "t": UNIT}))
    x, y, z, t = grid.coordinates.values()
    u, h = x + 10 * y + 100 * z + 1000 * t, x + 1j * t
    planes = Planes(grid, {"u": u, "h": h}, {"u": u + 1})
    scattered = Grid({name: np.linspace(0, 1, 9) for name in "xyzt"}, structured=False, time="t")
    fields = {"u": np.ones(9), "h": np.ones(9) * 1j}
    figures = draw("many", scattered, fields, {}, {}, EMPTY, {}, planes=planes)
    assert {"slices_u", "slices_error_u", "slices_h", "solution_u"} <= set(figures)
    *panels, _ = figures["slices_u"].axes
    assert [axes.get_title() for axes in panels[3:6]] == [f"$y$ = 0.5, $t$ = {text}" for text in ("0", "0.5", "1")]
    assert np.array_equal(colours(panels[4]).get_array(), u[:, 15, :, 1].T)
    assert np.array_equal(colours(figures["slices_h"].axes[0]).get_array(), np.abs(h)[:, :, 15, 0].T)
    assert np.array_equal(colours(figures["slices_error_u"].axes[0]).get_array(), np.full((31, 31), -1.0))
    render({name: figures[name] for name in ("slices_u", "slices_h")})
