"""A stall is noticed, and explained by what the optimizer reports."""

import logging
import re

import pytest

from pinnkit.problem.problem import Problem
from pinnkit.runs.solve import solve
from pinnkit.training import stagnation
from pinnkit.training.stagnation import Stagnation, explained


def test_progress_is_compared_over_a_thousand_steps_of_one_stage():
    progress = Stagnation()
    assert progress.stagnated(10, 0, 1.0) is None  # the first value is only noted
    assert progress.stagnated(500, 0, 1.0) is None  # too early
    assert progress.stagnated(1010, 0, 0.95) == pytest.approx(0.05)
    assert progress.stagnated(2010, 0, 0.5) is None  # it has fallen by half
    assert progress.stagnated(3010, 1, 0.5) is None  # another stage starts anew
    assert progress.stagnated(4010, 1, 0.6) == pytest.approx(-0.2)


@pytest.mark.parametrize(
    ("diagnostics", "told"),
    [
        ({"evaluations": 6.0}, "6 evaluations, as where the loss is at rounding level"),
        ({"condition": 2e16}, r"limits of rounding \(condition 2e\+16\)"),
        ({"step_length": 2e-5}, r"steps are short \(2e-05\)"),
        ({"learning_rate": 1e-3}, "learning rate is 1.0e-03"),
        ({"evaluations": 1.0, "condition": 10.0, "step_length": 0.3}, "the network or the points"),
    ],
)
def test_the_reason_is_the_one_that_the_diagnostics_show(diagnostics, told):
    assert re.search(told, explained("ssbroyden", 0.01, diagnostics))


def test_a_run_that_stalls_says_so_in_its_log(heat_words, quick, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(stagnation, "WATCHED", 20)
    settings = {**quick, "phases": None, "optimizer": {"name": "adam", "learning_rate": 1e-12}}
    with caplog.at_level(logging.INFO, logger="pinnkit"):
        solve(Problem(**heat_words), tmp_path, {**settings, "trainer": {"max_steps": 60}})
    assert "steps of adam: its learning rate is 1.0e-12" in caplog.text + (tmp_path / "train.log").read_text()
