"""The line search on functions of one variable whose minima are known."""

from __future__ import annotations

import math

import pytest
import torch

from pinnkit.optimizers.line_search import CURVATURE, SUFFICIENT_DECREASE, Outcome, strong_wolfe


def along(function):
    """phi of a function of one float64 tensor, with the gradient holding the step so that mix-ups show."""
    calls = []

    def phi(step):
        calls.append(step)
        x = torch.tensor(step, dtype=torch.float64, requires_grad=True)
        value = function(x)
        (slope,) = torch.autograd.grad(value, x)
        return value.item(), slope.item(), torch.tensor([step], dtype=torch.float64)

    return phi, calls


def search(function, **options):
    phi, calls = along(function)
    loss, slope, _ = phi(0.0)
    calls.clear()
    return strong_wolfe(phi, loss, slope, **{"tolerance": 1e-6, **options}), loss, slope, calls


WOLFE_FUNCTIONS = {
    "accepted at once": lambda a: (a - 1.2) ** 2,
    "far minimum": lambda a: (a / 1000.0 - 1.0) ** 2,
    "very far minimum": lambda a: -a / (a * a + 1e10) * 1e5,
    "near minimum": lambda a: (1e4 * a - 1.0) ** 2,
    "steep wall": lambda a: torch.exp(20.0 * a) - 40.0 * a,
    "quartic well": lambda a: (a - 0.01) ** 4,
    "wiggles (More and Thuente 3)": lambda a: 1.0 - a + 0.3 * torch.sin(15.0 * a) ** 2,
    "flat then steep (More and Thuente 2)": lambda a: (a + 0.004) ** 5 - 2.0 * (a + 0.004) ** 4,
    "two wells": lambda a: (a * a - 9.0) ** 2 - 8.0 * a,
    "Yanai (More and Thuente 5)": lambda a: 0.99 * ((1 - a) ** 2 + 1e-4).sqrt() + 0.01 * (a * a + 1e-2).sqrt(),
}


@pytest.mark.parametrize("name", WOLFE_FUNCTIONS)
def test_strong_wolfe_conditions_hold(name):
    function = WOLFE_FUNCTIONS[name]
    found, loss, slope, calls = search(function, tolerance=0.0)
    x = torch.tensor(found.step, dtype=torch.float64, requires_grad=True)
    value = function(x)
    (derivative,) = torch.autograd.grad(value, x)
    assert found.outcome is Outcome.WOLFE
    assert (found.loss, found.slope) == (value.item(), derivative.item())
    assert found.gradient.item() == found.step  # the gradient that belongs to the step, not to the last trial
    assert value.item() <= loss + SUFFICIENT_DECREASE * found.step * slope
    assert abs(derivative.item()) <= CURVATURE * abs(slope)
    assert found.evaluations == len(calls) <= 12


def test_a_good_first_trial_costs_one_evaluation():
    found, _, _, calls = search(lambda a: (a - 1.0) ** 2)
    assert found.step == 1.0
    assert calls == [1.0]


def test_first_is_the_first_trial():
    found, _, _, calls = search(lambda a: (a - 0.3) ** 2, first=0.25)
    assert found.step == 0.25
    assert calls == [0.25]


def test_far_minimum_needs_expansion_and_a_near_one_needs_zoom():
    far, *_ = search(lambda a: (a / 1000.0 - 1.0) ** 2)
    near, *_ = search(lambda a: (1e4 * a - 1.0) ** 2)
    assert far.step > 40.0
    assert 0.0 < near.step < 2e-4


def test_cubic_interpolation_is_exact_on_a_cubic():
    """From 0 and 4, a' = a^2 + a - 2 vanishes at 1: the second trial is the minimiser."""
    found, _, _, calls = search(lambda a: a**3 / 3 + a**2 / 2 - 2 * a, first=4.0)
    assert len(calls) == 2
    assert found.step == pytest.approx(1.0, abs=1e-14)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("wall", [1e-3, 0.4, 30.0, 99.0])
def test_shrinks_away_from_values_that_are_not_finite(wall, bad):
    def function(a):
        x = a / wall  # the slope is -1 until x = 0.86, and 0 at 0.9
        return 0.015 * (x / 0.9) ** 60 - x if x < 1.0 else x * bad

    found, loss, slope, calls = search(function, tolerance=0.0)
    assert any(step >= wall for step in calls)  # the wall was met
    assert found.outcome is Outcome.WOLFE
    assert found.step < wall
    assert len(calls) <= 12
    assert found.loss <= loss + SUFFICIENT_DECREASE * found.step * slope


def rounded(a):
    """A well at 0.2 whose depth is lost in the rounding of a loss that seems to rise; its slope is right."""
    well = 1e-16 * (a - 0.2) ** 2
    return 1.0 + 1e-13 * (a.detach() > 0.0).double() + well - well.detach()


def test_slopes_decide_where_losses_differ_by_rounding_only():
    found, *_ = search(rounded, tolerance=1e-10)
    assert found.outcome is Outcome.APPROXIMATE
    assert found.step == pytest.approx(0.2, abs=1e-12)  # linear slopes: the secant is exact
    failed, *_ = search(rounded, tolerance=0.0)
    assert failed.outcome is Outcome.NO_STEP


def test_a_rise_within_the_tolerance_is_not_accepted_where_the_slope_is_steep():
    def phi(step):
        return (1.0 if step == 0.0 else 1.0 + 1e-12), -1.0 + 1.1 * step, torch.zeros(1)

    assert strong_wolfe(phi, 1.0, -1.0, tolerance=1e-10).outcome is Outcome.NO_STEP


def test_uphill_direction_and_wrong_gradient_have_different_outcomes():
    found, _, _, calls = search(lambda a: (a + 1.0) ** 2)
    assert found.outcome is Outcome.NO_DESCENT
    assert calls == []

    def wrong(step):
        return (step + 1.0) ** 2, -2.0, torch.zeros(1)

    found = strong_wolfe(wrong, 1.0, -2.0, tolerance=1e-6)
    assert found.outcome is Outcome.NO_STEP
    assert not found.outcome.moved
    assert found.step == 0.0
    assert found.evaluations <= 25


def test_max_evaluations_bounds_the_trials_and_keeps_a_lower_loss():
    found, loss, _, calls = search(lambda a: (a / 1000.0 - 1.0) ** 2, max_evaluations=1)
    assert len(calls) == 1
    assert found.outcome is Outcome.DECREASE
    assert found.step == 1.0
    assert found.loss < loss


def test_a_lower_trial_past_the_minimum_is_kept_when_evaluations_end():
    found, loss, _, _ = search(lambda a: (a - 0.52) ** 2, max_evaluations=1)
    assert (found.outcome, found.step) == (Outcome.DECREASE, 1.0)
    assert found.loss < loss


def test_expansion_ends_where_the_loss_rises_again():
    """At 10 the loss still is below the line of sufficient decrease, but above that at 1: look between."""
    calls = []

    def phi(step):
        calls.append(step)
        if step in (1.0, 10.0):
            return {1.0: -1.0, 10.0: -0.5}[step], -1.0, torch.zeros(1)
        return -3.0, 0.0, torch.zeros(1)

    found = strong_wolfe(phi, 0.0, -1.0, tolerance=1e-6)
    assert calls[:2] == [1.0, 10.0]
    assert 1.0 < found.step < 10.0


def test_deterministic():
    function = WOLFE_FUNCTIONS["wiggles (More and Thuente 3)"]
    assert search(function)[3] == search(function)[3]
