from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import sympy

from pinnkit.language.calculus import field, normal_symbol, symbol
from pinnkit.language.errors import ProblemError
from pinnkit.problem.at import inside
from pinnkit.problem.parts import Condition
from pinnkit.problem.problem import Problem

U = field("u", ("x", "y", "t"))
X, Y, T = (symbol(name) for name in ("x", "y", "t"))


def posed(condition: Any, **changes: Any) -> Problem:
    words = {
        "coordinates": {"x": [-1, 2], "y": [0, "pi/3"], "t": [0, 4]},
        "fields": ["u", "v"],
        "parameters": {"edge": 2, "a": {"learn": 1.0}},
        "equations": ["u_t = a*laplacian(u)", "v_t = laplacian(v)"],
        **changes,
    }
    return Problem(conditions={"c": condition}, **{key: value for key, value in words.items() if value is not None})


def read(condition: Any, **changes: Any) -> Condition:
    (found,) = posed(condition, **changes).conditions
    return found


def refused(condition: Any, **changes: Any) -> dict[str, str]:
    with pytest.raises(ProblemError) as caught:
        posed(condition, **changes)
    return {mistake.key: mistake.message for mistake in caught.value.mistakes}


def bounds(condition: Condition) -> list[dict[str, tuple[float, float]]]:
    return [dict(place.bounds) for place in condition.places]


WHOLE = {"x": (-1.0, 2.0), "y": (0.0, math.pi / 3), "t": (0.0, 4.0)}


# Places


@pytest.mark.parametrize(
    ("at", "fixed"),
    [
        ("t = 0", [{"t": 0.0}]),
        ("x=-1", [{"x": -1.0}]),
        ("x = edge", [{"x": 2.0}]),
        ("x = edge/4", [{"x": 0.5}]),
        (["x = -1", "x = 2"], [{"x": -1.0}, {"x": 2.0}]),
        (["x = -1", ["t = 0", {"y": 0}]], [{"x": -1.0}, {"t": 0.0}, {"y": 0.0}]),
        ({"x": 0, "y": "pi/6"}, [{"x": 0.0, "y": math.pi / 6}]),
        ({"x": 0, "y": 0, "t": 1}, [{"x": 0.0, "y": 0.0, "t": 1.0}]),
        ("boundary", [{"x": -1.0}, {"x": 2.0}, {"y": 0.0}, {"y": math.pi / 3}]),
        (["boundary", "t = 0"], [{"x": -1.0}, {"x": 2.0}, {"y": 0.0}, {"y": math.pi / 3}, {"t": 0.0}]),
    ],
)
def test_places(at, fixed):
    expected = [{**WHOLE, **{name: (value, value) for name, value in one.items()}} for one in fixed]
    assert bounds(read({"at": at, "equations": "u = 0"})) == expected


@pytest.mark.parametrize("at", ["x = -1", "y = 0", "boundary", ["x = 2", "y = pi/3"]])
def test_faces_of_space_have_outward_normals(at):
    for place in read({"at": at, "equations": "u = 0"}).places:
        (name,) = set(WHOLE) - set(place.free)
        sign = 1.0 if place.bounds[name][0] == WHOLE[name][1] else -1.0
        assert dict(place.normal) == {**dict.fromkeys(WHOLE, 0.0), name: sign}


@pytest.mark.parametrize("at", ["t = 0", "x = 0.5", {"x": -1, "y": 0}])
def test_other_places_have_no_normal(at):
    (place,) = read({"at": at, "equations": "u = 0"}).places
    assert place.normal == {}


@pytest.mark.parametrize(
    "end", ["1/3", "0.1*3", "0.3", "2*pi/7", "1e-3/pi", "sqrt(2)/3", "pi^2/10", "1/3*pi*1/3", "1/3/0.1/sqrt(2)"]
)
def test_an_end_is_the_same_number_in_a_range_and_in_a_place(end):
    """The two are computed in different ways; a difference in the last digit is not outside the domain."""
    for sign in ("", "-"):
        value = f"{sign}({end})"
        ends = [f"{value} - 1", value], [value, f"{value} + 1"]
        for number, pair in enumerate(ends):
            words = {"coordinates": {"x": pair, "y": [0, 1], "t": [0, 1]}}
            condition = read({"at": [f"x = {value}", {"x": value}], "equations": "u = 0"}, **words)
            face, part = condition.places
            assert face.normal["x"] == (1.0, -1.0)[number]
            assert face.bounds["x"] == part.bounds["x"]


