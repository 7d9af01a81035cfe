"""Checks of a problem against its exact solution."""

from __future__ import annotations

import math

import pytest

from pinnkit.problem.checks import check
from pinnkit.problem.places import equations_with_keys
from tests.problem.checked_problems import posed, told


def test_a_right_problem_passes():
    report = check(posed(), "tanh")
    assert told(report) == []
    assert report.warnings == []


def test_located_names_every_equation_by_its_key():
    keys = [(key, equation.name) for key, equation, _ in equations_with_keys(posed())]
    assert keys == [
        ("equations.heat", "heat"),
        ("conditions.initial.equations", "initial"),
        ("conditions.ends.equations", "ends"),
    ]


# The exact solution


def residual_of(message: str) -> tuple[float, dict[str, float]]:
    """The size and the place that a message names."""
    size, _, rest = message.split("the residual is ")[1].partition(" at ")
    place = dict(part.split(" = ") for part in rest.split(" (")[0].split(", "))
    return float(size), {name: float(value) for name, value in place.items()}


def test_an_exact_solution_that_misses_the_equation_is_told_with_size_and_place():
    """u = e^-t sin(pi x) leaves the residual (alpha pi^2 - 1) u, at most 1 - alpha pi^2 = 0.01304 in size."""
    ((key, message),) = told(check(posed(exact={"u": "exp(-t) * sin(pi*x)"})))
    assert key == "exact"
    assert message.startswith("does not satisfy the equation 'heat': the residual is ")
    assert message.endswith("(equations.heat)")
    size, place = residual_of(message)
    slope = 1 - 0.1 * math.pi**2
    assert size == pytest.approx(slope * math.exp(-place["t"]) * abs(math.sin(math.pi * place["x"])), rel=1e-2)
    assert 0.9 * slope < size <= 1.01 * slope


def test_an_exact_solution_that_misses_a_condition_is_told_with_size_and_place():
    found = told(check(posed(exact={"u": "exp(-alpha*pi^2*t) * sin(pi*x) + 0.25"})))
    assert [message.split(":")[0] for _, message in found] == [
        "does not satisfy the condition 'initial'",
        "does not satisfy the condition 'ends'",
    ]
    for (_, message), (name, value) in zip(found, (("t", 0.0), ("x", -1.0)), strict=True):
        size, place = residual_of(message)
        assert size == 0.25
        assert place[name] == value


def test_a_condition_is_checked_on_all_of_its_faces():
    found = told(check(posed(exact={"u": "exp(-t)*(1 + x)"}, equations={"decay": "u_t = -u"}, parameters=None)))
    assert residual_of(found[1][1])[1]["x"] == 1.0  # at x = -1 it holds
    assert [message.split("'")[1] for _, message in found] == ["initial", "ends"]


def test_only_the_part_where_a_condition_holds_is_checked():
    conditions = {"initial": {"at": "t = 0", "where": "x > 0.99", "equations": "u = 0"}}
    exact = {"u": "where(x > 0.99, 0, 1) * exp(-t)"}
    words = {"equations": {"decay": "u_t = -u"}, "parameters": None, "exact": exact}
    assert told(check(posed(conditions=conditions, **words))) == []
    conditions["initial"]["where"] = "x > 0.985"
    assert len(told(check(posed(conditions=conditions, **words)))) == 1


@pytest.mark.parametrize("size", [1.0, 1e8, 1e-8])
def test_rounding_is_no_miss_and_the_scale_counts(size):
    exact = f"{size!r} * exp(-alpha*pi^2*t) * sin(pi*x)"
    conditions = {"initial": {"at": "t = 0", "equations": f"u = {size!r}*sin(pi*x)"}}
    assert told(check(posed(exact={"u": exact}, conditions=conditions))) == []


def test_an_exact_solution_that_is_no_number_somewhere_is_told():
    found = [message for key, message in told(check(posed(exact={"u": "log(x)"}))) if key == "exact.u"]
    (message,) = found  # once, not for each condition
    assert message.startswith("u is not finite at x = -")
    assert message.endswith("): write a form that is, such as where(abs(x) < 1e-9, 1, sin(x)/x)")


def test_an_exact_solution_that_is_no_number_at_most_points_is_told():
    ((key, message),) = [one for one in told(check(posed(exact={"u": "log(x - 0.6)"}))) if "exact." in one[0]]
    assert key == "exact.u"
    assert " of 200 points of the domain, such as x = " in message


def test_normal_derivatives_of_the_exact_solution():
    """u = x^2 + y^2: u_n = 2 on the faces x = 1 and y = 1 of [-1, 1]^2, and on the others too."""
    words = {
        "coordinates": {"x": [-1, 1], "y": [-1, 1]},
        "parameters": None,
        "equations": {"poisson": "laplacian(u) = 4"},
        "exact": {"u": "x^2 + y^2"},
    }
    flux = {"edge": {"at": "boundary", "equations": "u_n = 2"}}
    assert told(check(posed(**words, conditions=flux))) == []
    ((_, message),) = told(check(posed(**words, conditions={"edge": {"at": "boundary", "equations": "u_n = 2*x"}})))
    assert "the condition 'edge'" in message
    assert 3.9 < residual_of(message)[0] <= 4.0  # at x = -1, where u_n is 2 and not -2


def test_periodic_conditions_of_the_exact_solution():
    words = {"equations": {"advection": "u_t + u_x = 0"}, "parameters": None, "exact": {"u": "sin(pi*(x - t))"}}
    ring = {"ring": {"at": "x = -1", "equations": "u(x=-1) = u(x=1)"}}
    assert told(check(posed(**words, conditions=ring))) == []
    ring["ring"]["equations"] = "u(x=-1) = u(x=0)"
    assert len(told(check(posed(**words, conditions=ring)))) == 1


def test_learned_parameters_take_their_exact_value():
    learned = {"alpha": {"learn": 0.5}}
    exact = {"u": "exp(-0.1*pi^2*t) * sin(pi*x)", "alpha": "0.1"}
    assert told(check(posed(parameters=learned, exact=exact))) == []
    assert len(told(check(posed(parameters=learned, exact={**exact, "alpha": "0.2"})))) == 1


def test_a_learned_parameter_without_an_exact_value_leaves_its_equations_unchecked():
    words = {"parameters": {"alpha": {"learn": 0.5}}, "exact": {"u": "exp(-0.1*pi^2*t) * sin(pi*x)"}}
    assert told(check(posed(**words))) == []
    ends = {"ends": {"at": "x = 1", "equations": "u = 1"}}
    ((_, message),) = told(check(posed(**words, conditions=ends)))
    assert "the condition 'ends': the residual is 1 at x = 1" in message


def test_equations_are_checked_as_far_as_exact_fields_are_known():
    words = {
        "fields": ["u", "v"],
        "equations": {"heat": "u_t = alpha * u_xx", "other": "v_x = u + v"},
        "exact": {"u": "exp(-t) * sin(pi*x)"},
    }
    ((_, message),) = told(check(posed(**words)))
    assert "the equation 'heat'" in message


def test_what_a_callable_computes_is_not_checked_here():
    assert told(check(posed(equations={"heat": lambda p: p.u_t - p.u_xx}))) == []


def test_conditions_on_data_are_left_to_the_data():
    """Measurements carry noise."""
    data = {"x": [0.5], "t": [0.0], "u": [1.1]}
    assert told(check(posed(conditions={"samples": {"data": data}}))) == []
