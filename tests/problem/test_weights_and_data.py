"""Weights and inequalities of conditions, and conditions on data."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy

from pinnkit.language.calculus import field, symbol
from pinnkit.problem.at import inside
from tests.problem.posed_conditions import T, U, X, bounds, posed, read, refused

# Weights and inequalities


@pytest.mark.parametrize(("weight", "value"), [(10, 10.0), ("2*pi", 2 * math.pi), (0, 0.0), ("1e2", 100.0)])
def test_weights(weight, value):
    (equation,) = read({"at": "t = 0", "equations": "u = 0", "weight": weight}).equations
    assert float(equation.weight) == pytest.approx(value, rel=1e-15)
    assert read({"at": "t = 0", "equations": "u = 0"}).equations[0].weight == 1


def test_a_weight_may_vary_and_an_equation_may_have_its_own():
    own = {"one": {"equation": "u = 0", "weight": "exp(u)/edge"}, "two": "v = 0", "three": {"equation": "u_x = v"}}
    condition = read({"at": "t = 0", "equations": own, "weight": "1 + x^2"})
    u, edge = U, symbol("edge")
    assert [(one.name, one.weight) for one in condition.equations] == [
        ("c_one", sympy.exp(u) / edge),
        ("c_two", 1 + X**2),
        ("c_three", 1 + X**2),
    ]
    single = read({"at": "t = 0", "equations": {"equation": "u = v", "weight": 2}})
    assert [(one.name, one.weight) for one in single.equations] == [("c", 2)]
    inside = posed({"at": "t = 0", "equations": "u = v"}, equations=[{"equation": "u_t = v", "weight": "t"}]).equations
    assert [(one.name, one.weight) for one in inside] == [("equation", T)]


def test_a_weight_of_measured_values_is_read_from_their_file(data):
    source, folder = data
    (fit,) = read({"data": source, "equations": "u = u_data", "weight": "1/S^2"}, folder=folder).equations
    assert fit.weight == 1 / symbol("S") ** 2


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (-1, "is -1: a weight is not negative"),
        ("exp(1000)", "beyond 1e+300"),
        ("heavy", "unknown name 'heavy'"),
        (math.inf, "not a finite"),
        (True, "True"),
    ],
)
def test_wrong_weights_are_refused(weight, message):
    told = refused({"at": "t = 0", "equations": "u = 0", "weight": weight})
    assert message in told["conditions.c.weight"]
    told = refused({"at": "t = 0", "equations": {"one": {"equation": "u = 0", "weight": weight}}})
    assert message in told["conditions.c.equations.one.weight"]


@pytest.mark.parametrize(
    ("words", "key", "message"),
    [
        ({"equation": "u = 0", "wieght": 2}, "conditions.c.equations.one.wieght", "did you mean 'weight'"),
        ({"weight": 2}, "conditions.c.equations.one", "None is not an equation"),
    ],
)
def test_wrong_words_of_a_weighted_equation_are_refused(words, key, message):
    told = refused({"at": "t = 0", "equations": {"one": words}})
    assert message in told[key]


def test_where_is_an_inequality_in_coordinates_and_known_parameters():
    condition = read({"at": "t = 0", "where": "x > edge/4 and not y >= 1", "equations": "u = 0"})
    points = np.array([[0.6, 0.5, 0.0], [0.4, 0.5, 0.0], [0.6, 1.0, 0.0]])
    mask = inside(condition.where, points, ("x", "y", "t"), {symbol("edge"): 2.0})
    np.testing.assert_array_equal(mask, [True, False, False])


def test_where_keeps_the_faces_on_which_it_holds_somewhere():
    faces = bounds(read({"at": "boundary", "where": "x > 0", "equations": "u = 0"}))
    assert [one["x"] for one in faces] == [(2.0, 2.0), (-1.0, 2.0), (-1.0, 2.0)]


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("x > 5", "holds at no point of the condition's place"),
        ("u > 0", "u is not known before training"),
        ("x > a", "a is not known before training"),
        ("x = 0", "an inequality belongs here, such as x > 0.5, not an equation"),
        ("x", "a condition belongs here"),
        (5, "5 is not an inequality: write x > 0.5"),
    ],
)
def test_wrong_inequalities_are_refused(where, message):
    (told,) = refused({"at": "t = 0", "where": where, "equations": "u = 0"}).items()
    assert told[0] == "conditions.c.where"
    assert message in told[1]


# Data

ROWS = {"x": [0.0, 1.0, 2.0], "y": [0.0, 0.5, 1.0], "t": [0.0, 2.0, 4.0], "u": [5.0, 6.0, 7.0], "S": [8.0, 9.0, 10.0]}


@pytest.fixture(params=["csv", "npz", "words"])
def data(request, tmp_path):
    """The same rows in each of the ways to give them: the word under `data` and the folder of files."""
    if request.param == "words":
        return ROWS, tmp_path
    if request.param == "npz":
        np.savez(tmp_path / "rows.npz", **ROWS)
    else:
        rows = "\n".join(",".join(map(str, row)) for row in zip(*ROWS.values(), strict=True))
        (tmp_path / "rows.csv").write_text(f"{','.join(ROWS)}\n{rows}\n")
    return f"rows.{request.param}", tmp_path


def test_columns_are_used_by_name_and_that_of_a_field_is_its_data(data):
    source, folder = data
    condition = read({"data": source, "equations": ["u_x = S*u_data", "v = S"], "weight": 3}, folder=folder)
    assert set(condition.data) == {"x", "y", "t", "u_data", "S"}
    np.testing.assert_array_equal(condition.data["u_data"], ROWS["u"])
    np.testing.assert_array_equal(condition.data["y"], ROWS["y"])
    assert condition.equations[0].residual == U.diff(X) - symbol("S") * symbol("u_data")
    assert condition.equations[0].weight == 3
    assert condition.places == ()


def test_problems_with_equal_data_are_equal(data):
    source, folder = data
    assert posed({"data": source}, folder=folder) == posed({"data": source}, folder=folder)
    assert posed({"data": ROWS}) != posed({"data": {**ROWS, "S": ROWS["u"]}})
    assert posed({"data": ROWS}) != posed({"data": {"w" if name == "S" else name: rows for name, rows in ROWS.items()}})


def test_data_without_equations_fit_each_field_that_has_a_column(data):
    source, folder = data
    (equation,) = read({"data": source}, folder=folder).equations
    assert (equation.name, equation.residual) == ("c", U - symbol("u_data"))
    both = read({"data": {**ROWS, "v": ROWS["S"]}}).equations
    assert {one.name: one.residual for one in both} == {
        "c_u": U - symbol("u_data"),
        "c_v": field("v", ("x", "y", "t")) - symbol("v_data"),
    }


def test_data_on_a_grid(tmp_path):
    x, y, t = np.linspace(-1, 2, 4), np.linspace(0, 1, 3), np.linspace(0, 4, 5)
    values = x[:, None, None] + 10 * y[:, None] + 100 * t
    np.savez(tmp_path / "grid.npz", x=x, y=y, t=t, u=values)
    found = read({"data": "grid.npz"}, folder=tmp_path).data
    assert found["u_data"].shape == (60,)
    np.testing.assert_allclose(found["u_data"], found["x"] + 10 * found["y"] + 100 * found["t"], rtol=1e-15)


def test_only_data_make_equations_optional(data):
    source, folder = data
    words = {"equations": None, "parameters": None, "fields": ["u"], "folder": folder}
    assert posed({"data": source, "equations": ["u_x = S", "u_y = S"]}, **words).equations == ()
    assert refused({"at": "t = 0", "equations": "u = 0"}, **words) == {
        "equations": "are missing: they may be left out only where a condition has data"
    }


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("missing.csv", "there is no file '"),
        ({"x": [0], "y": [0], "u": [1]}, "there is no column t; columns are x, y, u"),
        ({**ROWS, "u": [1, 2, math.nan]}, "column u, entry 3 is nan, not a finite number"),
        ({**ROWS, "u": ["a", "b", "c"]}, "column u is no array of numbers"),
        ({**ROWS, "x": [0, 1, 2.1]}, "row 3 has x = 2.1, outside the domain [-1, 2]"),
        ({**ROWS, "u": [1, 2]}, "column u has shape (2,)"),
        ({**ROWS, "edge": [1, 2, 3]}, "the column edge has the name of a parameter: rename it, such as edge_data"),
        ({**ROWS, "u_x": [1, 2, 3]}, "the column u_x has the name of a derivative: rename it, such as u_x_data"),
        ({**ROWS, "u_data": [1, 2, 3]}, "the columns u and u_data would both be called u_data: rename one"),
        (5, "5 is no data: write the name of a .csv or .npz file"),
    ],
)
def test_wrong_data_are_told_once(source, message, tmp_path):
    """The equations use the columns, but what they would say of them only follows."""
    (told,) = refused({"data": source, "equations": "u_x = u_data + S*edge"}, folder=tmp_path).items()
    assert told[0] == "conditions.c.data"
    assert message in told[1]


def test_data_say_themselves_where_they_are():
    assert refused({"data": ROWS, "at": "t = 0"}) == {
        "conditions.c": "has data: its rows say where it holds, so leave out 'at' and 'where'"
    }


def test_data_without_a_column_for_a_field_need_equations():
    without = {name: values for name, values in ROWS.items() if name != "u"}
    assert "give data with a column for a field" in refused({"data": without})["conditions.c.equations"]
