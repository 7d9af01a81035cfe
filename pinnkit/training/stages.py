"""Stages of a run: what is trained, at which points, by which optimizer, and until when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch

from pinnkit.losses.residuals import TermGroup
from pinnkit.optimizers.schedule import learning_rate_factor, settling_factor
from pinnkit.optimizers.settings import FirstOrder, Optimizer
from pinnkit.problem.groups import equation_groups
from pinnkit.problem.problem import Problem
from pinnkit.sampling.settings import Sampling
from pinnkit.training.parameter_values import ParameterValues

LEVEL_EPS = 1e-25
"""What Adam adds to the root of the squared gradient in levels but the first."""


@dataclass(frozen=True)
class Stage:
    """One optimizer for some steps, on a part of the problem.

    Attributes:
        settings: the optimizer; its `steps` bound the stage.
        terms: the terms that are trained; None: all.
        sampling: how their points are drawn; None: as in the run.
        max_time: seconds of training in this stage; None: no limit.
        stop_loss: the stage ends when the objective is at most this; None: no limit.
        until: seconds of training in all at which the stage ends; None: no limit.
        level: which of the networks that are added to each other it trains, from 0.
        at: the values that parameters have in it; None: the problem's own.
    """

    settings: Optimizer
    terms: frozenset[str] | None = None
    sampling: Sampling | None = None
    max_time: float | None = None
    stop_loss: float | None = None
    until: float | None = None
    level: int = 0
    at: ParameterValues | None = None

    # ------------------------------------------------------------ part of the problem

    def part(self, groups: Sequence[TermGroup]) -> tuple[TermGroup, ...]:
        """The groups with those terms that this stage trains.

        Raises:
            ValueError: there is no such term.
        """
        if self.terms is None:
            return tuple(groups)
        known = [term for group in groups for term in group.terms]
        unknown = sorted(self.terms.difference(known))
        if unknown or not self.terms:
            raise ValueError(f"a stage trains the terms {unknown}, and the problem has {', '.join(known)}")
        parts = (_restricted(group, self.terms) for group in groups)
        return tuple(part for part in parts if part is not None)

    def group_names(self, problem: Problem) -> list[str]:
        """The groups of points that this stage needs: its conditions, and the equations."""
        groups = {one.name: one.equations for one in problem.soft_conditions} | equation_groups(problem)
        return [name for name, ones in groups.items() if any(self.trains(one.name) for one in ones)]

    def trains(self, term: str) -> bool:
        """Whether a term is trained in this stage."""
        return self.terms is None or term in self.terms

    # ------------------------------------------------------------ the optimizer

    @property
    def name(self) -> str:
        """The optimizer's name."""
        return self.settings.name

    @property
    def label(self) -> str:
        """Its name in messages and figures."""
        if self.at is not None:
            return f"{self.name} ({self.at.label})"
        return f"{self.name} (level {self.level + 1})" if self.level else self.name

    @property
    def first_order(self) -> bool:
        """Whether a step uses the gradient alone, at a rate that is given."""
        return self.settings.first_order

    @property
    def mini_batches(self) -> bool:
        """Whether a step may use points of its own: others learn their curvature from the same points in many."""
        return self.settings.mini_batches

    @property
    def fresh_points(self) -> bool:
        """Whether every step has points of its own, few of them, as a part of the method."""
        return self.settings.fresh_points

    def steps_on_points(self, redraw_every: int | None) -> int | None:
        """For how many steps a draw of points holds that others keep for `redraw_every`; None: to the end."""
        if self.fresh_points:
            return 1
        return None if redraw_every is None else max(redraw_every // self.settings.worth, 1)

    @property
    def least_squares(self) -> bool:
        """Whether a step asks for the Jacobian of the residuals."""
        return self.settings.least_squares

    def optimizer(
        self, parameters: Sequence[torch.nn.Parameter], rows: int = 1, matrices: int | None = None
    ) -> torch.optim.Optimizer:
        """A new optimizer of these parameters.

        Args:
            rows: threads that pass over a dense inverse Hessian.
            matrices: threads that build and factorise the matrices of least squares; None: as torch has them.
        """
        optimizer = self.settings.build(parameters)
        for group in optimizer.param_groups if self.level else ():
            if "eps" in group:  # gradients of what is left are smaller than Adam's usual 1e-8
                group["eps"] = LEVEL_EPS
        self.settings.set_threads(optimizer, rows, matrices)
        return optimizer

    def settle(self, optimizer: torch.optim.Optimizer, step: int | None) -> None:
        """Shorten the next step, `step` steps after that began; None: it has not."""
        if self.fresh_points:
            cast(Any, optimizer).step_factor = 1.0 if step is None else settling_factor(step)

    def set_learning_rate(self, optimizer: torch.optim.Optimizer, step: int, share: float = 1.0) -> float | None:
        """Set the rate for this step of the stage: `share` of what warm-up and decay give.

        None where a line search chooses the step.
        """
        if not self.first_order:
            return None
        settings = cast(FirstOrder, self.settings)
        rate = share * settings.learning_rate * learning_rate_factor(step, settings)
        for group in optimizer.param_groups:
            group["lr"] = rate
        return rate

    # ------------------------------------------------------------ limits

    def ended(self, step: int, optimizer: Any) -> str | None:
        """Why the stage ends after so many steps, as every rank can tell by itself; None: it goes on."""
        reason = getattr(optimizer, "finished", None)
        if reason is None and self.settings.steps is not None and step >= self.settings.steps:
            return f"its {self.settings.steps} steps are done"
        return reason

    @property
    def timed(self) -> bool:
        """Whether it is limited in time."""
        return self.max_time is not None or self.until is not None

    def time_over(self, seconds: float, total: float) -> str | None:
        """Why it ends after so many seconds of training in it, and in the run."""
        if self.max_time is not None and seconds >= self.max_time:
            return f"its {self.max_time:g} s are over"
        if self.until is not None and total >= self.until:
            return f"the first {self.until:g} s are over"
        return None

    def reached(self, objective: float) -> str | None:
        """Why it ends at this objective."""
        if self.stop_loss is not None and objective <= self.stop_loss:
            return f"the objective is at most {self.stop_loss:g}"
        return None

    def left(self, step: int, seconds: float) -> float:
        """The share of the stage that is left before a step of it; 1 where it has no limit."""
        left = 1.0 if self.settings.steps is None else 1.0 - step / self.settings.steps
        return left if self.max_time is None else min(left, 1.0 - seconds / self.max_time)


def same_terms(one: Stage, other: Stage) -> bool:
    """Whether the objectives of two stages are sums of the same terms, and so can be compared."""
    return one.terms == other.terms


def same_points(one: Stage, other: Stage) -> bool:
    """Whether a stage goes on with the points of another; another network has points of its own."""
    return (one.terms, one.sampling, one.level) == (other.terms, other.sampling, other.level)


def same_objective(one: Stage, other: Stage) -> bool:
    """Whether a stage goes on within a block of steps on the points of another: the objective there is the same."""
    return same_points(one, other) and one.at == other.at


def _restricted(group: TermGroup, terms: frozenset[str]) -> TermGroup | None:
    """The group with these of its terms; None: it has none of them."""
    kept = [term for term in group.terms if term in terms]
    if not kept:
        return None
    if len(kept) == len(group.terms):
        return group
    equations: Mapping[str, Any] = {one.name: one for one in (*group.symbolic, *group.callables)}
    return TermGroup(group.name, group.problem, [equations[term] for term in kept])
