"""What hard conditions become: u = G + D N, and what cannot be met by it."""

from itertools import pairwise

import numpy as np
import pytest
import sympy

from pinnkit.language.calculus import symbol
from pinnkit.language.evaluate import Program
from pinnkit.problem.at import random_points
from pinnkit.problem.checks import check
from pinnkit.problem.problem import Problem
from tests.problem.checked_problems import told
from tests.problem.hard_problems import CHANNEL, CORNER, DISK, HEAT, RING, WAVE, hard, made

X, T = symbol("x"), symbol("t")


def rod(**conditions):
    """The heat equation with its start, its ends and other conditions; None leaves one out."""
    words = {**HEAT, "parameters": {"k": {"learn": 1.0}}, "equations": "u_t = k * u_xx", "exact": {}}
    own = {name: {**one} for name, one in HEAT["conditions"].items()} | conditions
    return Problem(**words | {"conditions": {name: one for name, one in own.items() if one}})


def test_values_at_the_ends_and_the_start_are_joined():
    found = made(HEAT)["u"]
    assert sympy.simplify(found.lift - (2 + sympy.sin(sympy.pi * X))) == 0
    assert sympy.nsimplify(sympy.expand(found.factor - T * (1 - X**2))) == 0


def test_a_slope_in_time_is_added_last():
    found = made(WAVE)["u"]
    lift = sympy.sin(sympy.pi * X) + T * X
    assert sympy.nsimplify(sympy.expand(found.lift - lift)) == 0
    assert sympy.nsimplify(sympy.expand(found.factor - 4 * T**2 * X * (1 - X))) == 0


def test_one_value_on_a_curved_boundary_is_taken_as_it_is():
    found = made({**DISK, "conditions": {"rim": DISK["conditions"]["rim"]}})["u"]
    assert found.lift == X + T
    ratio = sympy.nsimplify(sympy.cancel(found.factor / (1 - X**2 - symbol("y") ** 2)))
    assert 0.5 <= ratio <= 2


def test_values_on_cross_sections_between_the_ends_and_at_the_end_of_time_are_met():
    problem = rod(ends=None, initial=hard(["t = 0", "t = 1"], "u = x*(1 + t)"), middle=hard("x = 0.5", "u = 0.5 + t/2"))
    assert told(check(problem)) == []
    found = made(problem)["u"]
    for place, value in (({T: 0}, X), ({T: 1}, 2 * X), ({X: 0.5}, 0.5 + T / 2)):
        assert sympy.nsimplify(sympy.expand(found.lift.subs(place) - value)) == 0
        assert sympy.nsimplify(sympy.expand(found.factor.subs(place))) == 0


def test_a_scaled_field_is_solved_for():
    problem = rod(ends=hard(["x = -1", "x = 1"], "3*u - 6 = 0"))
    assert {one.value for one in made(problem)["u"].parts if one.plane.name == "x"} == {2}


def test_many_coordinates_with_one_value_for_all_faces_take_that_value():
    names = [f"x{number}" for number in range(1, 9)]
    value = " + ".join(f"{name}^2*exp({name})*sin({other})" for name, other in pairwise(names))
    words = {
        "coordinates": {name: [0, 1] for name in names},
        "fields": ["u"],
        "equations": "laplacian(u) = 0",
        "conditions": {"faces": hard("boundary", f"u = {value}")},
    }
    found = made(words)["u"]
    assert {one.anywhere for one in found.parts} == {found.lift}
    assert len(sympy.Mul.make_args(found.factor)) >= 2 * len(names)


@pytest.mark.parametrize("words", [DISK, RING, CORNER, CHANNEL], ids=lambda words: words["name"])
def test_the_factor_is_zero_on_the_prescribed_parts_alone(words):
    problem = Problem(**words)
    assert told(check(problem)) == []
    for ansatz in made(problem).values():
        points = random_points(problem.domain, 2000)
        inputs = {symbol(name): points[:, index] for index, name in enumerate(problem.coordinates)}
        (inside,) = Program([ansatz.factor])(inputs)
        assert np.all(inside > 0)
        assert 0.2 < inside.max() < 4


def test_rounding_in_the_distance_of_many_edges_is_no_miss():
    angle = np.linspace(0, 2 * np.pi, 36, endpoint=False)
    radius = 1 + 0.12 * np.cos(6 * angle)
    corners = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).tolist()
    words = {
        "coordinates": {"x": [-1.2, 1.2], "y": [-1.2, 1.2]},
        "shapes": {"gear": {"polygon": corners}, "hole": {"disk": {"center": [0.2, 0], "radius": 0.3}}},
        "domain": "gear - hole",
        "fields": ["u"],
        "equations": "laplacian(u) = -1",
        "conditions": {
            "rim": {"at": "gear", "equations": "u = 0", "hard": True},
            "hole": {"at": "hole", "equations": "u_n = 0"},
        },
    }
    assert check(Problem(**words)).mistakes == []


