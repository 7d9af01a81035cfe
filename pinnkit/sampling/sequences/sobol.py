"""Scrambled Sobol sequences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pinnkit.sampling.settings import SAMPLERS, Sampling


@SAMPLERS.register("sobol")
@dataclass(frozen=True)
class Sobol(Sampling):
    """The first points of a scrambled Sobol sequence (Owen 1995), which are evenly spread."""

    def unit(self, count: int, dimension: int, rng: np.random.Generator) -> np.ndarray:
        from scipy.stats import qmc  # which takes its time to load

        power = (count - 1).bit_length()  # Sobol points come in powers of two; the first `count` are kept
        return qmc.Sobol(dimension, scramble=True, rng=rng).random_base2(power)[:count]
