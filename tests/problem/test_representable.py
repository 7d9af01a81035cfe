"""An exact or a prescribed solution that the network cannot be is refused."""

from __future__ import annotations

import pytest

from pinnkit.problem.checks import check
from pinnkit.problem.parts import RANGES, TRANSFORMS
from pinnkit.problem.problem import Problem


def told(**words) -> list[str]:
    words = {"coordinates": {"x": [0, 1], "t": [0, 1]}, "fields": ["u"], "conditions": {}, **words}
    return [str(mistake).splitlines()[0] for mistake in check(Problem(**words)).mistakes]


def test_every_transform_has_its_range():
    assert set(RANGES) == set(TRANSFORMS)


@pytest.mark.parametrize(
    ("exact", "equation", "found"),
    [
        ("sin(2*pi*(x - t))", "u_t + u_x = 0", None),
        ("x - t", "u_t + u_x = 0", "u is -"),
        ("sin(3*pi*(x - t))", "u_t + u_x = 0", "u is "),
        ("(x - 0.5)^2 + 2*t", "u_t = u_xx", "u_x is -1 at x = 0 and 1 at x = 1"),
        ("sin(2*pi*x) + x*(1 - x)", "u_t = 0", None),  # no derivative in x: the value alone counts
        ("1e-12*x", "u_t = 0", "u is 0 at x = 0 and 1e-12 at x = 1"),
    ],
)
def test_an_exact_solution_without_the_networks_period_is_refused(exact, equation, found):
    report = told(equations=equation, exact={"u": exact}, periodic=["x"])
    periods = [one for one in report if "periodic" in one]
    if found is None:
        assert periods == []
    else:
        (message,) = periods
        assert message.startswith(f"exact.u: is not periodic in x, which the network is: {found}")


def test_the_tail_of_a_soliton_is_a_warning():
    words = {"coordinates": {"x": [-9, 9], "t": [0, 1]}, "fields": ["u"], "periodic": ["x"], "conditions": {}}
    report = check(Problem(**words, equations="u_t + u_x = 0", exact={"u": "1/cosh(x - t)"}))
    assert report.mistakes == []
    (warning,) = [one for one in report.warnings if one.key == "exact.u"]
    assert warning.message.startswith("is not periodic in x, which the network is: u is ")


@pytest.mark.parametrize(
    ("transform", "exact", "rule"),
    [
        ("exp", "exp(-t)", None),
        ("softplus", "x^2", None),  # zero is approached
        ("square", "sin(pi*x)", None),
        ("tanh", "sin(9*x)", None),
        ("sigmoid", "x*t", None),
        ("exp", "sin(9*x)", "gives values of 0 or more"),
        ("softplus", "-1e-9*(1 + x)", "gives values of 0 or more"),
        ("square", "x - 0.1", "gives values of 0 or more"),
        ("tanh", "1.1*x", "gives values from -1 to 1"),
        ("sigmoid", "x - 0.1", "gives values from 0 to 1"),
    ],
)
def test_an_exact_or_prescribed_value_outside_a_transforms_range_is_refused(transform, exact, rule):
    start = {"start": {"at": "t = 0.5", "equations": f"2*u = 2*({exact})"}}
    for key, given in (("exact.u", {"exact": {"u": exact}}), ("conditions.start.equations", {"conditions": start})):
        found = told(equations="u_t = sin(u)", transform={"u": transform}, **given)
        report = [one for one in found if "transform" in one]
        if rule is None:
            assert report == []
        else:
            (message,) = report
            assert message.startswith(f"{key}: u is ")
            assert message.endswith(f"but transform.u: {transform} {rule}")


def test_a_value_outside_the_bounds_of_a_field_or_a_parameter_is_refused():
    fields = {"u": {"coordinates": ["x", "t"], "min": 0.1, "max": 10}}
    found = told(equations="u_t = sin(u)", fields=fields, exact={"u": "20 + x"})
    assert any(one.startswith("exact.u: u is ") for one in found)
    assert any(one.endswith("but fields.u keeps it between 0.1 and 10") for one in found)
    parameters = {"k": {"learn": 1, "max": 2}}
    found = told(parameters=parameters, equations="u_t = k*u", exact={"k": "3"})
    assert "exact.k: is 3, but the parameter is kept below 2" in found


@pytest.mark.parametrize(
    ("positive", "exact", "rule"),
    [(True, "-0.1", "is -0.1, but the parameter is a positive number"), (False, "log(a - 2)", "is nan, but the ")],
)
def test_the_exact_value_of_a_learned_parameter_must_be_one(positive, exact, rule):
    parameters = {"a": 1, "k": {"learn": 1, "positive": positive}}
    (message,) = told(parameters=parameters, equations="u_t = k*u", exact={"k": exact})
    assert message.startswith(f"exact.k: {rule}")
