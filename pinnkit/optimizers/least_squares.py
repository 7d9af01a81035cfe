"""Base class of the Gauss-Newton methods: trial steps with adaptive damping.

Levenberg 1944; Marquardt 1963; Transtrum and Sethna 2012 (arXiv 1201.5885), for the damping.
"""

from __future__ import annotations

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

import torch

from pinnkit.optimizers.deterministic import DeterministicOptimizer
from pinnkit.optimizers.line_search import relative_noise

FIRST_DAMPING = 1e-3  # times the scale of J'J
DAMPING_INCREASE = 2.0  # factor on the damping after a refused trial
DAMPING_DECREASE = 10.0  # divisor of the damping after a step; above DAMPING_INCREASE, to find the least that works
SINGULAR_INCREASE = 10.0  # factor on the damping where the matrix is numerically not positive definite
MAX_FAILURES = 2
MAX_STAGNANT_STEPS = 10
STRIPS = 4  # of a symmetric matrix


class LeastSquares(Protocol):
    """The objective |r|^2 at the present parameters: r (N,), J = dr/dtheta (N, n). Each call computes it afresh."""

    def gram(self) -> tuple[torch.Tensor, torch.Tensor]:
        """J'J (n, n), which the caller may overwrite, and J'r (n,)."""

    def rows(self) -> tuple[torch.Tensor, torch.Tensor]:
        """r (N,) and J (N, n)."""

    def residuals(self) -> torch.Tensor:
        """r (N,)."""

    def rows_shape(self) -> tuple[int, int]:
        """(N, n) of J, without computing it."""

    def product(self, vector: torch.Tensor) -> torch.Tensor:
        """J'J v (n,)."""


class Model(ABC):
    """The model |r - J d|^2 of the objective near the present parameters."""

    scale: float
    """Of the order of the largest eigenvalue of J'J; the first damping is relative to it."""
    least: float | None = None
    """The least damping relative to `scale`, below which it is lost in rounding; None: eps."""

    @abstractmethod
    def solve(self, damping: float) -> torch.Tensor:
        """d (n,) with (J'J + damping I) d = J'r; NaN where the matrix is numerically not positive definite."""

    @abstractmethod
    def diagnostics(self) -> dict[str, float]:
        """`condition` of the damped matrix (an estimate) in the last solution, and numbers of the method."""


