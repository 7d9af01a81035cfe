"""Checks of a composed configuration that need no training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pinnkit.cli.resume import resumed
from pinnkit.language.errors import Report
from pinnkit.problem.problem import Problem
from pinnkit.runs.resources import check_run
from pinnkit.runs.validation import read_and_check
from pinnkit.settings import Settings, check_method, check_optimizer_given_once


@dataclass(frozen=True)
class Checked:
    """A configuration, and the problem and the settings that it describes.

    Attributes:
        resume: whether a run goes on; then the configuration is the one that it keeps, with what may change.
    """

    config: dict[str, Any]
    problem: Problem
    settings: Settings
    resume: bool


def check_configuration(config: Mapping[str, Any], overrides: Sequence[str], elsewhere: bool = False) -> Checked:
    """A configuration after every check that needs no training.

    Args:
        elsewhere: the run will be on another machine, or in processes that are not started yet.

    Raises:
        ProblemError: all that is wrong.
    """
    resume = bool(config.get("resume"))
    config = resumed(config, overrides) if resume else dict(config)
    problem, settings = read_and_check(config)
    report = Report()
    check_optimizer_given_once(settings, report)
    check_method(settings, report)
    report.raise_if_any()
    if not elsewhere:
        check_run(problem, settings)
    return Checked(config, problem, settings, resume)
