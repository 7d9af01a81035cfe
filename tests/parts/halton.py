"""Halton sequences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pinnkit.sampling.settings import SAMPLERS, Sampling


@SAMPLERS.register("halton")
@dataclass(frozen=True)
class Halton(Sampling):
    """The first points of a scrambled Halton sequence (Owen 2017, arXiv 1706.02808)."""

    def unit(self, count: int, dimension: int, rng: np.random.Generator) -> np.ndarray:
        from scipy.stats import qmc

        return qmc.Halton(dimension, rng=rng).random(count)