def lower_product(matrix: torch.Tensor) -> torch.Tensor:
    """The lower triangle of matrix matrix' (N, N), matrix: (N, n); above the diagonal partly zeros."""
    size = len(matrix)
    found = matrix.new_zeros(size, size)
    edges = [size * strip // STRIPS for strip in range(STRIPS + 1)]
    for start, stop in itertools.pairwise(edges):
        torch.mm(matrix[start:stop], matrix[:stop].T, out=found[start:stop, :stop])
    return found


class Trial(NamedTuple):
    """A trial point: its loss, the decrease from the present one (-inf where not finite), and its gradient."""

    loss: float
    decrease: float
    gradient: torch.Tensor


class LeastSquaresOptimizer(DeterministicOptimizer):
    """Minimise |r|^2 by steps theta - d, where d solves the linearised problem, damped.

    Set `system` before each `step(closure)`. The closure (see `DeterministicOptimizer`) computes the objective at trial
    points and leaves its gradient 2 J'r in the parameters. The damping mu survives a `refresh()`.

    Damping: a trial is accepted if it lowers the objective. If not, mu is doubled and the step solved again with the
    same J; after an accepted step mu is divided by ten. So each step has about the least mu that works.

    Rounding: where two objectives differ by less than their noise (`line_search.relative_noise`) the decrease is taken
    from the slopes at both ends of the trial (trapezoidal rule), which rounding reaches much later (Hager and Zhang,
    SIAM J. Optim. 16, 2005). A step fails if its model predicts a decrease below eps |r|^2, or if all its trials are
    refused; then mu returns to its first value, and the objective is evaluated again. Two failures in a row, or ten
    steps in a row that lower the objective by less than eps^0.5 of itself, end the run (`finished`).

    On several processes the system must give each the same numbers.

    Attributes:
        system: the problem at the present parameters, a `LeastSquares`.
        diagnostics: of the last step: step_length (Euclidean length of the change of the parameters; 0 after a
            failure), evaluations, damping (mu), gain (decrease / decrease that the model predicts), condition (of
            the damped matrix, estimated), and those of the method.

    Raises as `DeterministicOptimizer`. `step` raises RuntimeError where `system` is None, and FloatingPointError where
    the objective, its gradient or J is not finite before any trial.
    """

    def __init__(self, parameters: Iterable[torch.Tensor], name: str, max_evaluations: int) -> None:
        super().__init__(parameters, name, max_evaluations, stalls=0)
        self.system: LeastSquares | None = None
        self._threads: int | None = None

    def set_matrix_threads(self, count: int) -> None:
        """Set the number of CPU threads that build and factorise matrices."""
        self._threads = count

    def warm_start(self, former: torch.optim.Optimizer) -> None:
        """Take the damping of a former phase with such a method."""
        if isinstance(former, LeastSquaresOptimizer) and "damping" in former._memory:
            self._memory["damping"] = former._memory["damping"]

    @abstractmethod
    def _build_model(self, system: LeastSquares, gradient: torch.Tensor) -> Model:
        """The model at the present parameters; `gradient` (n,) is J'r."""

    @abstractmethod
    def _find_step(self, closure: Callable[[], torch.Tensor], model: Model, origin: torch.Tensor) -> Trial | str:
        """Try steps from `origin`: the accepted trial, or why there is none. Sets damping and diagnostics."""

    @torch.no_grad()
    def step(self, closure: Callable[[], torch.Tensor]) -> float:  # type: ignore[override]
        """One iteration; returns the objective after it."""
        if self.system is None:
            raise RuntimeError(f"{self.name} has no least-squares problem: set the attribute `system` before a step")
        memory = self._memory
        self.note = None
        before = memory["evaluations"]
        self._evaluate_start(closure)
        if self.finished is not None:
            return memory["loss"]

        model = self._build_model(self.system, memory["gradient"] / 2.0)
        if not math.isfinite(model.scale):
            raise FloatingPointError(
                f"the objective is {memory['loss']:g} but an entry of its Jacobian is not finite at the start of a "
                f"step of {self.name}: a residual has no derivative at these parameters and points"
            )
        first = FIRST_DAMPING * model.scale / memory.get("first_share", 1.0)
        memory["damping"] = max(memory.get("damping", first), (model.least or self._eps) * model.scale)
        origin = self._flat_parameters()
        memory["diagnostics"] = {"step_length": 0.0, "damping": memory["damping"], "gain": math.nan}
        found = self._find_step(closure, model, origin)
        memory["diagnostics"] |= {"evaluations": float(memory["evaluations"] - before), **model.diagnostics()}
        if isinstance(found, str):
            loss = memory["loss"]
            self._set_parameters(origin)
            self._restart_damping(found)
            return loss
        self._accept(found)
        return found.loss

    def _damped_steps(self, closure: Callable[[], torch.Tensor], model: Model, origin: torch.Tensor) -> Trial | str:
        """Trials with increasing damping until one lowers the objective."""
        memory = self._memory
        for _ in range(self._max_evaluations):
            damping = memory["damping"]
            d = model.solve(damping)
            half = memory["gradient"] / 2.0
            square, promise = torch.stack((torch.dot(d, d), torch.dot(d, half))).tolist()
            predicted = promise + damping * square  # |r|^2 - |r - J d|^2
            if not math.isfinite(predicted):
                memory["damping"] = SINGULAR_INCREASE * damping
                continue
            if predicted <= self._eps * memory["loss"]:
                return f"the model predicts a decrease of {predicted:.2g}, which is below rounding"
            trial = self._evaluate_trial(closure, origin, -d)
            if trial.decrease > 0.0:
                memory["diagnostics"] |= {
                    "step_length": math.sqrt(square),
                    "damping": damping,
                    "gain": trial.decrease / predicted,
                }
                memory["damping"] = damping / DAMPING_DECREASE
                return trial
            memory["damping"] = DAMPING_INCREASE * damping
        return f"no step lowered the objective in {self._max_evaluations} trials with increasing damping"

    def _evaluate_trial(self, closure: Callable[[], torch.Tensor], origin: torch.Tensor, change: torch.Tensor) -> Trial:
        """Evaluate at origin + change, where the parameters stay."""
        memory = self._memory
        self._set_parameters(origin + change)
        loss, gradient = self._evaluate(closure)
        value, slopes = torch.stack((loss.to(change.dtype), torch.dot(gradient + memory["gradient"], change))).tolist()
        self._note_missing_gradient(value, slopes)
        if not (math.isfinite(value) and math.isfinite(slopes)):
            return Trial(math.inf, -math.inf, gradient)
        decrease = memory["loss"] - value
        if abs(decrease) <= relative_noise(self._eps) * memory["loss"]:
            decrease = -slopes / 2.0
        return Trial(value, decrease, gradient)

    def _accept(self, trial: Trial) -> None:
        memory = self._memory
        stagnated = memory["loss"] - trial.loss <= self._eps**0.5 * memory["loss"]
        memory["stalls"] = memory["stalls"] + 1 if stagnated else 0
        memory["failures"] = 0
        memory["loss"], memory["gradient"] = trial.loss, trial.gradient
        self._finish_if_flat(float(trial.gradient.abs().max()))
        if memory["stalls"] >= MAX_STAGNANT_STEPS:
            self._finish(
                f"{MAX_STAGNANT_STEPS} steps in a row lowered the objective by less than {self._eps**0.5:.1e} of "
                f"itself: it is at a minimum or at rounding level, {trial.loss:.3g}"
            )

    def _restart_damping(self, reason: str) -> None:
        """Return to the first damping and evaluate again; a second failure in a row ends the run."""
        memory = self._memory
        memory["failures"] += 1
        self.note = reason
        del memory["damping"]
        if memory["failures"] >= MAX_FAILURES:
            self._finish_or_raise(
                f"{MAX_FAILURES} steps of {self.name} failed in a row, the last from the first damping ({reason}); "
                f"the objective is {memory['loss']:.3g}: it is at a minimum or at rounding level. If it is too large, "
                "draw other points, use float64, or continue with another optimizer"
            )
        else:
            self.refresh()