def test_a_hard_period_is_embedded_for_its_fields():
    assert [field.periodic for field in Problem(**CHANNEL).fields] == [("x",), ("x",), ()]
    problem = rod(ends=hard("x = -1", ["u(x=-1) = u(x=1)", "2*u_x(x=1) = 2*u_x(x=-1)"]))
    assert told(check(problem)) == []
    assert problem.fields[0].periodic == problem.periods(problem.fields[0]) == ("x",)


def test_a_period_at_one_time_is_not_embedded():
    ((key, text),) = told(check(rod(ends=hard("t = 0", "u(x=-1) = u(x=1)"))))
    assert key == "conditions.ends.hard"
    assert text == "holds at x in [-1, 1], t = 0, and u would be periodic in x everywhere: write at: x = ..."
    assert "holds u(x=-1, t=0), u(x=1, t=0)" in told(check(rod(ends=hard("x = 1", "u(x=-1, t=0) = u(x=1, t=0)"))))[0][1]


SOFT = "leave hard out, so that it is a term of the loss"
REFUSED = [
    ({"ends": hard("x = 1", "u_x = 0")}, "u_x is given: a field, or its first derivative in time at a fixed time, can"),
    ({"ends": hard("x = 1", "u_n = 0")}, "u_x is given: a field, or its first derivative in time at a fixed time, can"),
    ({"ends": hard("x = 1", "u + u_n = 0")}, "holds u, u_x: a hard condition gives the value of one field alone"),
    ({"ends": hard("x = 1", "u^2 = 1")}, f"is not linear in u, so it cannot be solved for it: {SOFT}"),
    ({"ends": hard("x = 1", "u = k")}, f"the value depends on k, which is learned: {SOFT}"),
    ({"ends": hard("x = 1", "u = 2", where="t > 0.5")}, "holds on a part that 'where' cuts out, to which there is no"),
    ({"ends": hard({"x": 0, "t": 0.5}, "u = 2")}, "x = 0, t = 0.5: only values on whole surfaces"),
    ({"ends": hard("x = 1", "u = u(x=0)")}, "holds u, u(x=0): a hard condition gives the value of one field alone"),
    ({"ends": hard("x = 1", "u(x=0) = 2")}, "holds u(x=0): a hard condition gives the field at its place"),
    ({"ends": hard("x = 1", "u = n_x")}, "the value holds the normal n_x, which is known on the boundary alone"),
    ({"ends": hard("x = 1", {"equation": "u = 2", "weight": 3})}, "no term of the loss, so it has no weight"),
    (
        {"ends": hard("x = 1", "u_t = 0")},
        "u_t is given at x = 1, t in [0, 1]: it can be so at a fixed time only; leave hard out",
    ),
    ({"initial": None, "ends": hard("t = 0", "u_t = 0")}, "prescribes u_t at t = 0 where no hard condition gives u"),
    (
        {"ends": None, "initial": hard("t = 0", "u = 1 - abs(x)")},
        "have a kink that goes on into the domain: u_x jumps at x = 0, and the equation 'equation' holds u_xx",
    ),
]


@pytest.mark.parametrize(("conditions", "message"), REFUSED)
def test_what_cannot_be_met_exactly_is_refused(conditions, message):
    ((key, found), *others) = told(check(rod(**conditions)))
    assert not others
    name = next(name for name in conditions if conditions[name])
    assert key == f"conditions.{name}.hard"
    assert message in found


@pytest.mark.parametrize(
    ("conditions", "key", "message"),
    [
        (
            {"initial": hard("t = 0", "u = 3 + sin(pi*x)")},
            "ends",
            "gives u = 2 at x = -1, t = 0, where the hard condition 'initial' gives 3, 1 away: both cannot",
        ),
        (
            {"initial": hard("t = 0", "u = 2 + 1e-9*x")},
            "ends",
            "gives u = 2 at x = -1, t = 0, where the hard condition 'initial' gives 2, 1e-09 away",
        ),
        ({"more": hard("x = 1", "u = 2 + t")}, "more", "where the hard condition 'ends' gives 2"),
        (
            {"slope": hard("t = 0", "u_t = 1")},
            "slope",
            "gives u_t = 1 at x = -1, t = 0, where the hard condition 'ends' gives 0, 1 away",
        ),
    ],
)
def test_values_that_conflict_where_they_meet_are_refused(conditions, key, message):
    problem = rod(**conditions)
    ((found, text),) = told(check(problem))
    assert found == f"conditions.{key}.hard"
    assert message in text


def test_the_corner_of_two_faces_with_other_values_is_found():
    words = {
        "coordinates": {"x": [0, 1], "y": [0, 1], "z": [0, 1]},
        "fields": ["u"],
        "equations": "laplacian(u) = 0",
        "conditions": {"lid": hard("z = 1", "u = 1"), "wall": hard("x = 0", "u = y")},
    }
    ((key, text),) = told(check(Problem(**words)))
    assert key == "conditions.wall.hard"
    assert "where the hard condition 'lid' gives 1" in text
    assert "at x = 0, y = " in text
    assert "z = 1" in text


