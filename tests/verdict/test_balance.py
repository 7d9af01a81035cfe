"""Balances, progress and changes against closed forms."""

import numpy as np
import pytest

from pinnkit.verdict.balance import balance
from pinnkit.verdict.changes import change, last_change, late_change
from pinnkit.verdict.progress import fell

T = (np.arange(1000) + 0.5) / 1000
NONE = np.zeros_like(T)
RANGE = {"t": (0.0, 1.0)}


def test_the_worst_slab_is_found_where_the_whole_looks_balanced():
    layer = (T > 0.3) & (T < 0.4)
    found = balance(np.where(layer, 0.9, 0.0), NONE + 1.0, NONE, {"t": T}, RANGE)
    assert found.ratio == pytest.approx(0.9 * np.sqrt(0.1))
    assert found.worst.ratio == pytest.approx(0.9)
    assert (found.worst.name, found.worst.lower, found.worst.upper) == ("t", pytest.approx(0.3), pytest.approx(0.4))
    assert all(0.3 < one["t"] < 0.4 and one["residual"] == 0.9 and one["scale"] == 1.0 for one in found.largest)


def test_a_steady_state_with_vanishing_terms_is_balanced_by_the_natural_size():
    residual, size = 1e-6 * np.cos(40 * T), 1e-6 + np.exp(-50 * T)
    assert balance(residual, size, NONE, {"t": T}, RANGE).worst.ratio > 0.5
    assert balance(residual, size, NONE + 0.3, {"t": T}, RANGE).worst.ratio < 1e-5


def test_points_without_a_finite_residual_are_left_out():
    residual = np.where(T < 0.5, np.inf, 0.25)
    found = balance(residual, NONE + 1.0, NONE, {"t": T, "x": NONE}, {**RANGE, "x": (0.0, 1.0)})
    assert (found.rms, found.ratio) == (0.25, 0.25)
    assert np.isnan(balance(NONE + np.nan, NONE, NONE, {"t": T}, RANGE).ratio)


@pytest.mark.parametrize("power", [0.0, 1.0, 3.0])
def test_the_fall_of_a_power_law(power):
    steps = np.arange(10, 10_000, 10)
    assert fell(steps, steps**-power) == pytest.approx((0.95 / 0.62) ** power, rel=1e-2)


def test_single_jumps_and_short_records_do_not_count():
    steps = np.arange(10, 10_000, 10)
    values = np.where(steps % 500 == 0, 1e3, 1.0)
    assert fell(steps, values) == 1.0
    assert fell(steps[:4], values[:4]) is None
    assert fell(steps, np.full(len(steps), np.nan)) is None


def test_changes_of_the_answer():
    answers = [(step, {"u": np.array([3.0, 4.0 + 1 / step, np.nan])}) for step in (100, 200, 300)]
    size = np.hypot(3.0, 4.0 + 1 / 300)
    assert last_change(answers) == {"u": pytest.approx((1 / 200 - 1 / 300) / size)}
    assert late_change(answers) == pytest.approx((1 / 200 - 1 / 300) / size)
    assert (last_change(answers[:1]), late_change(answers[1:])) == ({}, pytest.approx((1 / 200 - 1 / 300) / size))
    assert np.isnan(change({"u": np.ones(2)}, {"u": np.zeros(2)})["u"])
