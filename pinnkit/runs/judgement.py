"""The verdict on a run from its trained network, its history and its reference, as metrics."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pinnkit.problem.condition_counts import too_few_in_space, too_few_in_time
from pinnkit.problem.problem import Problem
from pinnkit.references.choose import Reference
from pinnkit.references.evolution_system import read_evolution_system
from pinnkit.references.unsupported import UnsupportedProblem
from pinnkit.references.well_posedness import check_boundary_conditions, check_well_posed
from pinnkit.runs.conserved import drifts_more_than_claimed, lost
from pinnkit.runs.fresh_points import balances
from pinnkit.runs.windows import WINDOWS_HELP, rows_of_last_window, windows_may_help
from pinnkit.training.module import PINN
from pinnkit.training.stopping import ended_by_budget, ended_by_time
from pinnkit.verdict.changes import Answer, last_change, late_change
from pinnkit.verdict.evidence import Evidence
from pinnkit.verdict.judge import STALLED, UNKNOWN, UNSOLVED, WRONG_ERROR
from pinnkit.verdict.progress import Progress, fell
from pinnkit.verdict.words import verdict

log = logging.getLogger("pinnkit")

CHANGES = ("answer_change", "answer_change_late")


def judged(
    module: PINN,
    rows: Sequence[Mapping[str, Any]],
    answers: Sequence[Answer],
    reference: Reference | None,
    metrics: Mapping[str, Any],
    seed: int,
    asked: float | None,
) -> dict[str, Any]:
    """The metrics of a verdict.

    verdict, verdict_text; conditions_rms: RMS of the residual of each equation of the soft conditions at fresh points;
    residual_scale: the size of the terms of each equation and condition; residual_ratio: residual over that size;
    largest_residuals: of each equation the points with the largest, its residual and the terms' size there;
    answer_change, answer_change_late: the change of each field between the last two measurements, and the largest of
    any in the last third of training; objective_fell: the factor by which the objective fell in that third.

    Args:
        rows: the record of training.
        answers: of training; where there are none (a run that is measured again), those metrics are kept as they are.
        metrics: with relative_l2, learned, reason and steps.
        asked: the error that was to be reached.
    """
    equations, conditions = balances(module, seed)
    errors = dict(metrics["relative_l2"])
    numbers = {name: one["relative_error"] for name, one in metrics["learned"].items() if "relative_error" in one}
    errors = {name: float("nan") if error is None else error for name, error in {**errors, **numbers}.items()}
    changes = {key: metrics.get(key) for key in CHANGES}
    if answers:
        changes = dict(zip(CHANGES, (last_change(answers), late_change(answers)), strict=True))
    singular = [*([metrics["singular"]] if metrics.get("singular") else []), *([] if errors else lost(metrics))]
    evidence = Evidence(
        equations,
        conditions,
        _progress(rows_of_last_window(module, rows), metrics),
        errors,
        tuple(numbers),
        reference.name if reference else None,
        reference.claimed_error if reference else None,
        changes["answer_change_late"],
        asked,
        dict(metrics.get("estimated_error") or {}),
        () if errors and all(one < WRONG_ERROR for one in errors.values()) else [*singular, *doubts(module.problem)],
        all(stage.first_order for stage in module.stages),
        module.problem.steady,
        module.solves,
        drifts_more_than_claimed(metrics),
        [one.factor for one in module.state.rises],
        len(module.state.restarts.done),
    )
    found = verdict(evidence)
    trained = not (module.solves or module.state.windows or module.network.own)
    if found.word in (UNSOLVED, STALLED) and trained and windows_may_help(module.problem):
        log.info(WINDOWS_HELP)
    every = {**equations, **conditions}
    return {
        "verdict": found.word,
        "verdict_text": found.text,
        "conditions_rms": {name: one.rms for name, one in conditions.items()},
        "residual_scale": {name: one.scale for name, one in every.items()},
        "residual_ratio": {name: one.ratio for name, one in every.items()},
        "largest_residuals": {name: one.largest for name, one in every.items()},
        **changes,
        "objective_fell": evidence.progress.objective_fell,
    }


def not_judged(status: str, advice: str = "") -> dict[str, Any]:
    """The verdict on a run that was not measured: one that diverged, failed, was interrupted, or still goes on."""
    if status == "diverged":
        text = (
            "This is no solution: training diverged. Try a smaller learning rate, another optimizer, or other weights."
        )
        return {"verdict": UNSOLVED, "verdict_text": text}
    text = f"The answer has not been measured: the run is {status}. {advice}"
    return {"verdict": UNKNOWN, "verdict_text": text.strip()}


def doubts(problem: Problem) -> list[str]:
    """Why the problem as posed has many solutions, or none that depends continuously on its data; a sentence each."""
    found = [*too_few_in_time(problem), *too_few_in_space(problem)]
    try:
        system = read_evolution_system(problem)
    except UnsupportedProblem:
        return found  # nothing is known about it
    try:
        check_well_posed(system)
        check_boundary_conditions(system)
    except UnsupportedProblem as error:
        found.append(error.reason)
    return found


def _progress(rows: Sequence[Mapping[str, Any]], metrics: Mapping[str, Any]) -> Progress:
    measured = [row for row in rows if row["errors"]]
    reason = str(metrics.get("reason") or "")
    return Progress(
        metrics["steps"],
        fell([row["step"] for row in rows], [row["losses"].get("objective", np.nan) for row in rows]),
        fell([row["step"] for row in measured], [max(row["errors"].values()) for row in measured]),
        ended_by_budget(reason),
        ended_by_time(reason),
    )
