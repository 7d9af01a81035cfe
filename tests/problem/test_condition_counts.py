"""Counts of conditions against the order of the equations."""

import pytest

from pinnkit.problem.condition_counts import too_few_in_space, too_few_in_time
from pinnkit.problem.problem import Problem

START = {"at": "t = 0", "equations": "u = sin(pi*x)"}
ENDS = {"at": ["x = 0", "x = 1"], "equations": "u = 0"}
PERIODIC = {"at": "x = 0", "equations": ["u(x=0) = u(x=1)", "u_x(x=0) = u_x(x=1)"]}


def rod(equation="u_t = u_xx", **conditions):
    words = {"coordinates": {"x": [0, 1], "t": [0, 1]}, "fields": ["u"], "equations": equation}
    return Problem(**words, conditions=conditions)


@pytest.mark.parametrize(
    "problem",
    [
        rod(start=START, ends=ENDS),
        rod(start=START, period=PERIODIC),
        rod("u_t + u_x = 0", start=START, inflow={"at": "x = 0", "equations": "u = 0"}),
        rod("u_tt = u_xx", start={"at": "t = 0", "equations": ["u = sin(pi*x)", "u_t = 0"]}, ends=ENDS),
    ],
)
def test_enough_conditions(problem):
    assert too_few_in_time(problem) + too_few_in_space(problem) == []


def test_what_may_take_the_place_of_a_condition():
    words = {"coordinates": {"x": [0, 1]}, "fields": ["u"], "equations": "u_xx = 1"}
    left = {"at": "x = 0", "equations": "u = 0"}
    assert too_few_in_space(Problem(**words, conditions={"left": left})) != []
    assert (
        too_few_in_space(Problem(**words, conditions={"left": left, "mean": {"equations": "integral(u, x) = 1"}})) == []
    )
    words = {"coordinates": {"t": [0, 1]}, "fields": ["u"], "equations": "u_tt = -u"}
    both = {"at": ["t = 0", "t = 1"], "equations": "u = 1"}
    assert too_few_in_time(Problem(**words, conditions={"both": both})) == []


def test_each_missing_condition_is_named():
    assert too_few_in_time(rod(ends=ENDS)) == [
        "u has order 1 in t but 0 conditions at a fixed t: the solution is not unique"
    ]
    (sentence,) = too_few_in_space(rod(start=START, left={"at": "x = 0", "equations": "u = 0"}))
    assert sentence == "u has order 2 in x but 1 condition at the ends of x: the solution is not unique"


def test_a_side_of_a_square_is_missing():
    words = {"coordinates": {"x": [0, 1], "y": [0, 1]}, "fields": ["u"], "equations": "laplacian(u) = 1"}
    sides = {"at": ["x = 0", "x = 1", "y = 0"], "equations": "u = 0"}
    (sentence,) = too_few_in_space(Problem(**words, conditions={"sides": sides}))
    assert sentence.startswith("u has order 2 in y but 1 condition at the ends of y")
    whole = {"at": "boundary", "equations": "u = 0"}
    assert too_few_in_space(Problem(**words, conditions={"whole": whole})) == []
