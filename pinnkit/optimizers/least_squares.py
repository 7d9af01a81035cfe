"""What the Gauss-Newton methods share: the problem they ask, trial steps with an adaptive damping, and how they end.

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

FIRST_DAMPING = 1e-3  # times the scale of J'J
DAMPING_INCREASE = 2.0  # factor on the damping after a trial that was refused,
DAMPING_DECREASE = 10.0  # and its divisor before the next step: more than DAMPING_INCREASE, so a step seeks the least damping that works
SINGULAR_INCREASE = 10.0  # factor on the damping where the matrix was numerically not positive definite
MAX_FAILURES = 2
MAX_STAGNANT_STEPS = 10
STRIPS = 4  # of a symmetric matrix


class LeastSquares(Protocol):
    """The objective |r|^2 at the present parameters: r (N,), J = dr/dtheta (N, n). Each call computes it afresh."""

    def gram(self) -> tuple[torch.Tensor, torch.Tensor]:
        """J'J (n, n), which the caller may overwrite, and J'r (n,)."""

    def rows(self) -> tuple[torch.Tensor, torch.Tensor]:
        """r (N,) and J (N, n)."""

    def rows_shape(self) -> tuple[int, int]:
        """(N, n) of J, without computing it."""

    def product(self, vector: torch.Tensor) -> torch.Tensor:
        """J'J v (n,)."""


class Model(ABC):
    """The objective near the present parameters as the model |r - J d|^2, with all that trials of a step share."""

    scale: float
    """Of the order of the largest eigenvalue of J'J: the damping is seen relative to it."""

    @abstractmethod
    def solve(self, damping: float) -> torch.Tensor:
        """d (n,) with (J'J + damping I) d = J'r; NaN where the matrix is numerically not positive definite."""

    @abstractmethod
    def diagnostics(self) -> dict[str, float]:
        """Of the last solution: `condition`, an estimate of that of the damped matrix, and those of the method."""


