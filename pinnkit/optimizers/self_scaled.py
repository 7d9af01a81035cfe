"""Self-scaled quasi-Newton methods with a dense inverse Hessian: BFGS, SSBFGS and SSBroyden.

Al-Baali, Comput. Optim. Appl. 9 (1998); Urban, Stefanou and Pons 2025 (arXiv 2405.04230); Kiyani et al. 2025
(arXiv 2501.16371).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch

from pinnkit.optimizers.inverse_hessian import VARIANTS, scaling, update_inverse_hessian
from pinnkit.optimizers.line_search import LineSearchResult, strong_wolfe

FIRST_LENGTH = 0.1  # Euclidean length of the first trial step where there is no H
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


class SelfScaled(torch.optim.Optimizer):
    """Minimise a deterministic loss with p = -H g, s = a p, y = g_new - g and an update of H by s and y.

    `step(closure)` is one such iteration; a comes from a strong-Wolfe line search. The closure zeroes the
    gradients, computes the loss, calls `backward` and returns the loss, as for `torch.optim.LBFGS`. The loss
    and the gradient at the present point are kept from the line search, so an iteration usually costs one
    evaluation; call `refresh()` when the loss itself has changed (other points, other weights).

    The first step is along -g with a first trial of length 0.1; then H starts as (y's / y'y) I (Nocedal and
    Wright, 6.20), which halves the iterations of BFGS on quadratics and changes little for the self-scaled
    variants. So it does again after a line search that failed. After two failures in a row `finished` says
    why, and then a step does nothing.

    Several processes take the same decisions only if the closure gives each the same loss and the same
    gradients.

    Attributes:
        variant: "bfgs", "ssbfgs" or "ssbroyden".
        finished: None, or in words why there is nothing more to gain.
        evaluations: closure calls so far.
        diagnostics: of the last step: step_length (a), evaluations, curvature (y's / s's), tau, theta; the
            last three are NaN where H was not updated.

    Raises ValueError at construction for an unknown variant, for parameters of several dtypes or devices, for
    more than one parameter group, and for more than `max_parameters` parameters. `step` raises
    FloatingPointError where the loss or the gradient is not finite before any step has been tried.
    """

    def __init__(
        self,
        parameters: Iterable[torch.Tensor],
        variant: str = "ssbroyden",
        *,
        max_parameters: int = 6000,
        gradient_tolerance: float = 0.0,
        max_evaluations: int = 25,
    ) -> None:
        if variant not in VARIANTS:
            raise ValueError(f"unknown variant {variant!r}; the variants are {', '.join(VARIANTS)}")
        # `finished` is in the group, not in the state: load_state_dict of torch mangles strings in the state.
        super().__init__(parameters, {"finished": None})
        if len(self.param_groups) != 1:
            raise ValueError(f"{variant} takes one parameter group, and got {len(self.param_groups)}")
        self.variant = variant
        self._gradient_tolerance = gradient_tolerance
        self._max_evaluations = max_evaluations
        kinds = {(p.dtype, p.device) for p in self._parameters}
        if len(kinds) != 1:
            listed = ", ".join(sorted(f"{dtype} on {device}" for dtype, device in kinds))
            raise ValueError(f"{variant} needs parameters of one dtype on one device, and got {listed}")
        self._n = sum(p.numel() for p in self._parameters)
        if self._n > max_parameters:
            gigabytes = self._n**2 * self._parameters[0].element_size() / 1e9
            raise ValueError(
                f"{variant} would keep a dense {self._n} x {self._n} matrix ({gigabytes:.3g} GB), and "
                f"max_parameters = {max_parameters}: use a smaller network, raise max_parameters if that "
                "memory is there, or take L-BFGS (lbfgs) or Adam (adam), whose memory grows as n only"
            )

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
        """Forget the loss and the gradient but keep H: the next step evaluates at the present point again."""
        self._memory.pop("loss", None)
        self._memory.pop("gradient", None)

    @torch.no_grad()
    def step(self, closure: Callable[[], torch.Tensor]) -> float:
        """One iteration; returns the loss after it."""
        memory = self._memory
        evaluations_before = memory["evaluations"]
        if "loss" not in memory:
            memory["loss"], memory["gradient"] = self._start(closure)
        if self.finished is not None:
            return memory["loss"]

        gradient = memory["gradient"]
        if "inverse_hessian" in memory:
            direction = torch.mv(memory["inverse_hessian"], gradient).neg_()
        else:
            direction = gradient * (-FIRST_LENGTH / gradient.norm())
        found = self._search(closure, direction)

        memory["diagnostics"] = {
            "step_length": found.step,
            "evaluations": float(memory["evaluations"] - evaluations_before),
            "curvature": math.nan,
            "tau": math.nan,
            "theta": math.nan,
        }
        if not found.outcome.moved:
            self._restart(found)
            return memory["loss"]
        memory["failures"] = 0
        self._update(found.step, direction, found.gradient)
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
                f"step of {self.variant}, before any trial: these parameters and points give no finite value"
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
        """Forget H after a line search without a step; the second in a row ends the run."""
        memory = self._memory
        memory["failures"] += 1
        memory["expected_step"] = 1.0
        memory.pop("inverse_hessian", None)
        if memory["failures"] >= FAILURES_ALLOWED:
            self.param_groups[0]["finished"] = (
                f"the line search failed {FAILURES_ALLOWED} times in a row, the last along the gradient "
                f"({found.outcome.value}); the loss is {memory['loss']:.3g}. If that is too large: draw "
                "other points, use float64, or go on with another optimizer"
            )

    def _update(self, step: float, direction: torch.Tensor, gradient: torch.Tensor) -> None:
        """Update H by s and y; leave it where y's is not above its own rounding error."""
        memory = self._memory
        old = memory["gradient"]
        s = direction * step
        y = gradient - old
        starts = "inverse_hessian" not in memory
        hy = y if starts else torch.mv(memory["inverse_hessian"], y)
        ys, yhy, sg, ss, rounding, largest = torch.stack(
            (
                torch.dot(y, s),
                torch.dot(y, hy),
                torch.dot(s, old),
                torch.dot(s, s),
                s.norm() * (gradient.norm() + old.norm()) * torch.finfo(s.dtype).eps,
                gradient.abs().max(),
            )
        ).tolist()
        self._finish_if_flat(largest)
        if not (ys > rounding and yhy > 0.0):
            return
        b = -step * sg / ys
        if starts:
            scale = ys / yhy  # y's / y'y
            memory["inverse_hessian"] = torch.eye(self._n, dtype=s.dtype, device=s.device).mul_(scale)
            hy, yhy, b = hy * scale, ys, ss / (scale * ys)
        found = scaling(self.variant, h=yhy / ys, b=b, n=self._n)
        update_inverse_hessian(memory["inverse_hessian"], s, hy, ys, yhy, found.tau, found.phi)
        memory["diagnostics"].update(curvature=ys / ss, tau=found.tau, theta=found.theta)
