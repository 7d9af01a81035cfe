"""Places and equations of conditions."""

from __future__ import annotations

import math

import pytest
import sympy

from pinnkit.language.calculus import field, normal_symbol
from tests.problem.posed_conditions import U, X, Y, bounds, read, refused

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
    assert message == (
        "'u_n' uses the outward normal, which exists only in a condition on a boundary, or in an integral over one: "
        "corners, points and lines inside and times have none"
    )


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
        (
            {"at": "t = 0", "equations": "u = 0", "hard": "yes"},
            {"conditions.c.hard": "'yes' is neither true nor false"},
        ),
        (
            {"at": "t = 0", "equations": "u = 0", "hard": True, "weight": 2},
            {"conditions.c.weight": "weighs nothing: a hard condition is no term of the loss, so leave out weight"},
        ),
        ({"at": "t = 0", "equations": "u = 0", "weigth": 2}, {"conditions.c.weigth": "did you mean 'weight'?"}),
    ],
)
def test_wrong_conditions_are_refused(condition, told):
    found = refused(condition)
    assert found.keys() == told.keys()
    for key, message in told.items():
        assert message in found[key]
