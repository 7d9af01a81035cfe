"""The learning rate of a first-order method over its steps: warm-up, then exponential decay."""

from __future__ import annotations

from pinnkit.optimizers.settings import FirstOrder


def learning_rate_factor(step: int, settings: FirstOrder) -> float:
    """The factor on `settings.learning_rate` at a step of the phase, counted from 0.

        (step + 1) / (warmup + 1)                      while step < warmup
        decay ** ((step - warmup) / decay_every)       afterwards

    It is a pure function of the step, so a resumed run needs nothing but its step number. Give it to
    `torch.optim.lr_scheduler.LambdaLR` as `lambda step: learning_rate_factor(step, settings)`.

    >>> settings = FirstOrder(warmup=3, decay=0.5, decay_every=10)
    >>> [learning_rate_factor(step, settings) for step in (0, 1, 2, 3, 13, 23)]
    [0.25, 0.5, 0.75, 1.0, 0.5, 0.25]
    """
    if step < settings.warmup:
        return (step + 1) / (settings.warmup + 1)
    return settings.decay ** ((step - settings.warmup) / settings.decay_every)
