"""Base class of optimizers for a deterministic loss."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any

import torch


class DeterministicOptimizer(torch.optim.Optimizer, ABC):
    """Optimizer of a loss that is the same function in every call, by steps that evaluate trial points.

    The closure zeroes the gradients, computes the loss, calls `backward` and returns the loss, as for
    `torch.optim.LBFGS`. The loss and the gradient that a step ends with are kept, so that the next one does not
    evaluate there again; call `refresh()` when the loss itself has changed (other points, other weights).

    Several processes take the same decisions only if the closure gives each the same loss and the same gradients.

    Args:
        name: the method's name in messages.
        max_evaluations: bound on the evaluations of the loss in one step.
        gradient_tolerance: finished when no entry of the gradient is larger.
        initial_state: entries of `_memory` before the first step, besides evaluations, failures and diagnostics.

    Attributes:
        finished: None, or the reason why the run has ended; then a step does nothing.
        note: None, or a message about a failure in the last step.
        evaluations: closure calls so far.
        diagnostics: numbers of the last step, by name.

    Raises ValueError at construction for parameters of several dtypes or devices, and for more than one parameter
    group. `step` raises FloatingPointError where the loss or the gradient is not finite before any trial, and where the
    loss is finite at the trials and its gradient is not.
    """

    def __init__(
        self,
        parameters: Iterable[torch.Tensor],
        name: str,
        max_evaluations: int,
        gradient_tolerance: float = 0.0,
        **initial_state: float,
    ) -> None:
        # `finished` is in the group, not in the state: load_state_dict of torch mangles strings in the state.
        super().__init__(parameters, {"finished": None})
        if len(self.param_groups) != 1:
            raise ValueError(f"{name} takes one parameter group, and got {len(self.param_groups)}")
        self.name = name
        self.note: str | None = None
        self._max_evaluations, self._gradient_tolerance = max_evaluations, gradient_tolerance
        self._initial_state = initial_state
        self._without_gradient: torch.Tensor | None = None
        """The last trial point, if the loss is finite there and its gradient is not."""
        kinds = {(p.dtype, p.device) for p in self._parameters}
        if len(kinds) != 1:
            listed = ", ".join(sorted(f"{dtype} on {device}" for dtype, device in kinds))
            raise ValueError(f"{name} needs parameters of one dtype on one device, and got {listed}")
        self._n = sum(p.numel() for p in self._parameters)
        self._eps = torch.finfo(self._parameters[0].dtype).eps

    @abstractmethod
    def step(self, closure: Callable[[], torch.Tensor]) -> float:  # type: ignore[override]
        """One iteration; returns the loss after it."""

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
        """Drop the loss and the gradient, which the next step evaluates again; keep the curvature or damping."""
        self._memory.pop("loss", None)
        self._memory.pop("gradient", None)

    def restart(self, share: float) -> None:
        """Drop the whole state, and begin with this fraction of the usual first step."""
        self.state.clear()
        self._memory["first_share"] = share

    @property
    def _parameters(self) -> list[torch.Tensor]:
        return self.param_groups[0]["params"]

    @property
    def _memory(self) -> dict[str, Any]:
        """The state between steps, which `state_dict` saves: tensors and numbers only."""
        memory = self.state[self._parameters[0]]
        if not memory:
            memory.update(evaluations=0, failures=0, diagnostics={}, **self._initial_state)
        return memory

    def _evaluate_start(self, closure: Callable[[], torch.Tensor]) -> None:
        """Evaluate loss and gradient at the present point, unless they are known."""
        memory = self._memory
        if "loss" in memory:
            return
        loss, gradient = self._evaluate(closure)
        value, size = torch.stack((loss.to(gradient.dtype), gradient.abs().max())).tolist()
        if not (math.isfinite(value) and math.isfinite(size)):
            raise FloatingPointError(
                f"the loss is {value:g} and the largest entry of its gradient {size:g} at the start of a "
                f"step of {self.name}, before any trial: these parameters and points give no finite value"
            )
        self._finish_if_flat(size)
        memory["loss"], memory["gradient"] = value, gradient

    def _evaluate(self, closure: Callable[[], torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """The loss, as a tensor without dimensions, and the flat gradient (n,) at the present parameters."""
        with torch.enable_grad():
            loss = closure()
        self._memory["evaluations"] += 1
        gradient = torch.cat(
            [torch.zeros_like(p).flatten() if p.grad is None else p.grad.flatten() for p in self._parameters]
        )
        return loss.detach().reshape(()), gradient

    def _note_missing_gradient(self, loss: float, slope: float) -> None:
        """Keep the present point if the loss is finite there and its slope along the step is not."""
        bad = math.isfinite(loss) and not math.isfinite(slope)
        self._without_gradient = self._flat_parameters() if bad else None

    def _finish_or_raise(self, reason: str) -> None:
        """End the run as no trial has lowered the loss; FloatingPointError where a trial has no finite gradient."""
        if self._without_gradient is not None:
            self._set_parameters(self._without_gradient)
            raise FloatingPointError(f"the loss is finite at the trials of a step of {self.name}, its gradient is not")
        self._finish(reason)

    def _finish(self, reason: str) -> None:
        self.param_groups[0]["finished"] = reason

    def _finish_if_flat(self, largest: float) -> None:
        if largest == 0.0:
            self._finish("every entry of the gradient is 0")
        elif largest <= self._gradient_tolerance:
            self._finish(
                f"the largest entry of the gradient is {largest:.3g}, within gradient_tolerance = "
                f"{self._gradient_tolerance:g}"
            )

    def _flat_parameters(self) -> torch.Tensor:
        """The parameters as one vector (n,)."""
        return torch.cat([p.flatten() for p in self._parameters])

    def _set_parameters(self, point: torch.Tensor) -> None:
        """Set the parameters to this vector (n,)."""
        offset = 0
        for p in self._parameters:
            p.copy_(point[offset : offset + p.numel()].view_as(p))
            offset += p.numel()
