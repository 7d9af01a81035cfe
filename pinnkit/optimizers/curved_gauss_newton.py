"""Levenberg-Marquardt steps along curves, with orthogonal factorisations in the place of J'J.

Transtrum and Sethna 2012 (arXiv 1201.5885), of whose geodesic acceleration the curve is the continuation; Allgower and
Georg, Numerical Continuation Methods (1990), for predictor and corrector.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
from torch import Tensor

from pinnkit.optimizers.damped_qr import DampedQR, HouseholderQR
from pinnkit.optimizers.gauss_newton import condition
from pinnkit.optimizers.least_squares import LeastSquares, LeastSquaresOptimizer, Model, Trial
from pinnkit.optimizers.sample_space import JacobianTooLargeError
from pinnkit.optimizers.threads import torch_threads

STAGES = (0.05, 0.15, 0.3, 0.5, 0.75)
"""The shares s of the residual at which the curve is corrected before its end, s = 1."""
CORRECTIONS = 2
"""Corrections at each of them."""
END_CORRECTIONS = 12
"""Corrections at the end, at most."""
END_PROGRESS = 0.9
"""The factor on the damped objective above which another correction there does not pay."""
LOST = 1e3
"""The factor on the objective from which on a curve has left the region of its linearisation."""
BOLDER = 3.0
"""Divisor of the damping for a bolder trial; its square and its cube after one, two that were taken."""
JUMPS = (3.0, 27.0, 243.0)
"""Divisors for the bolder trials after refused ones, in turn: there may be a way past a damping whose curve is lost."""
DAMPING_UP = 4.0
"""Factor on the damping after a refused trial."""
LONGEST_WAIT = 4
"""Steps without a bolder trial, at most, after such trials were refused."""


class CurvedModel(Model):
    """r and J = Q R at the present parameters, and the factorisation for the present damping."""

    def __init__(self, r: Tensor, jacobian: Tensor, threads: int | None = None) -> None:
        self._threads = threads
        self.scale = float(torch.linalg.vector_norm(jacobian, dim=0).max()) ** 2  # largest diagonal entry of J'J
        self.least = torch.finfo(r.dtype).eps ** 2
        self.r = r
        if math.isfinite(self.scale):
            with torch_threads(threads):
                self._factor = HouseholderQR(jacobian)
        self._damped: DampedQR | None = None

    def factorise(self, damping: float) -> None:
        """Take this damping from now on."""
        with torch_threads(self._threads):
            self._damped = DampedQR(self._factor.triangle, damping)

    def solve(self, damping: float) -> Tensor:
        self.factorise(damping)
        return self.correction(self.r)

    def correction(self, r: Tensor, d: Tensor | None = None) -> Tensor:
        """The c (n,) of least |r - J c|^2 + mu |d + c|^2 with J at the start of the step; d: (n,), None: zero."""
        assert self._damped is not None
        with torch_threads(self._threads):
            return self._damped.solution(self._factor.rotated(r), None if d is None else -d)

    def predicted(self, d: Tensor, damping: float) -> float:
        """|r|^2 - |r - J d|^2 where d is the solution for this damping."""
        z = self._factor.rotated(self.r)
        return float(torch.dot(self._factor.triangle @ d, z) + damping * torch.dot(d, d))

    def diagnostics(self) -> dict[str, float]:
        return {} if self._damped is None else {"condition": condition(self._damped.diagonal)}


class Curve(NamedTuple):
    """The end of a curve: the step d (n,), the objective there, the damping, and what the linear model predicts."""

    d: Tensor
    loss: float
    damping: float
    predicted: float


class CurvedGaussNewton(LeastSquaresOptimizer):
    """Levenberg-Marquardt whose steps follow the curve on which the residual itself falls, not its linear model.

    The step of Levenberg-Marquardt, d = (J'J + mu I)^-1 J'r, is limited by how soon r(theta - d) leaves r - J d, and on
    a PINN this allows a decrease by a few per cent while J costs as much as a hundred evaluations of r. So d follows

        d(s) = argmin |r(theta - d) - (1 - s) r(theta)|^2 + mu |d|^2,    s from 0 to 1,

    whose tangent at s = 0 is that step and whose curvature there is geodesic acceleration. At each s of `STAGES` a
    polynomial through the points before predicts d(s), and two chord steps c = argmin |e - J c|^2 + mu |d + c|^2, e the
    present misfit, correct it: with J of the start, so each costs one evaluation of r and two triangular solutions. At
    s = 1 chord steps go on while they pay.

    J = Q R (`HouseholderQR`), and [R; sqrt(mu) I] is factorised for each mu (`DampedQR`), so that directions count down
    to singular values of eps times the largest; with J'J they are lost below sqrt(eps) of it.

    Where residuals stay large such chord steps need not converge, and where the straight step ends lower it is taken.

    The damping: a curve that ends with a lower objective is accepted. Then one with a third of the damping is tried and
    taken if it ends lower (a ninth, a 27th after others were taken); where it does not, the next steps omit such a
    trial (1, 2, 4 of them), and the next ones divide by 3, 27, 243 in turn. A curve that does not
    lower the objective is tried again with four times the damping, at most `max_evaluations` times.

    Memory: 2 N n + 4 n^2 numbers; operations: 2 N n^2 for J, 2/3 n^3 for a damping.

    Diagnostics hold `residual_evaluations` too, and `gain` compares with the linear model.

    `step` raises JacobianTooLargeError, before it computes J, where the memory would be more than `max_bytes`.

    Raises ValueError at construction for more than `max_parameters` parameters.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        *,
        max_parameters: int = 6000,
        max_bytes: float = 8e9,
        max_evaluations: int = 25,
    ) -> None:
        super().__init__(parameters, "gauss_newton", max_evaluations)
        self._max_bytes = max_bytes
        self._residual_evaluations = 0
        if self._n > max_parameters:
            gigabytes = 4 * self._n**2 * self._parameters[0].element_size() / 1e9
            raise ValueError(
                f"gauss_newton would factorise matrices of {self._n} columns (four of {self._n} x {self._n} take "
                f"{gigabytes:.3g} GB), and max_parameters = {max_parameters}: use a smaller network, raise "
                "max_parameters if memory and time allow, or take engd_w or spring (matrices of the points), "
                "gauss_newton_cg (products only), lbfgs or adam"
            )

    def _build_model(self, system: LeastSquares, gradient: Tensor) -> CurvedModel:
        samples, n = system.rows_shape()
        needed = (2 * max(samples, n) * n + 4 * n**2) * self._parameters[0].element_size()
        if needed > self._max_bytes:
            raise JacobianTooLargeError(
                f"gauss_newton would keep J, {samples} x {n}, with its factorisations ({needed / 1e9:.3g} GB), and "
                f"max_bytes = {self._max_bytes:.3g}: draw fewer points, raise max_bytes if that memory is there, or "
                "take solver=gram (n x n matrices), gauss_newton_cg (products only), lbfgs or adam"
            )
        _, jacobian = system.rows()
        self._residual_evaluations = 0
        return CurvedModel(self._residuals(system, self._flat_parameters()), jacobian, self._threads)

    def _find_step(self, closure: Callable[[], Tensor], model: Model, origin: Tensor) -> Trial | str:
        assert isinstance(model, CurvedModel)
        assert self.system is not None
        memory, system = self._memory, self.system
        start = float(torch.dot(model.r, model.r))
        best, tries = None, 0
        while best is None:
            if tries == self._max_evaluations:
                return f"no step lowered the objective in {tries} trials with increasing damping"
            damping = memory["damping"]
            curve = self._curve(system, model, origin, damping, start)
            tries += 1
            if isinstance(curve, str):
                return curve
            if curve is None:
                memory["damping"] = DAMPING_UP * damping
            else:
                best = curve
        if tries == 1 and self._try_bolder():
            bolder = self._curve(system, model, origin, best.damping / memory["bolder"], best.loss)
            if isinstance(bolder, Curve):
                best, memory["wait"], memory["refused"] = bolder, 0, 0
                memory["bolder"] = min(BOLDER * memory["bolder"], BOLDER**3)
            else:
                memory["wait"] = min(2 * memory["wait"] or 1, LONGEST_WAIT)
                memory["bolder"] = JUMPS[memory["refused"] % len(JUMPS)]
                memory["refused"] += 1
            memory["waited"] = 0
        memory["damping"] = best.damping
        memory["diagnostics"] |= {
            "step_length": float(best.d.norm()),
            "damping": best.damping,
            "gain": (start - best.loss) / best.predicted,
            "residual_evaluations": float(self._residual_evaluations),
        }
        trial = self._evaluate_trial(closure, origin, -best.d)
        if not math.isfinite(trial.decrease):
            return "the objective or its gradient is not finite where the residuals are smaller"
        return trial

    def _try_bolder(self) -> bool:
        """Whether this step tries a smaller damping after one that was accepted."""
        memory = self._memory
        waited = memory.setdefault("waited", 0)
        memory.setdefault("wait", 0)
        memory.setdefault("bolder", BOLDER)
        memory.setdefault("refused", 0)
        memory["waited"] = waited + 1
        return waited >= memory["wait"]

    def _residuals(self, system: LeastSquares, point: Tensor) -> Tensor:
        """r (N,) at these parameters, where they stay."""
        self._set_parameters(point)
        self._residual_evaluations += 1
        return system.residuals()

    def _curve(
        self, system: LeastSquares, model: CurvedModel, origin: Tensor, damping: float, below: float
    ) -> Curve | str | None:
        """The end of the curve for this damping, or that of the straight step where it is lower.

        None where the objective is not below `below` at either. A text says why no damping can lower the objective.
        """
        tangent = model.solve(damping)
        predicted = model.predicted(tangent, damping)
        start = float(torch.dot(model.r, model.r))
        if not math.isfinite(predicted):
            return None
        if predicted <= self._eps * start:
            return f"the model predicts a decrease of {predicted:.2g}, which is below rounding"
        straight = self._residuals(system, origin - tangent)
        loss = float(torch.dot(straight, straight))
        d, found = self._followed(system, model, origin, tangent, damping)
        if not found <= loss:
            d, found = tangent, loss
        return Curve(d, found, damping, predicted) if found < below else None

    def _followed(
        self, system: LeastSquares, model: CurvedModel, origin: Tensor, tangent: Tensor, damping: float
    ) -> tuple[Tensor, float]:
        """The end of the curve and the objective there, infinite where it is lost on the way."""
        start = float(torch.dot(model.r, model.r))
        shares, slopes = [0.0], [tangent]  # d(s) / s
        for share in STAGES:
            d = share * interpolated(shares, slopes, share)
            for _ in range(CORRECTIONS):
                misfit = self._residuals(system, origin - d) - (1.0 - share) * model.r
                if not float(torch.dot(misfit, misfit)) <= LOST * start:
                    return d, math.inf
                d = d + model.correction(misfit, d)
            shares.append(share)
            slopes.append(d / share)
        return self._corrected(system, model, origin, interpolated(shares, slopes, 1.0), damping, LOST * start)

    def _corrected(
        self, system: LeastSquares, model: CurvedModel, origin: Tensor, d: Tensor, damping: float, largest: float
    ) -> tuple[Tensor, float]:
        """Chord steps from d (n,) for |r(theta - d)|^2 + mu |d|^2 while they lower it; the last d, and |r|^2 there."""
        r = self._residuals(system, origin - d)
        loss = float(torch.dot(r, r))
        damped = loss + damping * float(torch.dot(d, d))
        if not loss <= largest:
            return d, math.inf
        for _ in range(END_CORRECTIONS):
            moved = d + model.correction(r, d)
            found = self._residuals(system, origin - moved)
            objective = float(torch.dot(found, found))
            total = objective + damping * float(torch.dot(moved, moved))
            if not total < damped:
                break
            progress, d, r, loss, damped = total / damped, moved, found, objective, total
            if progress > END_PROGRESS:
                break
        return d, loss


def interpolated(places: list[float], values: list[Tensor], at: float) -> Tensor:
    """The polynomial through the values at these places, at another one."""
    total = torch.zeros_like(values[0])
    for number, (place, value) in enumerate(zip(places, values, strict=True)):
        weight = math.prod((at - one) / (place - one) for k, one in enumerate(places) if k != number)
        total = total + weight * value
    return total
