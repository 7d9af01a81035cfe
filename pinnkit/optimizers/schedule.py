"""How long steps are over a phase: warm-up and decay of a first-order method's rate, and how SPRING settles."""

from __future__ import annotations

from pinnkit.optimizers.settings import FirstOrder

SETTLING = 30
"""Steps after which those of a method that settles are half as long."""


def learning_rate_factor(step: int, settings: FirstOrder) -> float:
    """The factor on `settings.learning_rate` at a step of the phase, counted from 0.

        (step + 1) / (warmup + 1)                      while step < warmup
        decay ** ((step - warmup) / decay_every)       afterwards

    It is a pure function of the step, so a resumed run needs nothing but its step number. Give it to
    `torch.optim.lr_scheduler.LambdaLR` as `lambda step: learning_rate_factor(step, settings)`.

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

    Steps that each fit points of their own leave the parameters scattered about the best ones by the noise of the
    points. Steps of a share a of their length average the last 1 / a of them (Robbins and Monro 1951): for a linear
    problem the scatter shrinks by sqrt(a / (2 - a)).

    >>> settling_factor(0), settling_factor(30), settling_factor(270)
    (1.0, 0.5, 0.1)
    """
    return SETTLING / (SETTLING + step)
