"""Warnings of unknowns whose sign nothing decides, or that may be zero."""

import pytest

from pinnkit import Problem
from pinnkit.language.errors import Report
from pinnkit.problem.signs import check_signs

WELL = {
    "coordinates": {"x": [0, 1]},
    "fields": ["u"],
    "parameters": {"E": {"learn": 8}},
    "equations": "-u_xx = E*u",
}
ENDS = {"at": "boundary", "equations": "u = 0"}
NORM = {"equations": "integral(u^2, x) = 1"}


def warnings(config: dict) -> list[str]:
    report = Report()
    check_signs(Problem(**config), report)
    return [str(one) for one in report.warnings]


@pytest.mark.parametrize(
    "condition", ["integral(u, x) = abs(integral(u, x))", "integral(u, x) = 1", "integral(u^2 + u, x) = 1"]
)
def test_a_condition_decides_the_sign_of_an_eigenfunction(condition):
    (told,) = warnings({**WELL, "conditions": {"ends": ENDS, "norm": NORM}})
    assert told.startswith("fields.u: -u meets every equation and condition that u does")
    assert "integral(u, domain) = abs(integral(u, domain))" in told
    assert not warnings({**WELL, "conditions": {"ends": ENDS, "norm": NORM, "sign": {"equations": condition}}})


def test_an_eigenvalue_problem_without_a_norm_is_warned_of():
    (told,) = warnings({**WELL, "conditions": {"ends": ENDS}})
    assert told.startswith("fields.u: u = 0 meets every equation and condition: is one missing")
    assert not warnings({**WELL, "conditions": {"ends": ENDS}, "exact": {"u": "0", "E": "9"}})


def test_both_parts_of_a_complex_field_and_all_of_a_divided_one_change_together():
    wave = {"coordinates": {"x": [0, 1]}, "fields": {"h": "complex"}, "equations": "i*h_xx + abs(h)^2*h = 0"}
    ends = {"ends": {"at": "boundary", "equations": "h = 0"}, "norm": {"equations": "integral(abs(h)^2, x) = 1"}}
    (told,) = warnings({**wave, "conditions": ends})
    assert told.startswith("fields.h: -h meets")
    assert not warnings({**wave, "conditions": {"ends": {"at": "boundary", "equations": "h = i"}}})
    halves = {"left": {"box": {"lower": [0], "upper": [0.5]}}, "right": "box - left"}
    contact = {"at": "left", "equations": ["u.left = u.right", "u.left_n = u.right_n"]}
    norm = {"equations": "integral(u.left^2, left) = 1"}
    conditions = {"ends": {"at": "box", "equations": "u = 0"}, "contact": contact, "norm": norm}
    divided = {**WELL, "shapes": halves, "fields": {"u": {"parts": ["left", "right"]}}, "conditions": conditions}
    assert warnings(divided)[0].startswith("fields.u: -u meets")


def test_sources_data_and_bounds_decide():
    assert not warnings({**WELL, "equations": "u_xx = x", "parameters": {}, "conditions": {"ends": ENDS}})
    bounded = {**WELL, "fields": {"u": {"coordinates": ["x"], "min": 0}}, "conditions": {"norm": NORM}}
    assert not warnings(bounded)
