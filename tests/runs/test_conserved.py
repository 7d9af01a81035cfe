"""Conserved quantities: what a problem may name, their drift over time, and what the verdict says of it."""

import numpy as np
import pytest

import pinnkit
from pinnkit.problem.problem import Problem
from pinnkit.problem.statement import statement
from pinnkit.runs.conserved import conserved, drift_lines, drifts_more_than_claimed, lost
from tests.conftest import assembled
from tests.runs.small import QUICK, solved

ROD = {
    "coordinates": {"x": [0, 2], "t": [0, 3]},
    "parameters": {"a": {"range": [1, 2]}},
    "fields": ["u"],
    "equations": "u_t = a*u_xx",
    "conditions": {"start": {"at": "t = 0", "equations": "u = 1"}, "walls": {"at": "boundary", "equations": "u_n = 0"}},
    "conserve": {"mass": "integral(u, x)", "square": "integral(a*u^2, domain)"},
}


def with_values(module, value):
    """The module with a field that is this function of the points (x, t, a)."""
    module.model.network.forward = lambda points, expanded=True: value(points)[:, None]
    return module


def test_the_drift_is_that_of_the_expression_over_time():
    """u = 3 + x t: its integral over 0 <= x <= 2 is 6 + 2 t, that of a u^2 is a (18 + 12 t + 8 t^2 / 3)."""
    module, _ = assembled(ROD, QUICK)
    found = conserved(with_values(module, lambda p: 3 + p[:, 0] * p[:, 1]))["conserved"]
    expected = {"start": 6.0, "end": 12.0, "drift": 6.0, "relative_drift": 1.0}
    assert found["mass"] == pytest.approx(expected, rel=1e-12)
    assert found["square"]["relative_drift"] == pytest.approx((36 + 24) / 18, rel=1e-12)


def test_the_drift_counts_at_every_time_and_of_the_member_that_drifts_most():
    """u = 1 + (a - 1) sin(pi t / 3): the same at the end as at the start."""
    module, _ = assembled(ROD, QUICK)
    found = conserved(with_values(module, lambda p: 1 + (p[:, 2] - 1) * (np.pi * p[:, 1] / 3).sin()))["conserved"]
    assert found["mass"]["relative_drift"] == pytest.approx(1.0, rel=1e-3)
    assert found["mass"]["end"] == pytest.approx(found["mass"]["start"], rel=1e-12)


def test_a_quantity_that_is_zero_at_the_start_has_no_relative_drift():
    module, _ = assembled(ROD, QUICK)
    found = conserved(with_values(module, lambda p: p[:, 1]))["conserved"]["mass"]
    assert found == pytest.approx({"start": 0.0, "end": 6.0, "drift": 6.0, "relative_drift": None})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("u", "depends on x: what is conserved is a number at each time"),
        ("integral(a, x)", "holds no field"),
        ("u(x=1, t=0)", "does not depend on t"),
        ("integral(v, x)", "'v'"),
        (True, "True is no expression"),
        ("u = 1", "an expression belongs here, not an equation"),
    ],
)
def test_what_is_no_quantity_is_refused(text, message):
    with pytest.raises(pinnkit.ProblemError, match=r"conserve\.mass") as refused:
        Problem(**{**ROD, "conserve": {"mass": text}})
    assert message in str(refused.value)


def test_of_a_field_with_parts_a_part_is_named():
    shapes = {"low": {"level_set": "x - 1"}, "high": {"level_set": "1 - x"}}
    equations = {"low": {"equation": "u_t = a*u_xx", "in": "low"}, "high": {"equation": "u_t = a*u_xx", "in": "high"}}
    words = {**ROD, "shapes": shapes, "fields": {"u": {"parts": ["low", "high"]}}, "equations": equations}
    with pytest.raises(pinnkit.ProblemError, match=r"conserve\.mass.*name one of u\.low, u\.high"):
        Problem(**{**words, "conserve": {"mass": "integral(u, x)"}})
    assert Problem(**{**words, "conserve": {"mass": "u.low(x=0)"}}).conserve == {"mass": "u.low(x=0)"}


def test_a_problem_without_time_conserves_nothing():
    words = {"coordinates": {"x": [0, 1]}, "fields": ["u"], "equations": "u_x = 1", "conserve": {"mass": "u(x=0)"}}
    with pytest.raises(pinnkit.ProblemError, match="conserve: names what does not change with time"):
        Problem(**words)


def test_quantities_have_units_and_stand_in_the_statement():
    problem = Problem(**ROD, units={"mass": "kg"})
    assert ("conserved", "mass = integral(u, x)") in statement(problem).facts
    one = {"start": 6.0, "end": 6.5, "drift": 0.5, "relative_drift": 1 / 12}
    (line,) = drift_lines({"conserved": {"mass": one}, "units": dict(problem.units)})
    assert line == "mass, conserved: 6 kg at the start, drifts by up to 5.0e-01, 8.3e-02 of it"


@pytest.mark.parametrize(
    ("drift", "errors", "told"),
    [
        (2e-3, {"u": 1e-3}, ""),
        (4e-3, {"u": 1e-3}, "drifts by 4.0e-03 of its value at the start: more than the error of 1.0e-03"),
        (9e-4, {}, ""),
        (2e-3, {}, "drifts by 2.0e-03 of its value at the start: the fields are no more exact"),
        (None, {}, ""),
    ],
)
def test_a_drift_above_the_claimed_error_is_told(drift, errors, told):
    metrics = {"conserved": {"mass": {"relative_drift": drift}}, "relative_l2": errors}
    said = drifts_more_than_claimed(metrics)
    assert told in said
    assert bool(said) is bool(told)
    assert lost({"conserved": {"mass": {"relative_drift": 0.2}}}) == ["mass, which is to be conserved, changes by 20 %"]


def test_a_run_writes_the_drift_and_the_verdict_has_it(tmp_path):
    """u = exp(-t) conserves nothing: what it calls conserved falls by 63 %."""
    words = {"coordinates": {"t": [0, 1]}, "fields": ["u"], "equations": "u_t = -u"}
    start = {"start": {"at": "t = 0", "equations": "u = 1"}}
    run = solved(tmp_path / "run", {**words, "conditions": start, "conserve": {"mass": "u"}})
    found = run.metrics["conserved"]["mass"]
    t = np.linspace(0, 1, 101)
    u = run(t=t)["u"]
    assert found["drift"] == pytest.approx(abs(u - u[0]).max(), rel=1e-12)
    assert run.metrics["verdict"] == "unsolved"
    assert "mass, which is to be conserved, changes by 6" in run.metrics["verdict_text"]
    assert "mass, conserved: " in (tmp_path / "run" / "train.log").read_text()
    assert "Conserved quantities" in (tmp_path / "run" / "report.html").read_text()
