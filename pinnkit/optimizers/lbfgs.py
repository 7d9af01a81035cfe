"""L-BFGS: the inverse Hessian of BFGS from the last pairs (s, y), without a matrix.

Liu and Nocedal, Math. Program. 45 (1989); Nocedal and Wright, Numerical Optimization (2006), algorithm 7.4.
Unlike `torch.optim.LBFGS` it has no absolute bound on y's, so it does not depend on the unit of the loss.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch

from pinnkit.optimizers.quasi_newton import QuasiNewton


class LBFGS(QuasiNewton):
    """Quasi-Newton steps with H from the last `history` pairs s, y, the newest last:

        H_0 = (y's / y'y) I, of the newest pair,
        H <- (I - s y' / y's) H (I - y s' / y's) + s s' / y's    for each pair in turn,

    applied to a gradient by the two-loop recursion, in 4 n operations a pair and 2 history n numbers of memory.
    A pair whose y's is not above its own rounding error is skipped.

    Attributes:
        history: largest number of pairs.
        diagnostics: those of `QuasiNewton`, and pairs, their number.

    Raises ValueError at construction for a history below 1.
    """

    def __init__(
        self,
        parameters: Iterable[torch.Tensor],
        history: int = 50,
        *,
        gradient_tolerance: float = 0.0,
        max_evaluations: int = 25,
    ) -> None:
        if history < 1:
            raise ValueError(f"history = {history}: at least 1 is needed")
        super().__init__(parameters, "lbfgs", gradient_tolerance, max_evaluations)
        self.history = history

    def _direction(self, gradient: torch.Tensor) -> torch.Tensor | None:
        memory = self._memory
        if not memory.get("s"):
            return None
        direction = -gradient
        pairs = list(zip(memory["s"], memory["y"], memory["ys"], strict=True))
        weights = []
        for s, y, ys in reversed(pairs):
            weight = torch.dot(s, direction) / ys
            direction.addcmul_(y, weight, value=-1.0)
            weights.append(weight)
        direction.mul_(memory["scale"])
        for (s, y, ys), weight in zip(pairs, reversed(weights), strict=True):
            direction.addcmul_(s, weight - torch.dot(y, direction) / ys)
        return direction

    def _reset_curvature(self) -> None:
        for name in ("s", "y", "ys", "scale"):
            self._memory.pop(name, None)

    def _update_curvature(
        self, step: float, direction: torch.Tensor, old: torch.Tensor, new: torch.Tensor
    ) -> dict[str, float]:
        """Append the pair s, y, and drop the oldest one beyond `history`."""
        memory = self._memory
        s, y, ys, yy, ss, reliable = self._curvature_pair(step, direction, old, new)
        kept = memory.setdefault("s", []), memory.setdefault("y", []), memory.setdefault("ys", [])
        if not reliable:
            return {"curvature": math.nan, "pairs": float(len(kept[0]))}
        for values, value in zip(kept, (s, y, ys), strict=True):
            values.append(value)
            del values[: -self.history]
        memory["scale"] = ys / yy
        return {"curvature": ys / ss, "pairs": float(len(kept[0]))}