def lower_product(matrix: torch.Tensor) -> torch.Tensor:
    """The lower triangle of matrix matrix' (N, N), and little more; zeros elsewhere. matrix: (N, n)."""
    size = len(matrix)
    found = matrix.new_zeros(size, size)
    edges = [size * strip // STRIPS for strip in range(STRIPS + 1)]
    for start, stop in itertools.pairwise(edges):
        torch.mm(matrix[start:stop], matrix[:stop].T, out=found[start:stop, :stop])
    return found


class Trial(NamedTuple):
    """A point that was tried, and how far it lies below the present one; -inf where it is not finite."""

    loss: float
    decrease: float
    gradient: torch.Tensor


class LeastSquaresOptimizer(DeterministicOptimizer):
    """Minimise |r|^2 by steps theta - d, where d solves the linearised problem, damped.

    Set `system` before each `step(closure)`. The closure (see `DeterministicOptimizer`) computes the objective and leaves its
    gradient 2 J'r in the parameters; it is called for trial points. The damping outlives a `refresh()`.

    Trial and damping mu: a trial is taken if it lowers the objective at all. If not, mu is doubled and tried again
    with the same J; after a step mu is divided by ten. So every step is made with about the least mu that works.
    That is worth its three or four trials: on a PINN for the heat equation, to follow the gain ratio (Nielsen 1999) or
    to seek the mu of the largest decrease left mu, and the objective after 60 steps, larger by orders of magnitude.

    Rounding: where two objectives differ by less than eps^0.4 of themselves the decrease is taken from the slopes
    at both ends of the trial (trapezoidal rule), as rounding reaches those much later (Hager and Zhang, SIAM J.
    Optim. 16, 2005). A step that promises less than eps |r|^2, or whose trials are all refused, has failed: mu
    starts again, and the objective is evaluated again. Two failures in a row, or ten steps in a row that lower the
    objective by less than eps^0.5 of itself, end the run: `finished` says so, and then a step does nothing.

    Several processes take the same decisions only if the system too gives each the same numbers.

    Attributes:
        system: the problem at the present parameters, a `LeastSquares`.
        diagnostics: of the last step: step_length (Euclidean length of the change of the parameters; 0 after a
            failure), evaluations, damping (mu), gain (decrease / decrease that the model predicts), condition (of
            the damped matrix, estimated), and those of the method.

    Raises as `DeterministicOptimizer`. `step` raises RuntimeError where `system` is None, and FloatingPointError where the
    objective, its gradient or J is not finite before any trial.
    """

    def __init__(self, parameters: Iterable[torch.Tensor], name: str, max_evaluations: int) -> None:
        super().__init__(parameters, name, max_evaluations, stalls=0)
        self.system: LeastSquares | None = None
        self._threads: int | None = None

    def set_matrix_threads(self, count: int) -> None:
        """Build and factorise matrices on so many threads of a CPU, whatever the residuals are evaluated on."""
        self._threads = count

    def warm_start(self, former: torch.optim.Optimizer) -> None:
        """Go on with the damping of another phase of these methods."""
        if isinstance(former, LeastSquaresOptimizer) and "damping" in former._memory:
            self._memory["damping"] = former._memory["damping"]

    @abstractmethod
    def _build_model(self, system: LeastSquares, gradient: torch.Tensor) -> Model:
        """The model at the present parameters; `gradient` (n,) is J'r."""

    @abstractmethod
    def _find_step(self, closure: Callable[[], torch.Tensor], model: Model, origin: torch.Tensor) -> Trial | str:
        """Try steps from `origin`: the trial to keep, or in words why there is none. Sets damping and diagnostics."""

    @torch.no_grad()
    def step(self, closure: Callable[[], torch.Tensor]) -> float:
        """One iteration; returns the objective after it."""
        if self.system is None:
            raise RuntimeError(f"{self.name} needs its least-squares problem: set the attribute `system` before a step")
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
        # Without the lower bound mu would be lost in the rounding of the diagonal.
        first = FIRST_DAMPING * model.scale / memory.get("first_share", 1.0)
        memory["damping"] = max(memory.get("damping", first), self._eps * model.scale)
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
        """Trials with more and more damping until one lowers the objective."""
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
                return f"the model promises a decrease of {predicted:.2g} only, which is below rounding"
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
        return f"no step lowered the objective in {self._max_evaluations} trials with more and more damping"

    def _evaluate_trial(self, closure: Callable[[], torch.Tensor], origin: torch.Tensor, change: torch.Tensor) -> Trial:
        """Evaluate at origin + change, and leave the parameters there."""
        memory = self._memory
        self._set_parameters(origin + change)
        loss, gradient = self._evaluate(closure)
        value, slopes = torch.stack((loss.to(change.dtype), torch.dot(gradient + memory["gradient"], change))).tolist()
        self._note_missing_gradient(value, slopes)
        if not (math.isfinite(value) and math.isfinite(slopes)):
            return Trial(math.inf, -math.inf, gradient)
        decrease = memory["loss"] - value
        if abs(decrease) <= self._eps**0.4 * memory["loss"]:
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
                f"{MAX_STAGNANT_STEPS} steps in a row lowered the objective by less than {self._eps**0.5:.1e} of itself: "
                f"it is at a minimum or at rounding level, {trial.loss:.3g}"
            )

    def _restart_damping(self, reason: str) -> None:
        """Start again with the first damping and a fresh evaluation; the second failure in a row ends the run."""
        memory = self._memory
        memory["failures"] += 1
        self.note = reason
        del memory["damping"]
        if memory["failures"] >= MAX_FAILURES:
            self._finish_or_raise(
                f"{MAX_FAILURES} steps of {self.name} failed in a row, the last from the first damping ({reason}); "
                f"the objective is {memory['loss']:.3g}: it is at a minimum or at rounding level. If that is too "
                "large: draw other points, use float64, or go on with another optimizer"
            )
        else:
            self.refresh()
