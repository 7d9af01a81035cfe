"""Schedules of step lengths: warm-up and decay of learning rates, and the decay of SPRING's steps."""

from __future__ import annotations

from pinnkit.optimizers.settings import FirstOrder

SETTLING = 30
"""Steps after which the step length is halved."""


def learning_rate_factor(step: int, settings: FirstOrder) -> float:
    """The factor on `settings.learning_rate` at a step of the phase, counted from 0.

        (step + 1) / (warmup + 1)                      while step < warmup
        decay ** ((step - warmup) / decay_every)       afterwards

    A pure function of the step, so a resumed run needs only its step number.

    >>> from pinnkit.optimizers.methods.adam import Adam
    >>> settings = Adam(warmup=3, decay=0.5, decay_every=10)
    >>> [learning_rate_factor(step, settings) for step in (0, 1, 2, 3, 13, 23)]
    [0.25, 0.5, 0.75, 1.0, 0.5, 0.25]
    """
    if step < settings.warmup:
        return (step + 1) / (settings.warmup + 1)
    return settings.decay ** ((step - settings.warmup) / settings.decay_every)


def settling_factor(step: int) -> float:
    """The factor on a step's length, `step` steps after settling began: SETTLING / (SETTLING + step).

    Where each step has its own points, their noise scatters the parameters about the best ones. Steps shortened by a
    factor a average the last 1 / a of them (Robbins and Monro 1951): for a linear problem the scatter shrinks by
    sqrt(a / (2 - a)).

    >>> settling_factor(0), settling_factor(30), settling_factor(270)
    (1.0, 0.5, 0.1)
    """
    return SETTLING / (SETTLING + step)