def test_parts_of_a_curved_boundary_that_meet_need_one_value():
    words = {**RING, "domain": "hole", "conditions": {"rim": hard("hole", "u = 1"), "again": hard("hole", "u = x")}}
    ((key, text),) = told(check(Problem(**words)))
    assert key == "conditions.rim.hard"
    assert "'again' gives u = x on" in text
    assert "write one expression for both" in text


@pytest.mark.parametrize(
    ("initial", "message"),
    [
        ("u = x", "u is periodic in x, and the values are not: u jumps by 2 from one end to the other at x = -1"),
        ("u = x^2", "u is periodic in x, and the values are not: u_x jumps by 4 from one end to the other"),
    ],
)
def test_values_without_the_networks_period_are_refused(initial, message):
    problem = rod(initial=hard("t = 0", initial), ends=hard("x = -1", "u(x=-1) = u(x=1)"))
    ((key, text),) = told(check(problem))
    assert key == "conditions.initial.hard"
    assert message in text


def test_a_periodic_coordinate_has_no_ends():
    words = {**HEAT, "periodic": ["x"], "exact": {}}
    assert ("conditions.ends.hard", f"u is periodic in x, which has no ends then: {SOFT}") in told(
        check(Problem(**words))
    )


def test_fields_and_hard_conditions_must_fit():
    words = {**HEAT, "exact": {}}
    message = "transform.u: exp is applied to the whole field, so its values cannot be prescribed"
    assert message in dict(told(check(Problem(**words, transform={"u": "exp"}))))["conditions.ends.hard"]
    bounded = {**words, "fields": {"u": {"coordinates": ["x", "t"], "min": 0}}}
    message = "u has bounds, which are set for the whole field, so its values cannot be prescribed: leave out"
    assert message in dict(told(check(Problem(**bounded))))["conditions.ends.hard"]
    fields = {"u": ["x", "t"], "v": ["x"]}
    more = {**words, "fields": fields, "equations": "u_t = u_xx + v"}
    conditions = words["conditions"] | {"other": hard("t = 0", "v = 1")}
    found = dict(told(check(Problem(**more | {"conditions": conditions}))))
    assert found == {"conditions.other.hard": "v does not depend on t, at which it is prescribed"}
    conditions = words["conditions"] | {"other": hard("x = 1", "v = t")}
    found = dict(told(check(Problem(**more | {"conditions": conditions}))))
    assert found == {"conditions.other.hard": "the value depends on t, but v does not"}
    alone = {**words, "fields": ["u", "v"], "conditions": words["conditions"] | {"other": hard("t = 0", "v = 1")}}
    message = "stands in no equation and no soft condition, so nothing would train it"
    assert dict(told(check(Problem(**alone)))) == {"fields.v": message}


def test_values_that_grow_inside_and_soft_conditions_that_contradict_are_warnings():
    words = {**RING, "domain": "hole", "conditions": {"rim": hard("hole", "u = x/((x - 0.2)^2 + y^2)")}}
    ((key, text),) = [(one.key, one.message) for one in check(Problem(**words)).warnings]
    assert key == "conditions.rim.hard"
    assert "write an expression that stays of that size" in text
    problem = rod(more={"at": "x = 1", "equations": "u = 1"})
    ((key, text),) = [(one.key, one.message) for one in check(problem).warnings]
    assert key == "conditions.more"
    assert "asks for u = 1 at x = 1, t = " in text
    assert "where the hard condition 'ends' gives 2: its loss cannot fall to zero" in text


def test_a_slope_is_refused_where_the_distance_has_none():
    conditions = {"cut": hard("cut", "u = y"), "flux": {"at": "cut", "equations": "u_n = 0"}}
    found = told(check(Problem(**{**CORNER, "conditions": conditions})))
    assert {key for key, _ in found} == {"conditions.flux"}
    assert "'cut' is hard and its distance has no such derivative on a part of a face" in found[0][1]
    conditions["flux"]["at"] = "box"
    assert told(check(Problem(**{**CORNER, "conditions": conditions}))) == []


def test_data_and_residuals_in_python_cannot_be_hard(tmp_path):
    (tmp_path / "seen.csv").write_text("x,t,u\n0,0,2\n0.5,0.5,2\n")
    words = {**HEAT, "exact": {}, "conditions": {"seen": {"data": "seen.csv", "hard": True}}}
    found = dict(told(check(Problem(folder=tmp_path, **words))))
    assert found["conditions.seen.hard"] == f"holds at rows of data, through which no closed form passes: {SOFT}"
    words["conditions"] = {"ends": hard("x = 1", lambda p: p.u - 2)}
    message = dict(told(check(Problem(**words))))["conditions.ends.hard"]
    assert "is Python, which cannot be solved for a field" in message
