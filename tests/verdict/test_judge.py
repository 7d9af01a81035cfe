"""Verdicts: the word from recorded numbers, and what its text says."""

import re
from dataclasses import replace

import numpy as np
import pytest

from pinnkit.verdict.balance import Balance
from pinnkit.verdict.evidence import Evidence
from pinnkit.verdict.progress import Progress
from pinnkit.verdict.words import verdict
from tests.verdict.recorded import BACKWARDS, SHIPPED, TOO_FEW, UNSOLVED, Measured, evidence

FINE = Measured(1e-5, 3e-5, 1e-5, 1e-6, 1.2, 1.1, 1e-6, 5000)


def sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.:])\s+(?=[A-Z])", text)


@pytest.mark.parametrize("name", UNSOLVED)
def test_no_solution_is_called_unsolved(name):
    found = verdict(evidence(UNSOLVED[name]))
    assert found.word == "unsolved"
    assert found.text.startswith("This is no solution")
    assert len(sentences(found.text)) <= 3


@pytest.mark.parametrize("name", [name for name in UNSOLVED if not name.startswith("a constant")])
def test_it_is_called_so_without_a_reference_too(name):
    found = verdict(evidence(UNSOLVED[name], reference=False))
    assert found.word == "unsolved"
    assert len(sentences(found.text)) <= 3


@pytest.mark.parametrize("name", SHIPPED)
def test_runs_of_shipped_problems(name):
    run, word, blind = SHIPPED[name]
    assert verdict(evidence(run)).word == word
    assert verdict(evidence(run, reference=False)).word == blind


def test_a_run_that_ended_early_is_told_how_much_longer_it_should_be():
    found = verdict(evidence(Measured(1e-3, 3e-3, 1e-3, 9e-3, 9.0, 3.0, 0.1, 4000)))
    assert found.word == "falling"
    assert found.text == (
        "The error of u is 9.0e-03 (against: exact). "
        "Still falling: the error fell by a factor 3 in the last third; give it 3 times the time."
    )


def test_a_run_that_no_longer_falls_is_stalled_above_what_was_asked():
    run = Measured(2e-3, 5e-3, 1e-3, 4e-2, 1.1, 1.0, 1e-3, 9000)
    assert verdict(evidence(run)).word == "stalled"
    assert verdict(evidence(run, budget=False)).word == "stalled"
    near = run._replace(error=1e-2)
    assert verdict(evidence(near)).word == "solved"
    asked = verdict(evidence(near, asked=1e-5))
    assert asked.word == "stalled"
    assert "above 1.0e-05" in asked.text


def test_progress_that_is_not_known_is_not_made_up():
    found = verdict(evidence(Measured(1e-3, 1e-3, 1e-3, 5e-2, None, None, None, 150)))
    assert found.word == "falling"
    assert "After 150 steps it cannot be told yet whether it still falls" in found.text


def test_an_error_below_that_of_the_reference_is_solved():
    run = Measured(1e-3, 1e-3, 1e-3, 5e-2, 1.0, 1.0, 1e-3, 9000)
    found = verdict(evidence(run, reference_error=3e-2))
    assert found.word == "solved"
    assert "The reference's own error is 3.0 %: less cannot be measured." in found.text


def test_an_error_that_the_residuals_do_not_explain_puts_the_reference_in_doubt():
    text = verdict(evidence(Measured(1e-4, 1e-4, 1e-4, 0.8, 1.0, 1.0, 1e-4, 9000))).text
    assert "the error of u is 80 %" in text
    assert "met to 1.0e-04 of their terms: the reference solves another problem" in text


def test_the_likely_cause_is_named():
    assert TOO_FEW in verdict(evidence(UNSOLVED["too few conditions"])).text
    assert BACKWARDS in verdict(evidence(UNSOLVED["diffusion of the wrong sign"], reference=False)).text
    flat = UNSOLVED["a learning rate that is too large"]._replace(steps=5000)
    assert "try a smaller learning rate" in verdict(evidence(flat, one_rate=True)).text
    contradiction = Measured(0.05, 0.2, 0.5, None, 1.0, None, 1e-4, 9000)
    text = verdict(evidence(contradiction)).text
    assert "the condition condition is violated by 50 %" in text
    assert "Check whether it contradicts another condition" in text
    assert "else give it weight, or hard: true." in text
    assert "runs take thousands of steps" in verdict(evidence(UNSOLVED["10 steps"])).text


def test_the_error_judges_where_there_is_a_reference():
    """A natural condition, or one at infinity, is missing for good reasons."""
    assert verdict(evidence(FINE._replace(doubts=(TOO_FEW,)))).word == "solved"
    assert verdict(evidence(FINE._replace(doubts=(TOO_FEW,)), reference=False)).word == "unsolved"
    assert verdict(evidence(FINE._replace(error=np.nan))).word == "unsolved"


def test_noise_of_measured_data_is_no_violation():
    found = evidence(FINE, reference=False)
    noisy = replace(found, conditions={"samples": Balance(0.3, 1.0, 0.3, measured=True)})
    assert verdict(noisy).word == "solved"
    assert verdict(replace(noisy, conditions={"samples": Balance(0.3, 1.0, 0.3)})).word == "unsolved"


def test_a_term_that_is_small_beside_the_others_counts_little():
    """Of a channel flow the velocity across is zero, and so are all terms of its equation."""
    found = evidence(FINE, reference=False)
    across = Balance(1e-7, 1e-7, 1.0)
    assert verdict(replace(found, equations={**found.equations, "across": across})).word == "solved"
    assert verdict(replace(found, equations={"across": across})).word == "unsolved"


def test_without_a_measurement_nothing_is_known():
    found = verdict(Evidence({}, {}, Progress(10, None, None, True)))
    assert found.word == "unknown"
    assert "nothing to judge by" in found.text


def test_an_error_that_no_run_reaches_is_no_reason_to_fail():
    run = Measured(1e-3, 3e-3, 1e-3, 9e-3, 9.0, 3.0, 0.1, 4000)
    found = verdict(evidence(run, asked=1e-308))
    assert found.word == "falling"
    assert "give it 10 times the time, or try a larger network" in found.text


def test_a_shorter_interval_is_advised_where_there_is_time_alone():
    run = Measured(0.8, 0.9, 1e-9, 0.9, 1.0, 1.0, 1e-9, 3000)
    texts = [verdict(evidence(run, steady=steady)).text for steady in (False, True)]
    assert "a shorter time interval or a smaller domain" in texts[0]
    assert "Try a smaller domain first" in texts[1]
