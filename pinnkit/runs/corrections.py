"""What follows training: a polish by features, and an estimate of the error that needs no reference."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pinnkit.features.error import Estimate
from pinnkit.problem.problem import Problem
from pinnkit.problem.unknowns import combined
from pinnkit.reporting.grid import Grid
from pinnkit.runs import planes
from pinnkit.runs.feature_answers import FeatureAnswers
from pinnkit.settings import Settings
from pinnkit.training.checkpoint_writer import set_features
from pinnkit.training.exceptions import INTERRUPTED
from pinnkit.training.feature_state import features_of
from pinnkit.training.module import PINN

log = logging.getLogger("pinnkit")

SHARE = 0.2
"""The share of the training time that a polish, or an estimate, may take where it is on by default."""
FEWEST_STEPS = 300
"""Steps below which a run is a trial, which is left as it is by default."""
SHORTEST = 1.0
"""Seconds below which neither can be done."""
AGREED = "two independent corrections; no reference needed"


@dataclass(frozen=True)
class Corrections:
    """What polish and estimate gave, as metrics, the estimate, and the estimated relative error of learned numbers."""

    metrics: dict[str, Any] = field(default_factory=dict)
    estimate: Estimate | None = None
    learned: dict[str, float | None] = field(default_factory=dict)

    def map(self, problem: Problem) -> tuple[Grid, dict[str, np.ndarray]] | None:
        """The points at which the error was estimated, and that of each unknown whose size is known there."""
        if self.estimate is None:
            return None
        order = np.argsort(self.estimate.points[:, 0]) if len(problem.coordinates) == 1 else slice(None)
        points, errors = self.estimate.points[order], -self.estimate.error[order]  # of what a correction adds
        columns = {name: points[:, index] for index, name in enumerate(problem.coordinates)}
        grid = planes.grid(problem, columns, structured=len(columns) == 1)
        found = {one.name: errors[:, index] for index, one in enumerate(problem.fields)}
        known = {name for name, value in self.metrics["estimated_error"].items() if value is not None}
        return grid, {name: one for name, one in combined(problem, found, columns).items() if name in known}


def correct(module: PINN, settings: Settings, checkpoint: Path | None) -> Corrections:
    """Polish the trained network where that is asked for or pays, and estimate the error of what came out.

    A polish adds features to the network, and changes learned numbers; the trained parameters stay, also in the
    checkpoint, so that a run that goes on does so without it.

    Args:
        checkpoint: of the trained network, which is given the features; None: in processes that write nothing.

    Raises:
        OSError: it cannot be written.
    """
    answers = FeatureAnswers(module, settings)
    if skipped := _skipped(module, settings, answers):
        if settings.method == "network" and checkpoint is not None:
            set_features(checkpoint, None)
        names = [one.name for one in module.problem.unknowns]
        nothing = {"polish": None, "estimated_error": dict.fromkeys(names), "singular": None}
        return Corrections({**nothing, "estimated_error_text": skipped})
    polished = None
    limit = math.inf if settings.polishes == "true" else SHARE * _trained(module)
    if settings.polish_stage and settings.polish_stage.max_time:
        limit = settings.polish_stage.max_time
    if settings.method == "network":
        polished = _polish(answers, limit) if settings.polishes != "false" else None
        if checkpoint is not None:
            set_features(checkpoint, features_of(module.model))
    return _estimated(module, answers, {"polish": polished})


def estimate_error(module: PINN, settings: Settings) -> Corrections:
    """Estimate the error of a module as it is, of a run that has ended."""
    answers = FeatureAnswers(module, settings)
    skipped = _impossible(settings, answers)
    if not skipped:
        return _estimated(module, answers, {})
    names = [one.name for one in module.problem.unknowns]
    nothing = {"estimated_error": dict.fromkeys(names), "singular": None}
    return Corrections({**nothing, "estimated_error_text": skipped})


def _estimated(module: PINN, answers: FeatureAnswers, metrics: Mapping[str, Any]) -> Corrections:
    found = answers.estimate()
    log.info("the error was estimated in %.1f s", found.seconds)
    values = {name: abs(float(module.parameter_values()[name].detach())) or 1.0 for name in module.learned}
    learned = {name: None if error is None else error / values[name] for name, error in found.learned.items()}
    return Corrections({**metrics, **estimated(module.problem, found)}, found, learned)


def _impossible(settings: Settings, answers: FeatureAnswers) -> str:
    """Why the error cannot be estimated; "": it can."""
    if settings.dtype != "float64":
        return f"{settings.dtype} has too few digits"
    return answers.unready


def _skipped(module: PINN, settings: Settings, answers: FeatureAnswers) -> str:
    """Why there is neither polish nor estimate; "": there is."""
    if (module.stopped or "").startswith(INTERRUPTED):
        return "the run was interrupted"
    if impossible := _impossible(settings, answers):
        return impossible
    trained, steps = _trained(module), module.progress.step
    asked = settings.method != "network" or settings.polishes == "true"
    if not asked and steps < FEWEST_STEPS:
        return f"training had {steps} steps only (polish=true does it)"
    if not asked and SHARE * trained < SHORTEST:
        return f"training took {trained:.2g} s, and this would take more than a fifth of it (polish=true does it)"
    return ""


def _trained(module: PINN) -> float:
    """Seconds of training, by the first process, so that all decide alike."""
    own = torch.tensor(module.progress.train_time_s, dtype=torch.float64, device=module.device)
    return float(module.ranks.gathered(own)[0])


def _polish(answers: FeatureAnswers, limit: float) -> dict[str, Any]:
    began = time.perf_counter()
    found = answers.polish(limit)
    seconds = time.perf_counter() - began
    log.info("%s", found.text)
    return {
        "accepted": found.accepted,
        "residual_before": found.residual_before,
        "residual_after": found.residual_after,
        "seconds": seconds,
    }


def estimated(problem: Problem, found: Estimate) -> dict[str, Any]:
    """estimated_error, estimated_error_text and singular of metrics.json."""
    errors: dict[str, float | None] = {}
    reasons: dict[str, str] = {}
    for unknown in problem.unknowns:
        names = [unknown.name] if unknown.name in found.fields else [one.name for one in unknown.fields]
        values = [found.fields[name] for name in names]
        known = [value for value in values if value is not None]
        errors[unknown.name] = max(known) if len(known) == len(values) else None
        told = [found.reasons[name] for name in names if name in found.reasons]
        reasons |= dict([(unknown.name, told[0])] if told else [])
    reasons |= {name: found.reasons[name] for name in found.learned if name in found.reasons}
    by_reason: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        by_reason.setdefault(reason, []).append(name)
    lines = [f"not known of {', '.join(names)}: {reason}" for reason, names in by_reason.items()]
    text = "; ".join([*([AGREED] if any(value is not None for value in errors.values()) else []), *lines])
    return {"estimated_error": errors, "estimated_error_text": text, "singular": found.singular}


def estimate_lines(metrics: Mapping[str, Any]) -> list[str]:
    """The estimated error of each field in a line; nothing of a run without an estimate."""
    errors = metrics.get("estimated_error") or {}
    known = {name: value for name, value in errors.items() if value is not None}
    lines = [f"estimated error of {name}: {value:.1e} ({AGREED})" for name, value in known.items()]
    if errors and len(known) < len(errors):
        text = str(metrics.get("estimated_error_text") or "").removeprefix(f"{AGREED}; ")
        lines.append(f"estimated error {text}" if text.startswith("not known") else f"error not estimated: {text}")
    return lines
