"""Verdicts by an estimated error, where there is no reference."""

from dataclasses import replace

import pytest

from pinnkit.verdict.words import verdict
from tests.verdict.recorded import UNSOLVED, Measured, evidence

RUN = Measured(2e-3, 5e-3, 1e-3, None, 1.2, None, 5e-2, 5000)
"""By its residuals it would be stalled."""


def told(estimated, run=RUN, **others):
    return verdict(replace(evidence(run, reference=False), estimated=estimated, **others))


@pytest.mark.parametrize(
    ("error", "word"), [(1e-4, "solved"), (1e-2, "solved"), (5e-2, "stalled"), (0.35, "unsolved")], ids=str
)
def test_an_estimate_is_judged_as_an_error_is(error, word):
    assert verdict(evidence(RUN, reference=False)).word == "stalled"
    assert told({"u": error}).word == word


def test_the_largest_counts_and_one_that_is_not_known_leaves_it_to_the_residuals():
    assert told({"u": 1e-4, "v": 0.2}).word == "unsolved"
    assert "The error of v is estimated" not in told({"u": 1e-4, "v": None}).text
    assert told({"u": 1e-4, "v": None}).word == "stalled"


def test_what_was_asked_for_decides():
    assert told({"u": 1e-4}, asked=1e-6).word == "stalled"
    assert told({"u": 5e-7}, asked=1e-6).word == "solved"


def test_a_budget_that_ended_first_is_told():
    falling = told({"u": 5e-3}, RUN._replace(objective_fell=9.0))
    assert falling.word == "falling"
    assert falling.text.startswith("The error of u is estimated as 5.0e-03. Still falling: the objective fell")


def test_a_measured_error_comes_before_it():
    found = verdict(replace(evidence(RUN._replace(error=0.3)), estimated={"u": 1e-5}))
    assert found.word == "unsolved"


@pytest.mark.parametrize("name", [name for name in UNSOLVED if not name.startswith("a constant")])
def test_no_estimate_makes_a_solution_of_what_is_none(name):
    assert told({"u": 1e-6}, UNSOLVED[name]).word == "unsolved"


def test_the_words():
    assert told({"u": 3.7e-5}).text == (
        "The error of u is estimated as 3.7e-05. "
        "Two independent corrections of the answer agree on that; no reference was needed."
    )
    assert told({"u": 0.35}).text.startswith("This is no solution: the error of u is estimated as 35 %.")


def test_of_features_the_advice_is_about_features():
    stalled = told({"u": 5e-2}, direct=True).text
    assert "That is above 2.0 %: allow more features, by features.max_unknowns or trainer.max_time" in stalled
    assert stalled.endswith("or train a network, by method=network.")
    assert told({}, UNSOLVED["10 steps"], direct=True).text.endswith("or train a network, by method=network.")
    assert "10 steps" not in told({}, UNSOLVED["10 steps"], direct=True).text
