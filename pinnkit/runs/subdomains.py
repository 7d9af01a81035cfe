"""Checks of the coordinates that a network's subdomains divide."""

from __future__ import annotations

from pinnkit.language.errors import Report, suggestion
from pinnkit.problem.problem import Problem
from pinnkit.settings import Settings


def check_subdomains(problem: Problem, settings: Settings) -> None:
    """Refuse subdomains along what is no coordinate, or a periodic one.

    Raises:
        ProblemError: the message names the coordinate.
    """
    report = Report()
    periodic = {name for field in problem.fields for name in problem.periods(field)}
    for name, count in getattr(settings.network, "subdomains", {}).items():
        if name not in problem.coordinates:
            near = suggestion(name, problem.coordinates)
            report.add("network.subdomains", f"there is no coordinate '{name}'{near}")
        elif name in periodic and count > 1:
            report.add("network.subdomains", f"{name} is periodic, and not divided: leave it out")
    report.raise_if_any()
