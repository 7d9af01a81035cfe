"""The method that `method=auto` stands for, and the word on it where a network is trained."""

from __future__ import annotations

import logging
from dataclasses import replace

from pinnkit.problem.problem import Problem
from pinnkit.runs.windows import WINDOWS_HELP, windows_may_help
from pinnkit.settings import Settings

log = logging.getLogger("pinnkit")

MOST_COORDINATES = 3
"""Coordinates in which features are few enough to solve for them all at once."""


def with_method(problem: Problem, settings: Settings, custom_network: bool = False) -> Settings:
    """The settings with a method in the place of `auto`, and a line in the log that says which, and why.

    Where a network is trained and features would do, the log says so too.
    """
    fits, reason = suits_features(problem, settings, custom_network)
    if settings.method == "network" and fits and not custom_network:
        log.info("method=features would solve this in seconds: %s", reason)
    plain = settings.method == "network" and settings.windows is None and not custom_network
    if plain and len(problem.coordinates) == 1 and windows_may_help(problem):
        log.info(WINDOWS_HELP)
    if settings.method != "auto":
        return settings
    chosen = "features" if fits else "network"
    log.info("method=auto: %s, since %s", chosen, reason)
    if fits:  # what is of networks alone is not read
        usual = Settings()
        read = ("network", "optimizer", "phases", "stages", "levels", "windows", "continuation")
        settings = replace(settings, **{key: getattr(usual, key) for key in read})
        if settings.weighting.every is not None:
            log.info(
                "method=features: weighting=%s changes nothing, for no network is trained", settings.weighting.name
            )
            settings = replace(settings, weighting=replace(usual.weighting, weights=settings.weighting.weights))
    return replace(settings, method=chosen)


def suits_features(problem: Problem, settings: Settings, custom_network: bool = False) -> tuple[bool, str]:
    """Whether features solve a problem with certainty, and why they do or do not."""
    count = len(problem.coordinates)
    where = f"in {count} coordinate{'s' * (count > 1)}"
    if custom_network:
        return False, "a network was given in Python"
    if settings.dtype != "float64":
        return False, f"{settings.dtype} has too few digits for features"
    if any(field.arguments for field in problem.fields):
        return False, "a field is a function of other fields"
    if count > MOST_COORDINATES:
        return False, f"there are {count} coordinates, and features do for {MOST_COORDINATES} at most"
    if problem.linear:
        return True, f"the equations are linear, {where}"
    if count == 1:
        return True, "the equations have one coordinate"
    return False, f"the equations are nonlinear, {where} (method=compare tries both)"
