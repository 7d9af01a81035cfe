"""The benchmark of accuracy: medians and targets, its tables and its figure."""

import math

import numpy as np
import pytest

from benchmark.accuracy_figure import draw
from benchmark.accuracy_summary import against, missed, summary
from benchmark.accuracy_table import markdown
from benchmark.targets import TARGETS
from pinnkit.runs.shipped import problems
from tests.benchmark.accuracy_rows import made_up


def test_the_targets_are_of_problems_that_are_shipped():
    assert set(TARGETS) <= set(problems())
    for target in TARGETS.values():
        seconds = [goal.seconds for goal in target.goals]
        assert seconds == sorted(seconds)
        assert [goal.error for goal in target.goals] == sorted((goal.error for goal in target.goals), reverse=True)


def test_the_median_of_the_seeds_counts_and_its_time():
    curves = [[(t, e, 10)] for t, e in ((50.0, 4e-6), (30.0, 8e-6), (90.0, 2e-5))]
    (row,) = summary([made_up(seed=seed, curve=one) for seed, one in enumerate(curves)])
    assert (row["seconds"], row["seeds"], row["median"], row["worst"]) == (180, 3, 8e-6, 2e-5)
    assert row["met"] is True
    assert row["time_to_target"] == 50.0  # of 30, 50, never
    assert row["steps"] == 101
    assert row["optimizer"] == "auto: adam then ssbroyden"
    assert row["ended"] == "the time is over (3)"


def test_the_worst_seed_must_be_within_ten_times_the_median():
    errors = [1e-6, 1e-6, 1.1e-5]
    (row,) = summary([made_up(seed=seed, error=error) for seed, error in enumerate(errors)])
    assert (row["median"], row["met"]) == (1e-6, False)
    page = markdown({"commands": [], "rows": [made_up(seed=i, error=e) for i, e in enumerate(errors)]})
    assert "| 1e-05 | no: the worst is 11 times the median |" in page
    (row,) = summary([made_up(seed=seed, error=error) for seed, error in enumerate([1e-6, 1e-6, 0.9e-5])])
    assert row["met"] is True


def test_a_run_without_an_error_counts_as_infinite_and_its_reason_is_told():
    failed = made_up(seed=2, status="diverged", reason="training diverged at step 5", optimizers=[], steps=5)
    rows = [made_up(seed=0, error=1e-6), made_up(seed=1, error=2e-6), failed]
    (row,) = summary(rows)
    assert (row["median"], row["worst"], row["met"]) == (2e-6, math.inf, False)
    assert row["ended"] == "the time is over (2); training diverged at step 5 (1)"
    assert missed(rows)
    page = markdown({"commands": ["c"], "rows": rows})
    assert "| burgers | 180 s | auto | 2 | diverged |  | 5 | 250 | 180.0 | training diverged at step 5 | abc |" in page


def test_a_longer_run_tells_the_error_of_the_shorter_budget_unless_that_was_run_too():
    long = made_up(seconds=1200, curve=[(10, 1e-2, 1), (170, 2e-5, 50), (190, 9e-6, 60), (1200, 4e-7, 400)])
    short, full = summary([long])
    assert (short["seconds"], short["read_from"], short["median"], short["steps"]) == (180, 1200, 2e-5, 50)
    assert (short["met"], short["time_to_target"]) == (False, math.inf)
    assert (full["read_from"], full["median"], full["met"], full["time_to_target"]) == (None, 4e-7, True, 1200)
    assert "| 180 s of the 1200 s run |" in markdown({"commands": [], "rows": [long]})
    short, _ = summary([long, made_up(curve=[(100, 3e-6, 40)])])
    assert (short["read_from"], short["median"], short["met"]) == (None, 3e-6, True)


def test_a_budget_without_a_target_is_a_row_that_misses_none():
    rows = [made_up(seconds=5, error=0.5)]
    (row,) = summary(rows)
    assert (row["seconds"], row["target"], row["met"], row["time_to_target"]) == (5, None, None, None)
    assert not missed(rows)


def test_settings_and_optimizers_are_not_mixed():
    rows = [made_up(error=1e-6), made_up(error=1e-2, overrides=["seed=0"]), made_up(error=1.0, optimizer="adam")]
    assert sorted(row["median"] for row in summary(rows)) == [1e-6, 1e-2, 1.0]


def test_every_line_of_the_tables_has_as_many_cells_as_its_head():
    rows = [made_up(reason="a | b"), made_up(framework="jinns", optimizer="", curve=[(60, 1e-4, 9)])]
    lines = [line.replace("\\|", "") for line in markdown({"commands": [], "rows": rows}).splitlines()]
    tables, counts = 0, None
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if following.startswith("| ---"):
            counts, tables = line.count("|"), tables + 1
        if line.startswith("|"):
            assert line.count("|") == counts
    assert tables == 4


def test_the_share_of_jinns_time():
    theirs = [made_up(seed=s, framework="jinns", optimizer="", error=e) for s, e in enumerate([1e-5, 2e-5, 4e-5])]
    ours = [made_up(seed=s, curve=[(20 + s, 3e-5, 1), (90 + s, 2e-5, 2)]) for s in range(3)]
    (one,) = against([*theirs, *ours])
    assert (one["error"], one["time"], one["share"]) == (2e-5, 91, pytest.approx(91 / 180))
    page = markdown({"commands": [], "rows": [*theirs, *ours]})
    assert "| burgers | 2.00e-05 after 180 s | auto | 91.0 | 51% |" in page


def test_the_figure_has_a_line_for_each_run_a_colour_for_each_optimizer_and_the_targets():
    curve = [(1, 1e-1, 1), (10, 1e-3, 2)]
    rows = [made_up(seed=s, curve=curve) for s in (0, 1)] + [made_up(optimizer="adam", curve=curve), made_up()]
    axes = draw("burgers", rows).axes[0]
    lines = [line for line in axes.get_lines() if len(line.get_xdata()) == 2]
    assert [line.get_color() for line in lines[:3]].count(lines[0].get_color()) == 2
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["auto", "adam", "target"]
    np.testing.assert_allclose(lines[-1].get_xdata(), [180, 1200])
    assert draw("burgers", [made_up()]) is None
