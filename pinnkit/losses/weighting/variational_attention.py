"""Weights of single points by an exponential of the residuals there."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from pinnkit.losses.settings import WEIGHTINGS
from pinnkit.losses.weighting.residual_attention import ResidualAttention


@WEIGHTINGS.register("variational_attention")
@dataclass(frozen=True)
class VariationalAttention(ResidualAttention):
    """Residual attention with l <- c l + e (f q / max q + 1 - f), q = exp(ln(step + 2) |r| / (a max |r|)), which
    looks at the largest residuals rather than at the mean; q = |r| and f = 1 would be residual attention (vRBA; Toscano
    et al. 2025, arXiv 2509.14198, and the code that its authors published)."""

    sharpness: float = field(default=1.0, metadata={"above": 0.0})
    """a: small ones make the attention to the largest residuals sharper."""
    share: float = field(default=1.0, metadata={"minimum": 0.0, "maximum": 1.0})
    """f: what is left is gained by all points alike."""

    def relative(self, sizes: np.ndarray, step: int) -> np.ndarray:
        below = super().relative(sizes, step) - 1.0
        return self.share * np.exp(math.log(step + 2.0) / self.sharpness * below) + 1.0 - self.share
