"""Checks of values, smoothness, conditions in time, weights, and of what nothing trains."""

from __future__ import annotations

import math
import re

import pytest

from pinnkit.problem.checks import check
from pinnkit.problem.problem import Problem
from tests.problem.checked_problems import posed, told

# Finite numbers


@pytest.mark.parametrize(
    ("equation", "condition", "told"),
    [
        ("u_t = log(-2 - x)*u", "u = 0", ["equations.heat"]),
        ("u_t = u_xx", "u = log(x)", ["conditions.initial.equations"]),
        ("u_t = u_x + sqrt(x)*u", "u_x/t = 0", ["equations.heat", "conditions.initial.equations"]),
        ("u_t = u_xx/x + log(abs(x)) + where(x > 0, log(x), 0) + log(u) + 1/u_x + exp(u)", "u_x/(1 + x) = 1", []),
        ("u_t = sqrt(u - 100) + sqrt(-100 - u_x) + u", "u = 1/0.5", []),
    ],
)
def test_an_equation_without_a_value_is_told(equation, condition, told):
    conditions = {"initial": {"at": "t = 0", "equations": condition}}
    found = check(posed(equations={"heat": equation}, conditions=conditions, exact=None)).mistakes
    assert [one.key for one in found] == told
    assert all(
        re.match(r"is no finite number at \d+ of 200 points, such as x = .*, whatever", one.message) for one in found
    )


# The activation


@pytest.mark.parametrize(
    ("equation", "smoothness", "needed"),
    [
        ("u_t = alpha * u_xx", 1, "u_xx"),
        ("u_t + alpha * u*u_x = 0", 1, None),
        ("u_t + alpha * diff(u_x, t) = 0", 1, "u_xt"),
        ("u_t + alpha * u_xxx = 0", 2, "u_xxx"),
        ("u_t = alpha * u_xx", 2, None),
        ("u_t = alpha * u_xx", math.inf, None),
    ],
)
def test_the_activation_must_give_the_derivatives_that_are_asked_for(equation, smoothness, needed):
    found = told(check(posed(equations={"heat": equation}, exact=None), "relu", smoothness))
    if needed is None:
        assert found == []
    else:
        ((key, message),) = found
        assert key == "equations.heat"
        assert message.startswith(
            f"needs {needed}, but a network with activation relu has no useful derivative of order"
        )
        assert f"of order {len(needed) - 2}; choose network.activation=tanh" in message


def test_conditions_are_checked_for_smoothness_too():
    conditions = {"ends": {"at": "x = 1", "equations": "u_xx = 0"}, "start": {"at": "t = 0", "equations": "u = 0"}}
    found = told(check(posed(equations={"one": "u_t + alpha*u_x = 0"}, conditions=conditions, exact=None), "relu", 1))
    assert [key for key, _ in found] == ["conditions.ends.equations"]


# Conditions in time


@pytest.mark.parametrize(
    ("equation", "conditions", "warned"),
    [
        ("u_t = alpha*u_xx", {"a": {"at": "t = 0", "equations": "u = 0"}}, None),
        ("u_t = alpha*u_xx", {"a": {"at": "x = 1", "equations": "u = 0"}}, "order 1 in t but 0 conditions"),
        ("u_tt = alpha*u_xx", {"a": {"at": "t = 0", "equations": "u = 0"}}, "order 2 in t but 1 condition at"),
        ("u_tt = alpha*u_xx", {"a": {"at": "t = 0", "equations": ["u = 0", "u_t = 0"]}}, None),
        ("u_tt = alpha*u_xx", {c: {"at": f"t = {c == 'b':d}", "equations": "u = 0"} for c in "ab"}, None),
        ("alpha*u_xx = 0", {"a": {"at": "x = 1", "equations": "u = 0"}}, None),
        ("u_t = alpha*u_xx", {"a": {"data": {"x": [0], "t": [0], "u": [0]}}}, None),
    ],
)
def test_too_few_conditions_in_time_are_a_warning(equation, conditions, warned):
    report = check(posed(equations={"heat": equation}, conditions=conditions, exact=None))
    assert told(report) == []
    counted = [one for one in report.warnings if one.key == "conditions" and " in t but " in one.message]
    if warned is None:
        assert counted == []
    else:
        (warning,) = counted
        assert warned in warning.message
        assert "the solution is not unique" in warning.message


def test_a_solution_periodic_in_time_needs_no_initial_condition():
    conditions = {"ends": {"at": "x = 1", "equations": "u = 0"}}
    found = [check(posed(conditions=conditions, exact=None, periodic=[name])).warnings for name in "tx"]
    assert [any(" in t but 0 conditions" in one.message for one in warnings) for warnings in found] == [False, True]


def test_a_face_without_a_condition_is_a_warning_and_a_mistake_comes_before_it():
    words = {"coordinates": {"x": [0, 1], "y": [0, 1]}, "fields": ["u"], "equations": "laplacian(u) = 1"}
    found = check(Problem(**words, conditions={"left": {"at": "x = 0", "equations": "u = 0"}}))
    assert [(one.key, one.message) for one in found.warnings] == [
        (
            "conditions",
            "u has order 2 in x but 1 condition at the ends of x: the solution is not unique, and 1 more like it",
        )
    ]
    wrong = check(Problem(**words, conditions={"left": {"at": "x = 0", "equations": "u = log(-1 - y)"}}))
    assert (bool(wrong.mistakes), wrong.warnings) == (True, [])


