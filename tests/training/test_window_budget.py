"""The share of a run's steps and time that a window of time may take."""

from types import SimpleNamespace

import pytest

from pinnkit.training.settings import Trainer
from pinnkit.training.window_budget import WindowBudget


def course(step, seconds, **limits):
    return SimpleNamespace(
        limits=Trainer(**limits),
        progress=SimpleNamespace(step=step),
        clock=SimpleNamespace(seconds=lambda: seconds),
    )


def test_a_window_may_take_its_share_of_what_is_left():
    """A quarter of the 800 steps and of the 60 s that are left after 200 steps and 40 s."""
    budget, limits = WindowBudget(200, 40.0, 0.25, own=True), {"max_steps": 1000, "max_time": 100.0}
    assert (budget.steps(Trainer(**limits)), budget.seconds(Trainer(**limits))) == (200, 15.0)
    assert budget.steps_over(course(399, 41.0, **limits)) is None
    assert budget.steps_over(course(400, 41.0, **limits)) == "the window's 200 steps are done"
    assert budget.time_over(course(300, 54.9, **limits)) is None
    assert budget.time_over(course(300, 55.0, **limits)) == "the window's 15 s of training are over"
    assert budget.time_over(course(200, 56.0, **limits)) is None  # at least one step is made
    assert budget.left(course(250, 43.0, **limits)) == pytest.approx(0.75)
    assert budget.left(course(250, 52.0, **limits)) == pytest.approx(0.2)


def test_the_last_window_ends_with_the_run():
    budget, limits = WindowBudget(200, 0.0, 1.0, own=False), {"max_steps": 1000, "max_time": 10.0}
    assert budget.steps_over(course(1000, 1.0, **limits)) is None
    assert budget.time_over(course(300, 11.0, **limits)) is None
    assert budget.run_over(course(1000, 1.0, **limits))
    assert budget.run_over(course(300, 10.0, **limits))
    assert not budget.run_over(course(999, 9.9, **limits))


def test_a_run_without_limits_has_its_default_steps():
    assert WindowBudget(0, 0.0, 0.1, own=True).steps(Trainer(default_steps=500)) == 50
    assert WindowBudget(0, 0.0, 0.1, own=True).seconds(Trainer(default_steps=500)) is None
