"""Functions from tables: values and derivatives against closed forms, layouts, what is refused."""

import numpy as np
import pytest

from pinnkit.language.errors import ProblemError
from pinnkit.problem.checks import check
from pinnkit.problem.interpolation import GridSpline, PointSpline, Triangles
from pinnkit.problem.problem import Problem
from pinnkit.references.manufactured import manufacture
from pinnkit.references.spectral import Spectral
from pinnkit.references.unsupported import UnsupportedProblem

POINTS = np.random.default_rng(0).random((50, 2)) * [2, 1] - [1, 0]
AXES = (np.linspace(-1, 1, 41), np.linspace(0, 1, 31))
WORDS = {
    "coordinates": {"x": [-1, 1], "y": [0, 1]},
    "fields": ["u"],
    "equations": {"flow": "-diff(q*u_x, x) - diff(q*u_y, y) = q"},
}


def waves(x, y):
    return np.exp(x) * np.sin(2 * y)


def wave_derivative(orders, x, y):
    return np.exp(x) * 2.0 ** orders[1] * np.sin(2 * y + orders[1] * np.pi / 2)


def tabulated(function=waves, **options):
    x, y = AXES
    return {"file": {"x": x, "y": y, "q": function(x[:, None], y)}, **options}


def problem(table, **changes):
    return Problem(**{**WORDS, "tables": {"q": table}, **changes})


ORDERS = [(0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2)]


@pytest.mark.parametrize(
    ("smooth", "orders"), [("cubic", ORDERS), ("quintic", [*ORDERS, (4, 0), (2, 2)]), ("linear", ORDERS[:1])]
)
def test_splines_on_a_grid_give_values_and_derivatives(smooth, orders):
    spline = GridSpline(AXES, waves(AXES[0][:, None], AXES[1]), smooth)
    step, degree = 0.05, {"linear": 1, "cubic": 3, "quintic": 5}[smooth]
    for one in orders:
        error = np.abs(spline(POINTS, one) - wave_derivative(one, *POINTS.T)).max()
        assert error < 40 * (2 * step) ** (degree + 1 - sum(one))
    assert spline.highest == degree - 1


def test_splines_reproduce_polynomials_of_their_degree():
    x, y = AXES
    spline = GridSpline(AXES, x[:, None] ** 3 * y**2 - y**3, "cubic")
    at = POINTS.T
    np.testing.assert_allclose(spline(POINTS, (0, 0)), at[0] ** 3 * at[1] ** 2 - at[1] ** 3, atol=1e-12)
    np.testing.assert_allclose(spline(POINTS, (1, 1)), 6 * at[0] ** 2 * at[1], atol=1e-10)


@pytest.mark.parametrize(("smooth", "errors"), [("cubic", (3e-3, 0.05, 1.0)), ("quintic", (1e-3, 0.03, 0.6))])
def test_splines_through_scattered_values_give_values_and_derivatives(smooth, errors):
    places = np.random.default_rng(1).random((400, 2)) * [2, 1] - [1, 0]
    spline = PointSpline(places, waves(*places.T), smooth)
    np.testing.assert_allclose(spline(places, (0, 0)), waves(*places.T), atol=1e-7)
    inside = POINTS * [0.9, 0.8] + [0, 0.1]
    for one in ORDERS:
        error = np.abs(spline(inside, one) - wave_derivative(one, *inside.T)).max()
        assert error < errors[sum(one)]
        if sum(one):  # the derivative of what it is, not only near that of the waves
            axis = 0 if one[0] else 1
            lower, step = np.subtract(one, np.eye(2, dtype=int)[axis]), 1e-5 * np.eye(2)[axis]
            slope = (spline(inside + step, lower) - spline(inside - step, lower)) / 2e-5
            np.testing.assert_allclose(spline(inside, one), slope, rtol=1e-4, atol=1e-4)
    tail = PointSpline(places, 2 + places[:, 0] - 3 * places[:, 1], smooth)
    np.testing.assert_allclose(tail(inside, (0, 0)), 2 + inside[:, 0] - 3 * inside[:, 1], atol=1e-8)


