"""The error that a numerical reference claims itself: when it is told, and when there is no reference."""

from __future__ import annotations

import logging

from pinnkit.references.budget import Budget

log = logging.getLogger("pinnkit.references")

WARN_ERROR = 1e-6  # claimed error above which the log warns
MAX_ERROR = 0.1  # claimed error above which there is no reference


class NotComputed(Exception):
    """No usable reference was found within the budget of time and memory."""


def log_computed(name: str, claimed_error: float, budget: Budget) -> None:
    """Tell in the log how a reference was computed, and warn of a large claimed error."""
    log.info("reference: %s; %.1f s, claimed error %.1e", name, budget.elapsed, claimed_error)
    if claimed_error > WARN_ERROR:
        slow = budget.elapsed > 0.8 * budget.seconds
        more = f"; its {budget.seconds:g} s were used up: reference_max_time={10 * budget.seconds:g} gives more"
        log.warning(
            "the reference (%s) has a claimed error of %.1e (relative L2); smaller errors cannot be measured%s",
            *(name, claimed_error, more if slow else ""),
        )
