"""Restarts of training where its answer solves nothing: when it is looked at, and what is other then."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, cast

import lightning
import sympy
import torch
from lightning.pytorch.callbacks import Callback

from pinnkit.problem.parts import Condition
from pinnkit.problem.problem import Problem
from pinnkit.problem.scales import scales_of
from pinnkit.runs.fresh_points import DRAW, balances
from pinnkit.sampling.settings import unit_points
from pinnkit.settings import Settings
from pinnkit.training.callbacks import Record
from pinnkit.training.exceptions import INTERRUPTED, SpuriousAnswer
from pinnkit.training.module import PINN
from pinnkit.training.restarts import Restart
from pinnkit.training.rises import saved_rises
from pinnkit.training.state import TrainingState
from pinnkit.training.stopping import ended_by_budget
from pinnkit.verdict.judge import FALLS
from pinnkit.verdict.progress import fell
from pinnkit.verdict.spurious import misfit, spurious
from pinnkit.verdict.words import amount

log = logging.getLogger("pinnkit")

LEAST_STEPS = 500
"""Steps before an answer is looked at; of an optimizer whose steps are worth n others, 1 / n of them."""
STALLED = 1.25
"""A stage has stalled where the objective fell by less than this factor in the last third of the steps."""
LEAST_LEFT = 0.25
"""The share of the run that must be left."""
HEAVIER = 100.0
"""Factor on the weights of start conditions, by the first restart and by the second."""
HEAVIEST = 2
"""Restarts that raise them."""
SEEDS = 1_000_003
"""Difference of the seeds of one restart and the next."""
POINTS, FLAT = 512, 1e-2
"""Points at which fields are compared, and the share of its size that a constant one changes by."""


def restarted(problem: Problem, settings: Settings, count: int) -> tuple[Problem, Settings]:
    """Problem and settings after so many restarts: another seed, and larger weights of the conditions at the start."""
    if count == 0:
        return problem, settings
    factor = HEAVIER ** min(count, HEAVIEST)
    heavy = {one.name for one in problem.soft_conditions if _at_start(problem, one)}
    conditions = tuple(_weighted(one, factor) if one.name in heavy else one for one in problem.conditions)
    names = {name for one in problem.conditions if one.name in heavy for name in _names(one)}
    given = {name: weight * (factor if name in names else 1.0) for name, weight in settings.weighting.weights.items()}
    seed = (settings.seed + SEEDS * count) % 2**63
    weighting = replace(settings.weighting, weights=given)
    return problem.replace(conditions=conditions), replace(settings, seed=seed, weighting=weighting)


def start_weights(problem: Problem, count: int) -> str:
    """What happens to the weights of the conditions at the start, in words; "": there are none."""
    names = [one.name for one in problem.soft_conditions if _at_start(problem, one)]
    return f", and {HEAVIER ** min(count, HEAVIEST):g} times the weight of {', '.join(names)}" if names else ""


def _at_start(problem: Problem, condition: Condition) -> bool:
    """Whether a condition holds where time begins."""
    if problem.time is None or not condition.places:
        return False
    start = problem.domain.bounds[problem.time][0]
    return all(place.fixed.get(problem.time) == start for place in condition.places)


def _names(condition: Condition) -> set[str]:
    equations = condition.equations
    return {condition.name, condition.origin, *(one.name for one in equations), *(one.origin for one in equations)}


def _weighted(condition: Condition, factor: float) -> Condition:
    equations = tuple(replace(one, weight=sympy.Float(factor) * one.weight) for one in condition.equations)
    return replace(condition, equations=equations)


class RestartGuard(Callback):
    """Looks at the answer where training has stalled, and where a share of its budget is used up.

    With r restarts left that is the share 1 / (r + 1) of what was left when the answer began, so that all have equal
    shares. An answer that solves nothing, as `verdict.spurious` has it, is left; at the end the best one is kept.

    Args:
        record: of training.
    """

    def __init__(self, settings: Settings, record: Record) -> None:
        self.settings, self.record = settings, record
        self._began = 0

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        self._began = cast(PINN, pl_module).progress.step

    def on_train_batch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, *_: Any) -> None:
        module = cast(PINN, pl_module)
        due = self._due(module)
        if module.limits.max_time is not None:  # of which every rank has its own clock
            due = module.ranks.any(due, module.device)
        if not due:
            return
        equations, conditions = balances(module, self.settings.seed)
        found = spurious(equations, conditions, flat_fields(module, self.settings.seed))
        reason = module.ranks.first_message(found, module.device)
        if reason is None:
            return
        progress = module.progress
        restart = Restart(progress.step, progress.train_time_s, reason, misfit(equations, conditions))
        module.state.restarts.leave(restart, module.state_dict())
        raise SpuriousAnswer(progress.step, reason)

    def on_train_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Keep the best of the answers."""
        module = cast(PINN, pl_module)
        restarts = module.state.restarts
        if restarts.best is None or (module.stopped or "").startswith(INTERRUPTED):
            return
        if restarts.kept is not None and module.progress.step == self._began:
            return  # it was decided when training ended
        number, state = restarts.best
        last = misfit(*balances(module, self.settings.seed))
        restarts.kept = len(restarts.done)
        if not last <= restarts.done[number].misfit:
            restarts.kept = number
            module.load_state_dict(state)
            log.info(
                "answer %d of %d is kept, of step %d: its residuals are at most %s of their terms, and those of the "
                "last %s", number + 1, len(restarts.done) + 1, restarts.done[number].step,
                amount(restarts.done[number].misfit), amount(last),
            )  # fmt: skip
        module.state.unsaved = True

    def _due(self, module: PINN) -> bool:
        """Whether the answer is looked at after this block of steps."""
        restarts, stage, limits = module.state.restarts, module.state.stage, module.limits
        remaining, reason = limits.restarts - len(restarts.done), module.stopped or ""
        whole = (
            stage.terms is None and stage.at is None and module.state.windows is None
        )  # these have ways of their own
        usable = whole and len({one.level for one in module.stages}) == 1
        if remaining <= 0 or not usable or _left(module) < LEAST_LEFT:
            return False
        (began, _), least = restarts.began, max(LEAST_STEPS // stage.settings.worth, 1)
        rows = [row for row in self.record.rows if row["step"] > began]
        if len(rows) < 2 or rows[-1]["step"] - began < least:
            return False
        if reason:  # an optimizer has come to its end
            return " ended: " in reason and not ended_by_budget(reason)
        before, now = (self._used(module, row) for row in rows[-2:])
        steps = [row["step"] - began for row in rows]
        falls = fell(steps, [row["losses"].get("objective", float("nan")) for row in rows])
        if falls is None:
            return False
        share = 1 / (remaining + 1)
        at_share = before < share <= now or (now >= share and steps[-2] < least)
        return (at_share and falls < FALLS) or (steps[-2] // (2 * least) < steps[-1] // (2 * least) and falls < STALLED)

    def _used(self, module: PINN, row: Mapping[str, Any]) -> float:
        """The share that was used, at a row of the record, of what was left when the present answer began."""
        (step, time_s), limits, used = module.state.restarts.began, module.limits, 0.0
        if limits.steps is not None and limits.steps > step:
            used = (row["step"] - step) / (limits.steps - step)
        if limits.max_time is not None and limits.max_time > time_s:
            used = max(used, (row["time_s"] - time_s) / (limits.max_time - time_s))
        return used


def _left(module: PINN) -> float:
    """The share of the run that is left, of its steps or its time, as of the last block of steps."""
    limits, progress, left = module.limits, module.progress, 1.0
    if limits.steps is not None:
        left = 1.0 - progress.step / limits.steps
    if limits.max_time is not None:
        left = min(left, 1.0 - progress.train_time_s / limits.max_time)
    return left


def flat_fields(module: PINN, seed: int) -> list[tuple[str, str]]:
    """The fields that are constant along a coordinate of space or time, each with that coordinate.

    A field is so where exchanging the coordinate between points of the domain changes it by less than `FLAT` of its
    size, or of its expected one where that is larger.
    """
    problem, domain = module.problem, module.problem.domain
    points = domain.draw(POINTS, lambda drawn: unit_points("sobol", drawn, domain.dimension, seed, "flat", DRAW))
    here = torch.as_tensor(points).to(module.model.like)
    scales, found = scales_of(problem, scaled=False).fields, []
    with torch.no_grad():
        values = module(here)
        for index, name in enumerate(problem.coordinates):
            if name not in (*problem.space, problem.time):
                continue
            moved = here.clone()
            moved[:, index] = here[:, index].roll(POINTS // 2)
            change = (module(moved) - values).square().mean(0).sqrt()
            for place, field in enumerate(problem.fields):
                size = max(float(values[:, place].square().mean().sqrt()), scales[field.name])
                if not field.part and name in field.coordinates and float(change[place]) <= FLAT * size:
                    found.append((field.name, name))
    return found


def rows_of_answer(module: PINN, rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """The rows of the record that are of the answer which was kept."""
    restarts = module.state.restarts
    first, last = restarts.span(len(restarts.done) if restarts.kept is None else restarts.kept)
    return [row for row in rows if first < row["step"] <= last]


def guarded(state: TrainingState) -> dict[str, Any]:
    """The metrics of what training did against answers that got lost or solve nothing; empty where it did nothing.

    rises: the rises of the objective that training went back from; restarts: step, time and reason of each, and the
    largest ratio of residual to terms of its answer; answer_kept: the number of the answer that was taken, from 1.
    """
    restarts = state.restarts
    found: dict[str, Any] = {}
    if state.rises:
        found["rises"] = saved_rises(state.rises)
    if restarts.done:
        found["restarts"] = [asdict(one) for one in restarts.done]
        found["answer_kept"] = None if restarts.kept is None else restarts.kept + 1
    return found
