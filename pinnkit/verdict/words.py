"""The words of a verdict: at most three sentences, with the numbers and what to do next."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pinnkit.verdict.evidence import Evidence
from pinnkit.verdict.judge import (
    CLAIMED,
    FAIR_ERROR,
    FAIR_RATIO,
    FALLING,
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

FEW_STEPS = 200
"""Steps below which a run is first of all short."""
MOST_TIMES = 10
"""A run is not advised to be longer than by this factor."""


MEASURE = "give exact:, reference: or manufactured= to measure the error."


@dataclass(frozen=True)
class Verdict:
    """One of solved, falling, stalled, unsolved and unknown, and why in at most three sentences."""

    word: str
    text: str


def verdict(evidence: Evidence) -> Verdict:
    """The verdict on a run."""
    found = judge(evidence)
    sentences = {SOLVED: _solved, FALLING: _falling, STALLED: _stalled, UNSOLVED: _unsolved, UNKNOWN: _unknown}
    return Verdict(found.word, " ".join(sentences[found.word](evidence, found)))


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
    sentences = [f"{_error(evidence, found)}."] if found.error else [f"{_balance(found)}{_steady(evidence)}."]
    if found.error and evidence.reference_error and found.error[1] <= CLAIMED * evidence.reference_error:
        sentences.append(f"The reference's own error is {amount(evidence.reference_error)}: less cannot be measured.")
    elif found.falls is not None:
        sentences.append(f"It still fell by a factor {found.falls:.2g} in the last third: a longer run gets closer.")
    elif not found.error:
        sentences.append(f"No reference has confirmed it: {MEASURE}")
    return sentences


def _falling(evidence: Evidence, found: Findings) -> list[str]:
    what = "error" if evidence.progress.error_fell is not None else "objective"
    state = _error(evidence, found) if found.error else f"{_balance(found)}{_steady(evidence)}"
    if found.error:
        goal = found.error[1] / (evidence.asked or FINE_ERROR)
    else:
        goal = (found.ratio / FINE_RATIO) ** (1 if what == "error" else 2)
    times = math.ceil(max(longer(found.falls, max(goal, 1.0)), 2.0)) if found.falls else MOST_TIMES + 1
    advice = f"give it {times} times the {_budget(evidence)}" if times <= MOST_TIMES else (
        f"give it {MOST_TIMES} times the {_budget(evidence)}, or try a larger network or another optimizer"
    )  # fmt: skip
    return [f"{state}.", f"Still falling: the {what} fell by a factor {found.falls:.2g} in the last third; {advice}."]


def _stalled(evidence: Evidence, found: Findings) -> list[str]:
    state = _error(evidence, found) if found.error else f"{_balance(found)}{_steady(evidence)}"
    wanted = amount(evidence.asked or FAIR_ERROR) if found.error else amount(FAIR_RATIO)
    advice = "try a larger network, more points, or another optimizer"
    return [f"{state}, and no longer falls.", f"That is above {wanted}: {advice}."]


def _unsolved(evidence: Evidence, found: Findings) -> list[str]:
    first = "This is no solution"
    if evidence.progress.steps < FEW_STEPS and (found.unmet or found.violated or found.error):
        first += f" after {evidence.progress.steps} steps"
    if found.error:
        first += f": {_lower(_error(evidence, found))}"
        reason = _unmet(found.unmet) if found.unmet else _violated(found.violated) if found.violated else ""
        sentences = [f"{first}.", f"{reason}."] if reason else [f"{first}."]
    elif found.unmet or found.violated:
        sentences = [f"{first}: {_lower(_unmet(found.unmet) if found.unmet else _violated(found.violated))}."]
    else:
        sentences = [f"{first} that can be trusted: {evidence.doubts[0]}."]
    return [*sentences, _advice(evidence, found)]


def _unknown(evidence: Evidence, found: Findings) -> list[str]:
    return ["There is nothing to judge by: no reference, and no equation or condition was measured.",
            f"{MEASURE[0].upper()}{MEASURE[1:]}"]  # fmt: skip


def _advice(evidence: Evidence, found: Findings) -> str:
    """What to do about a run that is no solution: the likeliest cause first."""
    progress = evidence.progress
    if evidence.doubts and (found.error or found.unmet or found.violated):
        return f"Likely cause: {evidence.doubts[0]}."
    if evidence.doubts:
        return "Correct the problem, or give a reference that confirms the answer."
    if progress.steps < FEW_STEPS:
        return f"Give more {_budget(evidence)}: runs take thousands of steps."
    if not found.unmet and not found.violated:
        return (
            f"All equations and conditions are met to {amount(found.ratio)} of their terms, so this and the reference "
            "solve different problems, or the problem has several solutions: check signs, constants and conditions."
        ) if found.ratio is not None else "Check the problem and the reference."  # fmt: skip
    if evidence.one_rate and not progress.objective_fell_by_half:
        return "Try a smaller learning rate, or optimizer=auto."
    if found.violated and not found.unmet:
        return "Check whether it contradicts another condition or the equation; else give it more weight."
    if (progress.objective_fell or 0.0) >= 2.0:
        return (f"The objective still fell by a factor {progress.objective_fell:.2g} in the last third: give more "
                f"{_budget(evidence)}; a shorter time interval or a larger network helps too.")  # fmt: skip
    return "Try a shorter time interval or a smaller domain first, more points, a larger network, or other weights."


def _error(evidence: Evidence, found: Findings) -> str:
    name, error = found.error
    return f"The error of {name} is {amount(error)} (against: {evidence.reference or 'its exact value'})"


def _balance(found: Findings) -> str:
    return f"Equations and conditions are met to {amount(found.ratio)} of the size of their terms"


def _steady(evidence: Evidence) -> str:
    if evidence.late_change is None:
        return ""
    return f", and the answer changed by {amount(evidence.late_change)} in the last third of training"


def _unmet(worst: Worst) -> str:
    where = ""
    if worst.slab is not None:
        slab = worst.slab
        where = f" ({amount(slab.ratio)} where {slab.lower:.3g} <= {slab.name} <= {slab.upper:.3g})"
    return f"The residual of {worst.name} is {amount(worst.ratio)} of the size of its terms{where}"


def _violated(worst: Worst) -> str:
    return f"The condition {worst.name} is violated by {amount(worst.ratio)} of the size of its terms"


def _budget(evidence: Evidence) -> str:
    return "time" if evidence.progress.by_time else "steps"


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]
