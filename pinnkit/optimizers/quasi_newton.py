"""Base class of the quasi-Newton methods: line search, curvature pairs, and the end of a run."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch

from pinnkit.optimizers.deterministic import DeterministicOptimizer
from pinnkit.optimizers.line_search import LineSearchResult, relative_noise, strong_wolfe

FIRST_LENGTH = 0.1  # Euclidean length of the first trial step without curvature, or after a change of the loss
MAX_FAILURES = 2


def expected_step(previous: float, found: LineSearchResult, slope: float) -> float:
    """The first trial of the next line search: the geometric mean of `previous` and the last minimiser, at most 1.

    With a linear slope from `slope` at 0 to `found.slope` at `found.step`, the minimiser along the line lies
    at step * slope / (slope - found.slope). It is below 1 for the self-scaled methods, whose H is too large by design.

    >>> from pinnkit.optimizers.line_search import Outcome
    >>> round(expected_step(1.0, LineSearchResult(0.5, 0.1, 1.0, None, 2, Outcome.WOLFE), slope=-1.0), 12)
    0.5
    """
    steepening = 1.0 - found.slope / slope
    minimiser = found.step / steepening if steepening > 0.0 else 1.0
    return min(1.0, math.sqrt(previous * minimiser))


class CurvaturePair(NamedTuple):
    """A step s and the change y of the gradient over it, (n,) each, with their inner products.

    `reliable`: whether y's is above its own rounding error, so that curvature can be learned from it.
    """

    s: torch.Tensor
    y: torch.Tensor
    ys: float
    yy: float
    ss: float
    reliable: bool


class QuasiNewton(DeterministicOptimizer):
    """Minimise a deterministic loss by steps s = a p along p = -H g, with curvature learned from s and y = g_new - g.

    `step(closure)` is one such iteration (see `DeterministicOptimizer` for the closure); a comes from a strong-Wolfe
    line search, whose last loss and gradient are kept, so an iteration usually costs one evaluation. The curvature
    survives a `refresh()`.

    The first step is along -g with a first trial of length 0.1. After a `refresh()` the first trial is no longer than
    the last step, or 0.1, as H may be large where the former loss was flat. After a failed line search the curvature
    is dropped; two failures in a row end the run (`finished`).

    Attributes:
        diagnostics: of the last step: step_length (a), evaluations, curvature (y's / s's; NaN if it was not used), and
            those of the method.

    Raises as `DeterministicOptimizer`.
    """

    def __init__(
        self, parameters: Iterable[torch.Tensor], name: str, gradient_tolerance: float, max_evaluations: int
    ) -> None:
        super().__init__(parameters, name, max_evaluations, gradient_tolerance, expected_step=1.0)

    @abstractmethod
    def _direction(self, gradient: torch.Tensor) -> torch.Tensor | None:
        """p = -H g (n,), or None where there is no curvature yet."""

    @abstractmethod
    def _reset_curvature(self) -> None:
        """Drop the curvature."""

    @abstractmethod
    def _update_curvature(
        self, step: float, direction: torch.Tensor, old: torch.Tensor, new: torch.Tensor
    ) -> dict[str, float]:
        """Update H by an accepted step and the gradients before and after it; returns diagnostics."""

    @torch.no_grad()
    def step(self, closure: Callable[[], torch.Tensor]) -> float:  # type: ignore[override]
        """One iteration; returns the loss after it."""
        memory = self._memory
        self.note = None
        evaluations_before = memory["evaluations"]
        refreshed = "loss" not in memory
        self._evaluate_start(closure)
        if self.finished is not None:
            return memory["loss"]

        gradient = memory["gradient"]
        direction = self._direction(gradient)
        if direction is None:
            direction = gradient * (-FIRST_LENGTH * memory.get("first_share", 1.0) / gradient.norm())
        first = memory["expected_step"]
        if refreshed and "length" in memory:
            length = max(memory["length"], FIRST_LENGTH)
            first = min(first, length / max(float(direction.norm()), torch.finfo(direction.dtype).tiny))
        found = self._search(closure, direction, first)
        memory["diagnostics"] = {
            "step_length": found.step,
            "evaluations": float(memory["evaluations"] - evaluations_before),
        }
        if not found.outcome.moved:
            self._reset_after_failure(found)
            return memory["loss"]
        memory["failures"] = 0
        assert found.gradient is not None
        memory["diagnostics"] |= self._update_curvature(found.step, direction, gradient, found.gradient)
        memory["loss"], memory["gradient"] = found.loss, found.gradient
        return found.loss

    def _search(self, closure: Callable[[], torch.Tensor], direction: torch.Tensor, first: float) -> LineSearchResult:
        """Search along the direction with the first trial `first`; the parameters stay at the step found."""
        origin = self._flat_parameters()

        def phi(step: float) -> tuple[float, float, torch.Tensor]:
            self._set_parameters(torch.add(origin, direction, alpha=step))
            loss, gradient = self._evaluate(closure)
            slope = torch.dot(gradient, direction)
            value, along = torch.stack((loss.to(slope.dtype), slope)).tolist()
            self._note_missing_gradient(value, along)
            return value, along, gradient

        memory = self._memory
        slope = float(torch.dot(memory["gradient"], direction))
        found = strong_wolfe(
            phi,
            memory["loss"],
            slope,
            first=first,
            max_evaluations=self._max_evaluations,
            tolerance=relative_noise(self._eps),
        )
        self._set_parameters(torch.add(origin, direction, alpha=found.step))
        if found.outcome.moved:
            memory["expected_step"] = expected_step(memory["expected_step"], found, slope)
        return found

    def _curvature_pair(
        self, step: float, direction: torch.Tensor, old: torch.Tensor, new: torch.Tensor
    ) -> CurvaturePair:
        """s and y of an accepted step; a zero gradient ends the run."""
        s, y = direction * step, new - old
        ys, yy, ss, rounding, largest = torch.stack(
            (
                torch.dot(y, s),
                torch.dot(y, y),
                torch.dot(s, s),
                s.norm() * (new.norm() + old.norm()) * torch.finfo(s.dtype).eps,
                new.abs().max(),
            )
        ).tolist()
        self._finish_if_flat(largest)
        self._memory["length"] = math.sqrt(ss)
        return CurvaturePair(s, y, ys, yy, ss, ys > rounding)

    def _reset_after_failure(self, found: LineSearchResult) -> None:
        """Drop the curvature after a failed line search; a second failure in a row ends the run."""
        memory = self._memory
        memory["failures"] += 1
        memory["expected_step"] = 1.0
        self._reset_curvature()
        self.note = f"the line search failed ({found.outcome.value}); {self.name} restarts along the gradient"
        if memory["failures"] >= MAX_FAILURES:
            self.note = None
            self._finish_or_raise(
                f"the line search failed {MAX_FAILURES} times in a row, the last along the gradient "
                f"({found.outcome.value}); the loss is {memory['loss']:.3g}. If it is too large, draw other points, "
                "use float64, or continue with another optimizer"
            )
