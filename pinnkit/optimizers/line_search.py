"""Strong-Wolfe line search, robust where the loss is at rounding level.

Nocedal and Wright, Numerical Optimization (2006), algorithms 3.5 (bracketing) and 3.6 (zoom), with cubic
interpolation; the tolerance on the loss follows the approximate Wolfe conditions of Hager and Zhang (SIAM J.
Optim. 16, 2005).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import torch

SUFFICIENT_DECREASE = 1e-4  # c1
CURVATURE = 0.9  # c2
LARGEST_EXPANSION = 10.0
SMALLEST_FRACTION = 0.1  # a trial stays this fraction of the bracket away from its ends
NOISE_POWER = 0.4
"""Two losses are equal where they differ by less than eps^NOISE_POWER of themselves: the tolerance of the search."""

# phi(step) -> (loss, slope along the direction, gradient)
Phi = Callable[[float], tuple[float, float, torch.Tensor]]


def relative_noise(eps: float) -> float:
    """The relative rounding error assumed of a loss, for the machine epsilon of its parameters.

    >>> round(relative_noise(2.0**-52), 9)
    5.48e-07
    """
    return eps**NOISE_POWER


class Outcome(Enum):
    """Outcomes of a line search, with their messages."""

    WOLFE = "the step meets the strong Wolfe conditions"
    APPROXIMATE = "the step meets the curvature condition, and the loss is unchanged up to its rounding"
    DECREASE = "the loss fell, but no step met the curvature condition within the evaluations allowed"
    NO_DESCENT = "the direction is no descent direction"
    NO_STEP = "no step lowered the loss: it is at rounding level, or its gradient is wrong"

    @property
    def moved(self) -> bool:
        """Whether a step was found."""
        return self not in (Outcome.NO_DESCENT, Outcome.NO_STEP)


@dataclass(frozen=True)
class LineSearchResult:
    """The chosen step, with phi, its slope and the gradient there; step 0 when there is none."""

    step: float
    loss: float
    slope: float
    gradient: torch.Tensor | None
    evaluations: int
    outcome: Outcome


@dataclass(frozen=True)
class _Trial:
    """A point of the line; the gradient is None at step 0 and where phi is not finite."""

    step: float
    loss: float
    slope: float
    gradient: torch.Tensor | None = None


def strong_wolfe(
    phi: Phi,
    loss: float,
    slope: float,
    *,
    first: float = 1.0,
    max_evaluations: int = 25,
    tolerance: float,
) -> LineSearchResult:
    """A step a > 0 along a direction, with a = `first` as the first trial, that satisfies

        phi(a) <= phi(0) + c1 a phi'(0) + tolerance |phi(0)|    and    |phi'(a)| <= c2 |phi'(0)|,

    c1 = 1e-4 and c2 = 0.9. `phi(a)` returns the loss, its slope along the direction, and the gradient there;
    `loss` and `slope` are phi(0) and phi'(0). With `tolerance` 0 these are the strong Wolfe conditions; otherwise it
    is the relative noise of the loss (`relative_noise`): losses that differ by less are equal, and the sign of the
    slope decides on which side the minimum lies. A loss that is NaN or infinite counts as infinitely high.

    Each trial costs one call of phi; nothing else here touches a device.

    >>> found = strong_wolfe(lambda a: ((a - 3.0) ** 2, 2.0 * (a - 3.0), None), loss=9.0, slope=-6.0, tolerance=0.0)
    >>> round(found.step, 12), found.evaluations, found.outcome.name
    (1.0, 1, 'WOLFE')
    """
    noise = tolerance * abs(loss)
    evaluations = 0

    def evaluate(step: float) -> _Trial:
        nonlocal evaluations
        evaluations += 1
        trial_loss, trial_slope, gradient = phi(step)
        if not (math.isfinite(trial_loss) and math.isfinite(trial_slope)):
            return _Trial(step, math.inf, math.nan)
        return _Trial(step, trial_loss, trial_slope, gradient)

    def too_high(trial: _Trial) -> bool:
        return trial.loss > loss + SUFFICIENT_DECREASE * trial.step * slope + noise

    def flat_enough(trial: _Trial) -> bool:
        return abs(trial.slope) <= -CURVATURE * slope

    def result(trial: _Trial) -> LineSearchResult:
        if trial.step == 0.0:
            outcome = Outcome.NO_STEP
        elif not flat_enough(trial):
            outcome = Outcome.DECREASE
        elif trial.loss <= loss + SUFFICIENT_DECREASE * trial.step * slope:
            outcome = Outcome.WOLFE
        else:
            outcome = Outcome.APPROXIMATE
        return LineSearchResult(trial.step, trial.loss, trial.slope, trial.gradient, evaluations, outcome)

    low = start = _Trial(0.0, loss, slope)
    if not slope < 0.0:
        return LineSearchResult(0.0, loss, slope, None, 0, Outcome.NO_DESCENT)

    # Algorithm 3.5: longer steps until an interval holds an acceptable one.
    trial = evaluate(first)
    while True:
        if too_high(trial) or trial.loss > low.loss + noise:
            high = trial
            break
        if flat_enough(trial):
            return result(trial)
        if trial.slope >= 0.0:
            low, high = trial, low
            break
        low, step = trial, _expanded(low, trial)
        if evaluations >= max_evaluations:
            return result(low if low.loss < loss else start)
        trial = evaluate(step)

    # Algorithm 3.6. Of the steps that are not too high, `low` has the lowest loss up to noise; its slope
    # points to `high`.
    while evaluations < max_evaluations:
        step = _interpolated(low, high, noise)
        if step in (low.step, high.step):
            break  # no number is left between the two
        trial = evaluate(step)
        if too_high(trial) or trial.loss > low.loss + noise:
            high = trial
        elif flat_enough(trial):
            return result(trial)
        else:
            if trial.slope * (high.step - low.step) >= 0.0:
                high = low
            low = trial
    return result(low if low.loss < loss else start)


def _expanded(before: _Trial, now: _Trial) -> float:
    """The next, longer trial: the minimum of the cubic through both, within 2 to 10 times the present step."""
    longest = LARGEST_EXPANSION * now.step
    minimum = _cubic_minimum(before, now)
    if minimum is None or minimum <= now.step:
        return longest
    return min(max(minimum, 2.0 * now.step), longest)


def _interpolated(low: _Trial, high: _Trial, noise: float) -> float:
    """A step between `low` and `high`, at least a tenth of their distance from both."""
    width = high.step - low.step
    if high.loss == math.inf:
        return low.step + (SMALLEST_FRACTION if low.step == 0.0 else 0.5) * width
    if abs(high.loss - low.loss) <= noise and low.slope * high.slope < 0.0:
        # the losses are equal up to noise: take the zero of the slope, as if it were linear
        minimum: float | None = low.step + width * low.slope / (low.slope - high.slope)
    else:
        minimum = _cubic_minimum(low, high)
    fraction = 0.5 if minimum is None else (minimum - low.step) / width
    return low.step + width * min(max(fraction, SMALLEST_FRACTION), 1.0 - SMALLEST_FRACTION)


def _cubic_minimum(a: _Trial, b: _Trial) -> float | None:
    """The minimiser, or None, of the cubic with both losses and slopes (Nocedal and Wright, 3.59)."""
    d1 = a.slope + b.slope - 3.0 * (a.loss - b.loss) / (a.step - b.step)
    square = d1 * d1 - a.slope * b.slope
    if not square >= 0.0:
        return None
    d2 = math.copysign(math.sqrt(square), b.step - a.step)
    denominator = b.slope - a.slope + 2.0 * d2
    if denominator == 0.0:
        return None
    minimum = b.step - (b.step - a.step) * (b.slope + d2 - d1) / denominator
    return minimum if math.isfinite(minimum) else None
