"""The words of a verdict: at most three sentences, with the numbers and what to do next."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

from pinnkit.verdict.evidence import Evidence
from pinnkit.verdict.judge import (
    CLAIMED,
    FAIR_CHANGE,
    FAIR_ERROR,
    FAIR_RATIO,
    FALLING,
    FALLS,
    FINE_ERROR,
    FINE_RATIO,
    SOLVED,
    STALLED,
    UNKNOWN,
    UNSOLVED,
    Findings,
    Worst,
    judge,
)
from pinnkit.verdict.progress import longer

MOST_SENTENCES = 3
FEW_STEPS = 200
"""Steps below which a run is first of all short."""
MOST_TIMES = 10
"""A run is not advised to be longer than by this factor."""


EXPLAINED, MET = 0.1, 3e-2
"""An error is not explained by residuals that are at most such a share of it, and of their terms."""
MEASURE = "give exact:, reference: or manufactured= to measure the error."

DIRECT = "allow more features, by features.max_unknowns or trainer.max_time, or train a network, by method=network."
"""What to do where features do not reach what was asked."""


@dataclass(frozen=True)
class Verdict:
    """One of solved, falling, stalled, unsolved and unknown, and why in at most three sentences."""

    word: str
    text: str


def verdict(evidence: Evidence) -> Verdict:
    """The verdict on a run."""
    found = judge(evidence)
    told = {SOLVED: _solved, FALLING: _falling, STALLED: _stalled, UNSOLVED: _unsolved, UNKNOWN: _unknown}
    sentences = told[found.word](evidence, found)
    added = [evidence.drift] if evidence.drift and found.word != UNSOLVED else guarded(evidence, found)
    return Verdict(found.word, " ".join([*sentences[: MOST_SENTENCES - len(added)], *added]))


def guarded(evidence: Evidence, found: Findings) -> list[str]:
    """What training did against an answer that got lost; of an answer that is no solution in the place of advice."""
    if evidence.restarts and found.word == UNSOLVED:
        times = "once" if evidence.restarts == 1 else f"{evidence.restarts} times"
        smaller = "a smaller domain" if evidence.steady else "windows=auto, a shorter time interval"
        return [f"Training began anew {times}, as answers solved nothing: try {smaller}, or another network."]
    if not evidence.rises:
        return []
    rose = f"The objective rose on new points by up to a factor {max(evidence.rises):.2g}, and training went back"
    if found.word != UNSOLVED:
        return [f"{rose}: compare with a run of another seed."]
    smaller = "a smaller domain" if evidence.steady else "a shorter time interval"
    return [f"{rose}: try more points (sampling.equations), or {smaller}."]


def amount(value: float) -> str:
    """A relative number: in per cent from 1 % on.

    >>> amount(1.118), amount(0.0123), amount(3.14e-5), amount(float("nan"))
    ('112 %', '1.2 %', '3.1e-05', 'not finite')
    """
    if not math.isfinite(value):
        return "not finite"
    if value >= 1000:
        return f"{100 * value:.1e} %"
    return f"{value:.1e}" if value < 0.01 else f"{100 * value:.{0 if value >= 0.0995 else 1}f} %"


def _solved(evidence: Evidence, found: Findings) -> list[str]:
    sentences = [f"{_state(evidence, found)}."]
    if found.error and evidence.reference_error and found.error[1] <= CLAIMED * evidence.reference_error:
        sentences.append(f"The reference's own error is {amount(evidence.reference_error)}: less cannot be measured.")
    elif found.falls and found.factor is not None:
        sentences.append(f"The {_what(evidence)} still fell by {_by(found)}: a longer run gets closer.")
    if not found.error and found.estimate:
        sentences.append("Two independent corrections of the answer agree on that; no reference was needed.")
    elif not found.error:
        sentences.append(f"No reference has confirmed it: {MEASURE}")
    return sentences


def _falling(evidence: Evidence, found: Findings) -> list[str]:
    state, budget = f"{_state(evidence, found)}.", _budget(evidence)
    if found.factor is None:
        return [state, f"After {_steps(evidence)} it cannot be told yet whether it still falls: "
                       f"give it more {budget}."]  # fmt: skip
    measured = found.error or found.estimate
    goal = measured[1] / (evidence.asked or FINE_ERROR) if measured else (found.ratio or 1.0) / FINE_RATIO
    goal = goal if evidence.progress.error_fell is not None else goal * goal  # an objective has squares
    times = math.ceil(min(max(longer(found.factor, max(goal, 1.0)), 2.0), MOST_TIMES + 1))
    advice = f"give it {min(times, MOST_TIMES)} times the {budget}"
    if times > MOST_TIMES:
        advice += ", or try a larger network or another optimizer"
    return [state, f"Still falling: the {_what(evidence)} fell by {_by(found)}; {advice}."]


def _stalled(evidence: Evidence, found: Findings) -> list[str]:
    measured = found.error or found.estimate
    wanted = amount(evidence.asked or FAIR_ERROR) if measured else amount(FAIR_RATIO)
    sentences = [f"{_state(evidence, found)}, and no longer falls."]
    changed = evidence.late_change if not measured else None
    above = not changed or changed <= FAIR_CHANGE or (found.ratio or 0.0) > FAIR_RATIO
    cause = f"That is above {wanted}" if above else "The answer has not settled"
    advice = DIRECT if evidence.direct else "try a larger network, more points, or another optimizer."
    return [*sentences, f"{cause}: {advice}"]


def _unsolved(evidence: Evidence, found: Findings) -> list[str]:
    first = "This is no solution"
    worst = _worst(found)
    if evidence.progress.steps < FEW_STEPS and (worst or found.error) and not evidence.direct:
        first += f" after {_steps(evidence)}"
    if found.error:
        sentences = [f"{first}: {_lower(_error(evidence, found))}.", *([f"{worst}."] if worst else [])]
    elif worst:
        sentences = [f"{first}: {_lower(worst)}."]
    elif found.estimate and not evidence.doubts:
        sentences = [f"{first}: {_lower(_estimated(found))}."]
    else:
        sentences = [f"This is no solution to be trusted: {evidence.doubts[0]}."]
    return [*sentences, _advice(evidence, found)]


def _unknown(evidence: Evidence, found: Findings) -> list[str]:
    nothing = "There is nothing to judge by: no reference, and no equation or condition that could be measured."
    return [nothing, f"{MEASURE[0].upper()}{MEASURE[1:]}"]


def _advice(evidence: Evidence, found: Findings) -> str:
    """What to do about a run that is no solution: the likeliest cause first."""
    progress, worst = evidence.progress, _worst(found)
    if evidence.direct and not evidence.doubts:
        return f"{DIRECT[0].upper()}{DIRECT[1:]}"
    if evidence.doubts and (found.error or worst):
        return f"Likely cause: {evidence.doubts[0]}."
    if evidence.doubts:
        return "Correct the problem, or give a reference that confirms the answer."
    if evidence.one_rate and progress.objective_fell is not None and progress.objective_fell < FALLS:
        return "The objective no longer falls: try a smaller learning rate, or optimizer=auto."
    if progress.steps < FEW_STEPS:
        return f"Give it more {_budget(evidence)}: runs take thousands of steps."
    if found.error and not worst and found.ratio is not None and found.ratio <= min(EXPLAINED * found.error[1], MET):
        return (
            f"Equations and conditions are met to {amount(found.ratio)} of their terms: the reference solves another "
            "problem, this one has several solutions, or small residuals grow; check signs, constants and conditions."
        )
    if (progress.objective_fell or 0.0) >= FALLS:
        shorter = "" if evidence.steady else "a shorter time interval or "
        return (
            f"The objective still fell by a factor {progress.objective_fell:.2g} in the last third: give it more "
            f"{_budget(evidence)}; {shorter}a larger network helps too."
        )
    if found.violated and (not found.unmet or found.violated.ratio >= found.unmet.ratio):
        return "Check whether it contradicts another condition or the equation; else give it weight, or hard: true."
    smaller = "a smaller domain" if evidence.steady else "a shorter time interval or a smaller domain"
    return f"Try {smaller} first, more points, a larger network, or other weights."


def _state(evidence: Evidence, found: Findings) -> str:
    if found.error:
        return _error(evidence, found)
    if found.estimate:
        return _estimated(found)
    state = f"Equations and conditions are met to {amount(cast(float, found.ratio))} of the size of their terms"
    if evidence.late_change is None:
        return state
    return f"{state}, and the answer changed by {amount(evidence.late_change)} in the last third of training"


def _error(evidence: Evidence, found: Findings) -> str:
    assert found.error is not None
    name, error = found.error
    against = "its exact value" if name in evidence.numbers else evidence.reference
    return f"The error of {name} is {amount(error)} (against: {against})"


def _estimated(found: Findings) -> str:
    assert found.estimate is not None
    name, error = found.estimate
    return f"The error of {name} is estimated as {amount(error)}"


def _worst(found: Findings) -> str:
    """The equation or the condition that is farthest from being met; "": all are."""
    words = shortcoming(found.unmet, found.violated)
    return f"{words[:1].upper()}{words[1:]}"


def shortcoming(unmet: Worst | None, violated: Worst | None) -> str:
    """The equation, or the condition, that is farther from being met, without a capital; "": both are met."""
    if violated and not (unmet and unmet.ratio > violated.ratio):
        return f"the condition {violated.name} is violated by {amount(violated.ratio)} of the size of its terms"
    if not unmet:
        return ""
    where, slab = "", unmet.slab
    if slab is not None:
        where = f" ({amount(slab.ratio)} where {slab.lower:.3g} <= {slab.name} <= {slab.upper:.3g})"
    return f"the residual of {unmet.name} is {amount(unmet.ratio)} of the size of its terms{where}"


def _steps(evidence: Evidence) -> str:
    return f"{evidence.progress.steps} step{'' if evidence.progress.steps == 1 else 's'}"


def _what(evidence: Evidence) -> str:
    return "error" if evidence.progress.error_fell is not None else "objective"


def _by(found: Findings) -> str:
    return f"a factor {found.factor:.2g} in the last third"


def _budget(evidence: Evidence) -> str:
    return "time" if evidence.progress.by_time else "steps"


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]
