"""What the quasi-Newton methods share: the line search, the loss and gradient that it leaves, and how they end."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any

import torch

from pinnkit.optimizers.line_search import LineSearchResult, strong_wolfe

FIRST_LENGTH = 0.1  # Euclidean length of the first trial step where there is no curvature yet
FAILURES_ALLOWED = 2


def expected_step(previous: float, found: LineSearchResult, slope: float) -> float:
    """The next search's first trial: the geometric mean of `previous` and the last minimiser, at most 1.

    With a linear slope from `slope` at 0 to `found.slope` at `found.step`, the minimiser along the line lies
    at step * slope / (slope - found.slope). Scaling by tau <= 1 makes H too large on purpose, so the
    minimiser is near 1/3 for SSBroyden on a PINN: to try 1 first costs a second evaluation in nine iterations
    of ten.

    >>> from pinnkit.optimizers.line_search import Outcome
    >>> round(expected_step(1.0, LineSearchResult(0.5, 0.1, 1.0, None, 2, Outcome.WOLFE), slope=-1.0), 12)
    0.5
    """
    steepening = 1.0 - found.slope / slope
    minimiser = found.step / steepening if steepening > 0.0 else 1.0
    return min(1.0, math.sqrt(previous * minimiser))


class QuasiNewton(torch.optim.Optimizer, ABC):
    """Minimise a deterministic loss by steps s = a p along p = -H g, with curvature learned from s and y = g_new - g.

    `step(closure)` is one such iteration; a comes from a strong-Wolfe line search. The closure zeroes the
    gradients, computes the loss, calls `backward` and returns the loss, as for `torch.optim.LBFGS`. The loss
    and the gradient at the present point are kept from the line search, so an iteration usually costs one
    evaluation; call `refresh()` when the loss itself has changed (other points, other weights).

    The first step is along -g with a first trial of length 0.1. After a line search that failed the curvature is
    forgotten; after two failures in a row `finished` says why, and then a step does nothing.

    Several processes take the same decisions only if the closure gives each the same loss and the same
    gradients.

    Attributes:
        finished: None, or in words why there is nothing more to gain.
        note: None, or in words what went wrong in the last step.
        evaluations: closure calls so far.
        diagnostics: of the last step: step_length (a), evaluations, curvature (y's / s's; NaN where it was not
            used), and those of the method.

    Raises ValueError at construction for parameters of several dtypes or devices, and for more than one parameter
    group. `step` raises FloatingPointError where the loss or the gradient is not finite before any step has been
    tried.
    """

    def __init__(
        self, parameters: Iterable[torch.Tensor], name: str, gradient_tolerance: float, max_evaluations: int
    ) -> None:
        # `finished` is in the group, not in the state: load_state_dict of torch mangles strings in the state.
        super().__init__(parameters, {"finished": None})
        if len(self.param_groups) != 1:
            raise ValueError(f"{name} takes one parameter group, and got {len(self.param_groups)}")
        self.name = name
        self.note: str | None = None
        self._gradient_tolerance = gradient_tolerance
        self._max_evaluations = max_evaluations
        kinds = {(p.dtype, p.device) for p in self._parameters}
        if len(kinds) != 1:
            listed = ", ".join(sorted(f"{dtype} on {device}" for dtype, device in kinds))
            raise ValueError(f"{name} needs parameters of one dtype on one device, and got {listed}")
        self._n = sum(p.numel() for p in self._parameters)

    @abstractmethod
    def _direction(self, gradient: torch.Tensor) -> torch.Tensor | None:
        """p = -H g (n,), or None where there is no curvature yet."""

    @abstractmethod
    def _forget(self) -> None:
        """Drop the curvature."""

    @abstractmethod
    def _learn(self, step: float, direction: torch.Tensor, old: torch.Tensor, new: torch.Tensor) -> dict[str, float]:
        """Take in a step that was made, with the gradients before and after it; gives diagnostics."""

    @property
    def _parameters(self) -> list[torch.Tensor]:
        return self.param_groups[0]["params"]

    @property
    def _memory(self) -> dict[str, Any]:
        """All that a step leaves for the next. `state_dict` saves it: tensors and numbers only."""
        memory = self.state[self._parameters[0]]
        if not memory:
            memory.update(evaluations=0, failures=0, expected_step=1.0, diagnostics={})
        return memory

    @property
    def finished(self) -> str | None:
        return self.param_groups[0]["finished"]

    @property
    def evaluations(self) -> int:
        return self._memory["evaluations"]

    @property
    def diagnostics(self) -> dict[str, float]:
        return self._memory["diagnostics"]

    def refresh(self) -> None:
        """Forget the loss and the gradient but keep the curvature: the next step evaluates here again."""
        self._memory.pop("loss", None)
        self._memory.pop("gradient", None)

    @torch.no_grad()
    def step(self, closure: Callable[[], torch.Tensor]) -> float:
        """One iteration; returns the loss after it."""
        memory = self._memory
        self.note = None
        evaluations_before = memory["evaluations"]
        if "loss" not in memory:
            memory["loss"], memory["gradient"] = self._start(closure)
        if self.finished is not None:
            return memory["loss"]

        gradient = memory["gradient"]
        direction = self._direction(gradient)
        if direction is None:
            direction = gradient * (-FIRST_LENGTH / gradient.norm())
        found = self._search(closure, direction)
        memory["diagnostics"] = {
            "step_length": found.step,
            "evaluations": float(memory["evaluations"] - evaluations_before),
        }
        if not found.outcome.moved:
            self._restart(found)
            return memory["loss"]
        memory["failures"] = 0
        memory["diagnostics"] |= self._learn(found.step, direction, gradient, found.gradient)
        memory["loss"], memory["gradient"] = found.loss, found.gradient
        return found.loss

    def _evaluate(self, closure: Callable[[], torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """The loss, as a tensor without dimensions, and the flat gradient (n,) at the present parameters."""
        with torch.enable_grad():
            loss = closure()
        self._memory["evaluations"] += 1
        gradient = torch.cat(
            [torch.zeros_like(p).flatten() if p.grad is None else p.grad.flatten() for p in self._parameters]
        )
        return loss.detach().reshape(()), gradient

    def _start(self, closure: Callable[[], torch.Tensor]) -> tuple[float, torch.Tensor]:
        loss, gradient = self._evaluate(closure)
        value, size = torch.stack((loss.to(gradient.dtype), gradient.abs().max())).tolist()
        if not (math.isfinite(value) and math.isfinite(size)):
            raise FloatingPointError(
                f"the loss is {value:g} and the largest entry of its gradient {size:g} at the start of a "
                f"step of {self.name}, before any trial: these parameters and points give no finite value"
            )
        self._finish_if_flat(size)
        return value, gradient

    def _finish_if_flat(self, largest: float) -> None:
        if largest <= self._gradient_tolerance:
            self.param_groups[0]["finished"] = (
                f"the largest entry of the gradient is {largest:.3g}, within gradient_tolerance = "
                f"{self._gradient_tolerance:g}"
            )

    def _move(self, point: torch.Tensor) -> None:
        offset = 0
        for p in self._parameters:
            p.copy_(point[offset : offset + p.numel()].view_as(p))
            offset += p.numel()

    def _search(self, closure: Callable[[], torch.Tensor], direction: torch.Tensor) -> LineSearchResult:
        """Search along the direction, and leave the parameters at the step that was found."""
        origin = torch.cat([p.flatten() for p in self._parameters])

        def phi(step: float) -> tuple[float, float, torch.Tensor]:
            self._move(torch.add(origin, direction, alpha=step))
            loss, gradient = self._evaluate(closure)
            slope = torch.dot(gradient, direction)
            return *torch.stack((loss.to(slope.dtype), slope)).tolist(), gradient

        memory = self._memory
        slope = float(torch.dot(memory["gradient"], direction))
        found = strong_wolfe(
            phi,
            memory["loss"],
            slope,
            first=memory["expected_step"],
            max_evaluations=self._max_evaluations,
            tolerance=torch.finfo(direction.dtype).eps ** 0.4,
        )
        self._move(torch.add(origin, direction, alpha=found.step))
        if found.outcome.moved:
            memory["expected_step"] = expected_step(memory["expected_step"], found, slope)
        return found

    def _restart(self, found: LineSearchResult) -> None:
        """Forget the curvature after a line search without a step; the second in a row ends the run."""
        memory = self._memory
        memory["failures"] += 1
        memory["expected_step"] = 1.0
        self._forget()
        self.note = f"the line search failed ({found.outcome.value}); {self.name} starts anew from the gradient"
        if memory["failures"] >= FAILURES_ALLOWED:
            self.note = None
            self.param_groups[0]["finished"] = (
                f"the line search failed {FAILURES_ALLOWED} times in a row, the last along the gradient "
                f"({found.outcome.value}); the loss is {memory['loss']:.3g}. If that is too large: draw "
                "other points, use float64, or go on with another optimizer"
            )
