"""The solution of a run: its fields at any points, its metrics and its folder."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pinnkit.problem.problem import Problem
from pinnkit.runs import evaluation
from pinnkit.runs.threads import single_thread_if_small
from pinnkit.settings import Settings
from pinnkit.training.module import PINN

ROUNDING = 1e-9
"""The share of a coordinate's range by which a point may lie outside it without a warning."""


@dataclass(frozen=True)
class Solution:
    """A trained network with the status, the metrics, the folder and the settings of its run.

    `solution(x=..., t=...)` gives every field at arrays of points, broadcast to one shape, as NumPy arrays by name. It
    warns of points outside the domain, where the network was not trained, and of coordinates that are NaN.

    `settings` are those of the run, with every default that depends on the problem filled in.
    """

    status: str
    metrics: Mapping[str, Any]
    folder: Path | None
    module: PINN
    settings: Settings

    @property
    def problem(self) -> Problem:
        """The problem as it was solved."""
        return self.module.problem

    def __call__(self, **coordinates: Any) -> dict[str, np.ndarray]:
        names = self.problem.coordinates
        if set(coordinates) != set(names):
            raise ValueError(f"coordinates {', '.join(coordinates)} were given: {', '.join(names)} are needed")
        given = {name: np.asarray(coordinates[name], dtype=np.float64) for name in names}
        for name, values in given.items():
            self._warn(name, values)
        arrays = np.broadcast_arrays(*given.values())
        self._warn_of_shape(arrays)
        with single_thread_if_small(self.problem, self.settings):  # as in the run: sums depend on it
            return evaluation.predict(self.module, dict(zip(names, arrays, strict=True)))

    def _warn_of_shape(self, arrays: Sequence[np.ndarray]) -> None:
        """Warn of points within the ranges of the coordinates but outside the domain, where it is no box."""
        domain = self.problem.domain
        points = np.stack([values.ravel() for values in arrays], axis=1)
        slack = ROUNDING * (domain.upper - domain.lower)
        in_ranges = np.all((points >= domain.lower - slack) & (points <= domain.upper + slack), axis=1)
        outside = np.flatnonzero(in_ranges & ~domain.contains(points, slack))
        if len(outside):
            worst = points[outside[np.argmin(domain.distance(points[outside]))]]
            place = ", ".join(f"{name} = {value:.6g}" for name, value in zip(domain.coordinates, worst, strict=True))
            message = (
                f"{place} lies outside the domain, {domain.description} ({len(outside)} of {len(points)} points do): "
                "the fields there are extrapolated, and may be far off"
            )
            warnings.warn(message, UserWarning, stacklevel=3)

    def _periodic(self, name: str) -> bool:
        """Whether every field that depends on a coordinate is periodic in it."""
        return all(name in self.problem.periods(one) for one in self.problem.fields if name in one.coordinates)

    def _warn(self, name: str, values: np.ndarray) -> None:
        lower, upper = self.problem.domain.bounds[name]
        unknown = int(np.isnan(values).sum())
        if unknown:
            message = f"{name} is NaN at {unknown} of {values.size} points, and so are the fields there"
            warnings.warn(message, UserWarning, stacklevel=3)
        slack = ROUNDING * (upper - lower)
        outside = values[(values < lower - slack) | (values > upper + slack)]
        if outside.size and (not self._periodic(name) or not np.isfinite(outside).all()):
            worst = outside[np.argmax(np.maximum(lower - outside, outside - upper))]
            message = (
                f"{name} = {worst:.6g} lies outside [{lower:.6g}, {upper:.6g}], where the network was trained "
                f"({outside.size} of {values.size} points do): the fields there are extrapolated, and may be far off"
            )
            warnings.warn(message, UserWarning, stacklevel=3)
