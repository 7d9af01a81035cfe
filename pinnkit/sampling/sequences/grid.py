"""Tensor grids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pinnkit.sampling.settings import SAMPLERS, Sampling, even_indices


@SAMPLERS.register("grid")
@dataclass(frozen=True)
class TensorGrid(Sampling):
    """Midpoints of a tensor grid with at least `count` cells, thinned evenly to `count`."""

    fixed: ClassVar[bool] = True

    def unit(self, count: int, dimension: int, rng: np.random.Generator) -> np.ndarray:
        side = int(np.ceil(round(count ** (1 / dimension), 9)))
        axis = (np.arange(side) + 0.5) / side
        cells = np.stack(np.meshgrid(*[axis] * dimension, indexing="ij"), axis=-1).reshape(-1, dimension)
        return cells[even_indices(len(cells), count)]
