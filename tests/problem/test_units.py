"""Units, which label and convert nothing."""

import pytest

from pinnkit.problem.problem import Problem
from tests.problem.configs import mistakes, words


def test_coordinates_fields_parameters_and_what_is_derived_have_units():
    units = {"x": "m", "t": " s ", "u": "K", "alpha": "m^2 / s", "rate": 1}
    problem = Problem(**words(units=units, define={"rate": "alpha*pi^2"}))
    assert problem.units == {"x": "m", "t": "s", "u": "K", "alpha": "m^2 / s", "rate": "1"}
    plain = Problem(**words())
    assert plain.units == {}
    assert [one.residual for one in problem.equations] == [one.residual for one in plain.equations]


def test_a_complex_field_and_one_in_parts_have_units_by_their_own_names():
    schrodinger = {
        "coordinates": {"x": [-1, 1], "t": [0, 1]},
        "fields": {"h": "complex"},
        "equations": "i*h_t + h_xx = 0",
        "conditions": {"start": {"at": "t = 0", "equations": "h = x"}},
    }
    assert Problem(**schrodinger, units={"h": "V"}).units == {"h": "V"}


@pytest.mark.parametrize(
    ("units", "key", "message"),
    [
        ({"y": "m"}, "units.y", "there is no coordinate, field or parameter 'y'; valid are"),
        ({"alpa": "m"}, "units.alpa", "did you mean 'alpha'?"),
        ({"x": 3}, "units.x", "3 is no unit: write a text such as m/s^2, or 1 where there is none"),
        ({"x": True}, "units.x", "True is no unit"),
        ({"x": " "}, "units.x", "is no unit"),
        ({"x": "m" * 41}, "units.x", "has 41 characters; the most is 40"),
        ({"x": "m\u202es"}, "units.x", "holds the control character"),
        (["m"], "units", "is not a mapping: write {x: m, t: s}"),
    ],
)
def test_wrong_units_are_named(units, key, message):
    found = mistakes(units=units)
    assert list(found) == [key]
    assert message in found[key]


@pytest.mark.parametrize(("value", "unit"), [("2 m", "m"), ("2.1e11 Pa", "Pa"), ("-1 kg/(m s)", "kg/(m s)")])
def test_a_unit_behind_a_number_is_sent_to_its_key(value, unit):
    found = mistakes(parameters={"alpha": value})
    assert found["parameters.alpha"].startswith(
        f"is to be a number alone; its unit stands under units: {{alpha: {unit}}}"
    )
    assert mistakes(parameters={"alpha": "2 + m"})["parameters.alpha"].startswith("unknown name 'm'")