def test_a_table_is_a_name_with_derivatives_whose_values_are_columns():
    one = problem(tabulated())
    assert set(one.columns) == {"q", "q_x", "q_y"}
    assert str(one.equations[0].residual) == "-q*u_xx - q*u_yy - q - q_x*u_x - q_y*u_y"
    found = one.table_columns({"x": POINTS[:, 0], "y": POINTS[:, 1]})
    np.testing.assert_allclose(found["q_y"], wave_derivative((0, 1), *POINTS.T), atol=1e-4)
    assert not check(one).mistakes
    along = problem(tabulated(), equations="laplacian(q*u) = q_n_y + dot(grad(q), grad(u))".replace("q_n_y", "q_y"))
    assert set(along.columns) == {"q", "q_x", "q_y", "q_xx", "q_yy"}
    rim = {"rim": {"at": "boundary", "equations": "u_n = q_n", "weight": "q^2"}}
    assert set(problem(tabulated(), conditions=rim).columns) == {"q", "q_x", "q_y"}


def layouts():
    x, y = np.meshgrid(*AXES, indexing="ij")
    mixed = np.random.default_rng(0).permutation(x.size)
    yield tabulated(columns=["x", "y"])
    yield {"file": {"x": x, "y": y, "q": waves(x, y)}}
    yield {
        "file": {"y": y.ravel()[mixed], "x": x.ravel()[mixed], "q": waves(x, y).ravel()[mixed]},
        "columns": ["x", "y"],
    }
    yield {"file": {"x": AXES[0][::-1], "y": AXES[1], "p": waves(x, y)[::-1], "q": AXES[1]}, "value": "p"}


@pytest.mark.parametrize("table", list(layouts()))
def test_a_grid_may_be_axes_a_mesh_rows_in_any_order_or_reversed(table):
    found = problem(table).tables["q"]
    assert isinstance(found.interpolant, GridSpline)
    np.testing.assert_allclose(found.values({"x": POINTS[:, 0], "y": POINTS[:, 1]}, ()), waves(*POINTS.T), atol=1e-5)


def test_a_file_of_scattered_rows_and_one_of_a_single_coordinate(tmp_path):
    rows = np.vstack([[[-1, 0], [-1, 1], [1, 0], [1, 1]], np.random.default_rng(2).random((300, 2)) * [2, 1] - [1, 0]])
    text = "x,y,q\n" + "\n".join(f"{x},{y},{waves(x, y)}" for x, y in rows)
    (tmp_path / "rows.csv").write_text(text)
    for smooth, kind in (("cubic", PointSpline), ("linear", Triangles)):
        table = {"file": "rows.csv", "smooth": smooth}
        found = problem(table, folder=tmp_path, equations="laplacian(u) = q").tables["q"]
        assert isinstance(found.interpolant, kind)
        at = {"x": POINTS[:, 0], "y": POINTS[:, 1]}
        np.testing.assert_allclose(found.values(at, ()), waves(*POINTS.T), atol=0.15)
    y = np.linspace(0, 1, 21)
    np.savez(tmp_path / "line.npz", y=y, q=y**3)
    one = problem({"file": "line.npz"}, folder=tmp_path, equations="u_xx + q_y*u_y = 0")
    np.testing.assert_allclose(one.table_columns({"x": y, "y": y})["q_y"], 3 * y**2, atol=1e-12)


def test_closed_forms_are_checked_with_tables():
    x, y = AXES[0][::5], AXES[1][::5]
    source = {"file": {"x": x, "y": y, "q": -2 * np.exp(x[:, None]) * np.sin(y)}}
    words = {"equations": "laplacian(u) - 2*u = q", "exact": {"u": "exp(x)*sin(y)"}}
    report = check(problem(source, **words))
    assert not report.mistakes
    assert [one.message[:24] for one in report.warnings if one.key == "exact"] == ["misses the equation 'equ"]
    assert check(problem(source, **{**words, "exact": {"u": "exp(x)*cos(y)"}})).mistakes
    assert not check(manufacture(problem(tabulated()), {"u": "x*y^2"})).mistakes


