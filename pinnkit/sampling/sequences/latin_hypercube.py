"""Latin hypercube samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pinnkit.sampling.settings import SAMPLERS, Sampling


@SAMPLERS.register("latin_hypercube")
@dataclass(frozen=True)
class LatinHypercube(Sampling):
    """One point in each of `count` slices of every axis (McKay, Beckman, Conover 1979)."""

    def unit(self, count: int, dimension: int, rng: np.random.Generator) -> np.ndarray:
        from scipy.stats import qmc  # which takes its time to load

        return qmc.LatinHypercube(dimension, rng=rng).random(count)
