"""Measured errors beside estimated ones, of one training at several stages and of features alone."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmark.step_comparison import cpu_model
from pinnkit.language.errors import ProblemError
from pinnkit.problem.problem import Problem
from pinnkit.references.choose import Reference, choose
from pinnkit.runs import evaluation
from pinnkit.runs.corrections import estimated
from pinnkit.runs.feature_answers import FeatureAnswers
from pinnkit.runs.learned import learned
from pinnkit.runs.shipped_problems import read_problem
from pinnkit.runs.solution import Solution
from pinnkit.runs.solve import solve
from pinnkit.settings import Settings

log = logging.getLogger(__name__)

STAGES = (60, 240, 960)
"""Steps of training at which the errors are estimated: unlike seconds, they do not depend on other work."""
TRAINING_S = 20.0
"""Seconds that all stages together may take."""
SEARCH_S = 8.0
"""Seconds that the trials of an estimate without a polish may take."""
POLISH_S = 10.0
"""Seconds that polishing may take."""
FEATURES_S = 12.0
"""Seconds that method=features may take."""
QUIET = {
    "callbacks": {"progress": False, "figures": False, "terminal": "quiet"},
    "logger": {"tensorboard": False},
    "reference": "none",  # which is computed once, for all stages
}
TRAINED = {"polish": "false", "operators": {"engine": "autograd"}}


def rows(name: str, seed: int, stages: Sequence[int], folder: Path) -> Iterator[dict[str, Any]]:
    """Of a problem that has a reference: a row for each stage of one training, the last one polished, and of features.

    Args:
        folder: of the runs.
    """
    problem = read_problem(name)
    reference = choose(problem, Settings().reference, Settings().reference_max_time)
    if reference is None:
        return
    for number, steps in enumerate(stages):
        settings = {**QUIET, **TRAINED, "seed": seed, "trainer": {"max_steps": steps, "max_time": TRAINING_S}}
        solution = solve(problem, folder / "network", settings, resume=number > 0)
        answers = FeatureAnswers(solution.module, solution.settings)
        row = _row(problem, solution, reference, answers, SEARCH_S)
        last = steps == stages[-1] or solution.metrics["steps"] < steps  # no time is left for more
        if last:
            polished = answers.polish(POLISH_S)
            after = _row(problem, solution, reference, answers) if polished.accepted else {}
            row["polish"] = {"accepted": polished.accepted, "seconds": polished.seconds, **after}
        yield {"method": "network", "stage": steps, "seconds": solution.metrics["train_time_s"], "seed": seed, **row}
        if last:
            break
    settings = {**QUIET, "method": "features", "seed": seed, "trainer": {"max_time": FEATURES_S}}
    began = time.perf_counter()
    try:
        solution = solve(problem, folder / "features", settings)
    except ProblemError as error:  # features cannot solve it
        log.warning("%s: %s", name, error)
        return
    spent = time.perf_counter() - began
    metrics = solution.metrics
    yield {
        "method": "features",
        "stage": solution.metrics["steps"],
        "seconds": metrics["train_time_s"],
        "seed": seed,
        **_errors(problem, solution, reference),
        "estimates": metrics["estimated_error"],
        "text": metrics["estimated_error_text"],
        "estimate_s": spent - metrics["train_time_s"],
        **_where(),
    }


def _row(
    problem: Problem, solution: Solution, reference: Reference, answers: FeatureAnswers, search: float | None = None
) -> dict[str, Any]:
    began = time.perf_counter()
    found = answers.estimate() if search is None else answers.estimate(search)
    seconds = time.perf_counter() - began
    told = estimated(problem, found)
    values = {name: abs(float(one.detach())) or 1.0 for name, one in solution.module.parameter_values().items()}
    numbers = {name: error and error / values[name] for name, error in found.learned.items()}
    return {
        **_errors(problem, solution, reference),
        "estimates": {**told["estimated_error"], **numbers},
        "text": told["estimated_error_text"],
        "estimate_s": seconds,
        **_where(),
    }


def _errors(problem: Problem, solution: Solution, reference: Reference) -> dict[str, Any]:
    """Relative errors of the fields, and of learned numbers whose values are known."""
    errors: Mapping[str, float | None] = evaluation.evaluate(solution.module, reference).errors()["relative_l2"]
    numbers = {name: one["relative_error"] for name, one in learned(solution.module).items() if "relative_error" in one}
    return {"errors": {**errors, **numbers}, "reference_error": reference.claimed_error}


def _where() -> dict[str, str]:
    return {"date": time.strftime("%Y-%m-%d"), "machine": f"{os.cpu_count()} CPUs ({cpu_model()})"}
