"""Estimated errors in figures, tables and reports."""

import csv

import numpy as np
import pytest

from pinnkit.reporting.artifacts import RunFolder
from pinnkit.reporting.compare import compare
from pinnkit.reporting.figures import Grid, draw
from pinnkit.reporting.report_tables import run_facts, tables
from pinnkit.reporting.summary import summarise
from tests.reporting.figure_cases import NO_HISTORY, mesh, render, titles

X = np.linspace(-1.0, 1.0, 21)
POINTS = np.random.default_rng(0).uniform(-1.0, 1.0, (200, 2))
SCATTERED = Grid({"x": POINTS[:, 0], "t": POINTS[:, 1]}, structured=False, time="t")


def drawn(grid, estimates):
    fields = {"u": np.ones(grid.shape)}
    return draw("heat", grid, fields, {}, {}, NO_HISTORY, {}, estimates=estimates)


def test_the_map_is_drawn_at_points_of_its_own():
    figures = drawn(mesh(x=X, t=X), (SCATTERED, {"u": 2e-5 * POINTS[:, 0]}))
    assert "estimated_error_u" in figures
    largest = f"{2e-5 * np.abs(POINTS[:, 0]).max():.1e}"
    assert titles(figures)["estimated_error_u"] == f"heat: estimated error of $u$, at most {largest}"
    render({"estimated_error_u": figures["estimated_error_u"]})


def test_in_one_coordinate_it_is_a_curve_and_of_a_complex_field_the_modulus():
    grid = mesh(x=X)
    figures = drawn(grid, (grid, {"u": (3e-4 + 4e-4j) * np.ones(21)}))
    assert titles(figures)["estimated_error_u"].endswith("at most 5.0e-04")
    (line,) = [one for one in figures["estimated_error_u"].axes[0].lines if len(one.get_xdata()) == 21]
    assert line.get_ydata() == pytest.approx(5e-4)
    render({"estimated_error_u": figures["estimated_error_u"]})


def test_there_is_none_without_an_estimate():
    assert not any("estimated" in name for name in drawn(mesh(x=X), None))


METRICS = {
    "status": "finished",
    "method": "features",
    "relative_l2": {"u": 1e-5, "v": 2e-5},
    "estimated_error": {"u": 1.1e-5, "v": None},
    "estimated_error_text": "two independent corrections; no reference needed; not known of v: two sets disagree",
    "learned": {"k": {"value": 2.0, "estimated_error": 3e-3}},
    "polish": {"accepted": False, "residual_before": 1e-5, "residual_after": 9e-6, "seconds": 2.0},
}


def test_the_tables_of_a_report():
    errors, learned = tables(METRICS)
    assert list(errors.head) == ["field", "relative L2 error", "estimated error"]
    assert [tuple(row) for row in errors.rows] == [("u", "1.000e-05", "1.100e-05"), ("v", "2.000e-05", "—")]
    assert errors.note == f"Estimated: {METRICS['estimated_error_text']}."
    assert list(learned.head) == ["parameter", "value", "estimated error"]
    assert [tuple(row) for row in learned.rows] == [("k", "2", "3.000e-03")]
    facts = dict(run_facts(METRICS))
    assert facts["method"] == "features"
    assert facts["polish"] == "not accepted: residual 1.000e-05, then 9.000e-06, in 2.0 s"


def test_one_that_is_not_known_makes_no_column():
    none = {**METRICS, "relative_l2": {"u": 1e-5}, "estimated_error": {"u": None}, "learned": {}}
    (errors,) = tables(none)
    assert list(errors.head) == ["field", "relative L2 error"]


def test_summaries_and_comparisons_have_a_column(tmp_path):
    for name, error in (("a", 1.1e-5), ("b", None)):
        RunFolder(tmp_path / name).create().write_metrics({**METRICS, "estimated_error": {"u": error}, "loss": 1.0})
    table = list(csv.DictReader(summarise(tmp_path).read_text().splitlines()))
    assert {row["run"]: row["estimated_error.u"] for row in table} == {"a": "1.1e-05", "b": ""}
    assert "learned.k.estimated_error" in table[0]
    assert "estimated_error.u" in compare([tmp_path]).as_text(width=300)