@pytest.mark.parametrize(
    ("table", "changes", "key", "told"),
    [
        ({"x": [0]}, {}, "tables.q", "{'x': [0]} is no table: write {file: source.csv"),
        (tabulated(smoth=1), {}, "tables.q.smoth", "unknown key 'smoth'; did you mean 'smooth'?"),
        (tabulated(smooth="cubik"), {}, "tables.q", "smooth is 'cubik': write one of linear, cubic, quintic"),
        (tabulated(columns=["x", "z"]), {}, "tables.q", "columns: there is no coordinate 'z'"),
        (tabulated(smooth=["cubic"]), {}, "tables.q", "smooth is ['cubic']: write one of linear"),
        (tabulated(columns=[["x"]]), {}, "tables.q", "columns is [['x']]: write a list of coordinates"),
        (tabulated(columns=["x", "x"]), {}, "tables.q", "columns is ['x', 'x']: write a list of coordinates"),
        (tabulated(value=["q"]), {}, "tables.q", "value is ['q']: write the name of the column"),
        ({"file": ["a.csv"]}, {}, "tables.q", "file is ['a.csv']: write the name of a .csv or .npz file"),
        (tabulated(value="p"), {}, "tables.q", "the table has no column 'p': it has x, y, q"),
        ({"file": "none.csv"}, {}, "tables.q", "there is no file 'none.csv'"),
        ({"file": {"x": AXES[0], "y": AXES[1], "q": [1, 2]}}, {}, "tables.q", "the columns have the shapes x (41,)"),
        ({"file": {"x": [-1, 1], "y": [0, 1], "q": np.eye(2)}}, {}, "tables.q", "has 2 values of x, and smooth: cubic"),
        ({"file": {"x": [0, 1, 1, 2], "q": [1, 1, 2, 1]}}, {}, "tables.q", "names x = 1 twice"),
        ({"file": {"x": [0, 0, 1, 3], "y": [0, 0, 1, 1], "q": [1, 1, 2, 1]}}, {}, "tables.q", "has two rows at one"),
        ({"file": {"x": [0, 1, 2], "y": [0, 1, 2], "q": [1, 1, 2]}}, {}, "tables.q", "has 3 scattered points, which"),
        (tabulated(lambda x, y: x * y * np.nan), {}, "tables.q", "the table: column q, entry 1, 1 is nan"),
        (
            tabulated(),
            {"coordinates": {"x": [-1, 2], "y": [0, 1]}},
            "tables.q",
            "does not cover the domain: it has x f",
        ),
        (
            {"file": {"x": POINTS[:, 0] / 4, "y": POINTS[:, 1], "q": POINTS[:, 0]}},
            {},
            "tables.q",
            "does not cover the domain: there is no point of it near x = ",
        ),
        (tabulated(smooth="linear"), {}, "equations.flow", "q_x is a derivative of order 1 of the table q,"),
        (tabulated(), {"equations": "u_x = q_xxx"}, "equations", "q_xxx is a derivative of order 3 of the table q"),
        (
            tabulated(),
            {"equations": "u_x = q(x=0)"},
            "equations",
            "'q' cannot be evaluated elsewhere: a table is known",
        ),
        (tabulated(), {"fields": ["u", "q_x"]}, "fields.q_x", "'q_x' is the derivative of q by x and cannot be a name"),
        (tabulated(), {"exact": {"u": "q"}}, "exact.u", "unknown name 'q'"),
        (tabulated(), {"fields": ["u", "q"]}, "tables.q", "'q' is declared twice"),
    ],
)
def test_what_is_refused(table, changes, key, told):
    with pytest.raises(ProblemError) as caught:
        problem(table, **changes)
    found = {mistake.key: mistake.message for mistake in caught.value.mistakes}
    assert found[key].startswith(told)


def test_a_table_that_no_equation_holds_is_a_mistake_and_integrals_cannot_hold_one():
    (mistake,) = check(problem(tabulated(), equations="laplacian(u) = 1")).mistakes
    assert (mistake.key, mistake.message[:24]) == ("tables.q", "stands in no equation an")
    line = {"file": {"x": AXES[0], "q": AXES[0]}}
    for text in ("u_x = integral(q*u, x, -1, 1)", "u_x = integral(q*u(y=s), s, 0, y)"):
        with pytest.raises(ProblemError, match="the table q"):
            problem(line, equations=text)
    assert set(problem(line, equations="u_x = q*integral(u, x, -1, 1)").columns) == {"q"}


def test_references_that_cannot_read_tables_say_so():
    words = {"coordinates": {"x": [-1, 1], "t": [0, 1]}, "equations": "u_t = u_xx + q"}
    line = {"file": {"x": AXES[0], "q": AXES[0]}}
    start = {"start": {"at": "t = 0", "equations": "u = 0"}, "ends": {"at": "boundary", "equations": "u = 0"}}
    with pytest.raises(UnsupportedProblem, match="it holds the table q: it reads closed forms alone"):
        Spectral(problem(line, **words, conditions=start))
