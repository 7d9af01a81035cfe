"""Independent, uniformly distributed points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pinnkit.sampling.settings import SAMPLERS, Sampling


@SAMPLERS.register("uniform")
@dataclass(frozen=True)
class Uniform(Sampling):
    """Independent points."""

    def unit(self, count: int, dimension: int, rng: np.random.Generator) -> np.ndarray:
        return rng.random((count, dimension))