@pytest.mark.parametrize(
    ("at", "message"),
    [
        ("x = 5", "x = 5 lies outside the domain [-1, 2]"),
        ({"x": 5}, "x = 5 lies outside the domain [-1, 2]"),
        ({"z": 0}, "there is no coordinate 'z'; valid are x, y, t"),
        ({5: 0}, "there is no coordinate '5'"),
        ({"x": "u"}, "unknown name 'u'"),
        ("z = 0", "a coordinate belongs left of '='; valid are x, y, t"),
        ("u = 0", "a coordinate belongs left of '=': 'u' is none; it belongs under equations"),
        ("x = t", "the value of x must be constant, but t varies"),
        ("x = u", "the value of x must be constant, but u varies"),
        ("x = a", "a is learned, so it cannot say where a condition holds"),
        ("x", "an assignment such as 'x = 0' belongs here"),
        ("boundry", "unknown place 'boundry'; did you mean 'boundary'?"),
        (5, "5 is no place: write t = 0, a list of such, boundary, or {x: 0, y: 0}"),
        ([], "[] is no place"),
        (None, "None is no place"),
    ],
)
def test_wrong_places_are_refused(at, message):
    (told,) = refused({"at": at, "equations": "u = 0"}).items()
    assert told[0] == "conditions.c.at"
    assert message in told[1]


def test_time_alone_has_no_boundary():
    told = refused(
        {"at": "boundary", "equations": "u = 0"}, coordinates={"t": [0, 1]}, equations=["u_t = a", "v_t = 0"]
    )
    assert told == {"conditions.c.at": "a problem in t alone has no boundary: write at: t = 0"}


# Equations


def test_normal_derivatives_on_faces():
    (equation,) = read({"at": "boundary", "equations": "u_n + n_x*u = 1"}).equations
    nx, ny = normal_symbol("x"), normal_symbol("y")
    assert sympy.expand(equation.residual - (nx * U.diff(X) + ny * U.diff(Y) + nx * U - 1)) == 0


@pytest.mark.parametrize("at", ["t = 0", "x = 0.5", ["x = -1", "t = 0"]])
def test_no_normal_where_a_place_is_no_face(at):
    (message,) = refused({"at": at, "equations": "u_n = 0"}).values()
    assert message == "'u_n' uses the outward normal, which exists only in a condition on a boundary"


def test_a_periodic_condition_compares_two_places():
    (equation,) = read({"at": "x = -1", "equations": "u(x=-1) = u(x=2)"}).equations
    assert equation.residual == U.subs(X, -1) - U.subs(X, 2)


@pytest.mark.parametrize(
    ("equations", "named"),
    [
        ("u = 0", {"c": U}),
        (["u = 0"], {"c": U}),
        (["u = 0", "v = u"], {"c_1": U, "c_2": field("v", ("x", "y", "t")) - U}),
        ({"value": "u = 0", "slope": "u_x = y"}, {"c_value": U, "c_slope": U.diff(X) - Y}),
    ],
)
def test_equations_of_a_condition_are_named_after_it(equations, named):
    found = read({"at": "t = 0", "equations": equations}).equations
    assert {one.name: one.residual for one in found} == named


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ({"at": "t = 0"}, {"conditions.c.equations": "are missing: write u = 0, or give data"}),
        ({"at": "t = 0", "equations": []}, {"conditions.c.equations": "is empty"}),
        ({"equations": "u = 0"}, {"conditions.c": "says neither 'at' nor 'data': write at: t = 0, or at: boundary"}),
        ({"at": "t = 0", "equations": ["u = 0", "w = 0"]}, {"conditions.c.equations[2]": "unknown name 'w'"}),
        ({"at": "t = 0", "equations": {"b": "x = 0"}}, {"conditions.c.equations.b": "mentions no field"}),
        ({"at": "t = 0", "equations": "u = 0", "hard": True}, {"conditions.c.hard": "unknown key 'hard'"}),
        ({"at": "t = 0", "equations": "u = 0", "weigth": 2}, {"conditions.c.weigth": "did you mean 'weight'?"}),
    ],
)
def test_wrong_conditions_are_refused(condition, told):
    found = refused(condition)
    assert found.keys() == told.keys()
    for key, message in told.items():
        assert message in found[key]


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