def test_a_shape_that_is_cut_out_of_nothing_is_a_warning():
    def warned(domain, **centers):
        return check(
            Problem(
                coordinates={"x": [0, 1], "y": [0, 1], "t": [0, 1]},
                fields=["u"],
                shapes={name: {"disk": {"center": list(one), "radius": 0.1}} for name, one in centers.items()},
                domain=domain,
                equations="u_t = laplacian(u) + 1",
                conditions={"s": {"at": "t = 0", "equations": "u = 0"}, "b": {"at": "boundary", "equations": "u = 0"}},
            )
        ).warnings

    inside, beyond = {"a": (0.5, 0.5), "b": (0.2, 0.2)}, {"a": (0.5, 0.5), "b": (5, 5)}
    told = "(x, y) in the disk of radius 0.1 about (5, 5) is cut out, but has no part in what it is cut from"
    for domain in ("box - a - b", "box - (a + b)", "box - b - a", "(box - b) & (box - a)"):
        assert warned(domain, **inside) == []
        (warning,) = warned(domain, **beyond)
        assert (warning.key, warning.message.startswith(told)) == ("domain", True)
    assert len(warned("box - a - b", a=(0.5, 0.5), b=(0.5, 0.5))) == 1  # the second time nothing is left to cut


def test_each_field_is_counted_by_itself():
    conditions = {"a": {"at": "t = 0", "equations": ["u = 0", "u_x = 0"]}}
    report = check(posed(fields=["u", "v"], equations=["u_t = alpha*v", "v_t = u"], conditions=conditions, exact=None))
    assert [warning.message.split()[0] for warning in report.warnings] == ["v"]


# What nothing would train


def test_a_field_in_no_equation_is_refused():
    assert told(check(posed(fields=["u", "v"], exact=None))) == [
        ("fields.v", "stands in no equation and no condition, so nothing would train it")
    ]
    conditions = {"a": {"at": "t = 0", "equations": ["u = 0", "v = u"]}}
    assert told(check(posed(fields=["u", "v"], conditions=conditions, exact=None))) == []


def test_a_learned_parameter_in_no_equation_is_refused():
    learned = {"alpha": 0.1, "beta": {"learn": 1}}
    assert told(check(posed(parameters=learned))) == [
        ("parameters.beta", "is to be learned, but stands in no equation")
    ]
    assert told(check(posed(parameters={"alpha": 0.1, "beta": 1}))) == []


def test_what_a_callable_reads_is_not_known():
    assert told(check(posed(fields=["u", "v"], equations=[lambda p: p.u_t - p.v], exact=None))) == []


# Weights


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ("exp(-x)*(1 + t)/alpha", None),
        ("u - 2", None),  # known only while training
        ("alpha*a", "has a weight with a, which is learned: training would lower it"),
        ("t - 1.5", r"has the weight -\S+ at x = \S+, t = \S+: 0 or more is needed"),
        ("sqrt(x)", r"has the weight nan at x = -\S+, t = \S+: 0 or more is needed"),
        ("-alpha", "has the weight -0.1 at every point: 0 or more is needed"),
    ],
)
def test_a_weight_is_a_number_that_is_not_negative_wherever_it_is_known(weight, message):
    equations = {"heat": {"equation": "u_t = alpha*u_xx + a - 1", "weight": weight}}
    found = told(check(posed(equations=equations, parameters={"alpha": 0.1, "a": {"learn": 1}}, exact=None)))
    assert len(found) == (message is not None)
    for key, words in found:
        assert key == "equations.heat"
        assert re.fullmatch(message, words)


def test_weights_of_conditions_are_looked_at_on_their_places_and_rows():
    side = {"at": "boundary", "equations": "u_n = 0", "weight": "n_x"}
    rows = {"data": {"x": [0.5, 0.25], "t": [0.0, 0.5], "u": [1.0, 2.0], "s": [1.0, -3.0]}, "weight": "1 + s"}
    start = {"equation": "u = 0", "weight": "1/(1 + u^2)"}
    conditions = {"initial": {"at": "t = 0", "equations": [start, "u_x = 0"], "weight": "1 - t"}}
    report = check(posed(conditions={**conditions, "side": side, "rows": rows}, exact=None))
    assert [str(one).split(":")[:2] for one in report.warnings] == [
        ["conditions.initial.equations", " has a weight with u, which is trained too"]
    ]
    found = told(report)
    assert [key for key, _ in found] == ["conditions.side.equations", "conditions.rows.equations"]
    assert found[0][1].startswith("has the weight -1 at x = -1, t = ")
    assert found[1][1] == "has the weight -2 at x = 0.25, t = 0.5: 0 or more is needed"


def test_all_that_is_wrong_is_told_together():
    report = check(
        posed(
            fields=["u", "v"],
            parameters={"alpha": 0.1, "beta": {"learn": 1}},
            exact={"u": "exp(-t)*sin(pi*x)", "v": "0"},
        ),
        "relu",
        1,
    )
    assert [key for key, _ in told(report)] == ["fields.v", "parameters.beta", "equations.heat", "exact"]


def test_checking_changes_nothing():
    problem = posed()
    check(problem, "relu", 1)
    assert problem == posed()


def test_an_exact_solution_too_large_to_differentiate_is_left_unchecked_with_a_warning():
    names = [f"x{number}" for number in range(1, 101)]
    mean = f"({' + '.join(f'{name}^2' for name in names)})/100"
    report = check(
        Problem(
            coordinates={name: [0, 1] for name in names},
            fields=["u"],
            equations="laplacian(u) = 2",
            conditions={"face": {"at": "x1 = 0", "equations": f"u = {mean}"}},
            exact={"u": mean},
        )
    )
    assert told(report) == []
    assert [warning.key for warning in report.warnings if warning.key != "conditions"] == ["exact"]
    (faces,) = [warning.message for warning in report.warnings if warning.key == "conditions"]
    assert faces.endswith("the solution is not unique, and 99 more like it")
    assert "is not checked against equations." in report.warnings[0].message
