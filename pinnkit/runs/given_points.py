"""Points that a user gives: brought to arrays of one shape, with warnings of those outside the domain."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from pinnkit.problem.problem import Problem

ROUNDING = 1e-9
"""The share of a coordinate's range by which a point may lie outside it without a warning."""
CALLER = 4
"""Frames between a warning here and the user's code: the method of a solution, and what it calls."""


def checked_points(problem: Problem, coordinates: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The coordinates as float64 arrays of the shape to which they broadcast, in the problem's order.

    Numbers, lists, NumPy arrays and torch tensors on any device are read. Warns of points outside the domain, where the
    network was not trained, and of coordinates that are NaN.

    Raises:
        ValueError: a coordinate is missing or unknown, is no array of numbers, or they broadcast to no shape.
    """
    names = problem.coordinates
    if set(coordinates) != set(names):
        raise ValueError(f"coordinates {', '.join(coordinates)} were given: {', '.join(names)} are needed")
    given = {name: _array(name, coordinates[name]) for name in names}
    for name, values in given.items():
        _warn_of_range(problem, name, values)
    try:
        arrays = np.broadcast_arrays(*given.values())
    except ValueError:
        shapes = ", ".join(f"{name} {values.shape}" for name, values in given.items())
        raise ValueError(
            f"the shapes of {shapes} do not broadcast to one: give x[:, None] beside t, or one shape"
        ) from None
    _warn_of_shape(problem, arrays)
    return dict(zip(names, arrays, strict=True))


def _array(name: str, values: Any) -> np.ndarray:
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().numpy()
    try:
        array = np.asarray(values)
        if np.iscomplexobj(array):
            raise TypeError("complex numbers")
        return array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} is no array of real numbers: {error}") from None


def _warn_of_shape(problem: Problem, arrays: Sequence[np.ndarray]) -> None:
    """Warn of points within the ranges of the coordinates but outside the domain, where it is no box."""
    domain = problem.domain
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
        warnings.warn(message, UserWarning, stacklevel=CALLER)


def _periodic(problem: Problem, name: str) -> bool:
    """Whether every field that depends on a coordinate is periodic in it."""
    return all(name in problem.periods(one) for one in problem.fields if name in one.coordinates)


def _warn_of_range(problem: Problem, name: str, values: np.ndarray) -> None:
    lower, upper = problem.domain.bounds[name]
    unknown = int(np.isnan(values).sum())
    if unknown:
        message = f"{name} is NaN at {unknown} of {values.size} points, and so are the fields there"
        warnings.warn(message, UserWarning, stacklevel=CALLER)
    slack = ROUNDING * (upper - lower)
    outside = values[(values < lower - slack) | (values > upper + slack)]
    if outside.size and (not _periodic(problem, name) or not np.isfinite(outside).all()):
        worst = outside[np.argmax(np.maximum(lower - outside, outside - upper))]
        message = (
            f"{name} = {worst:.6g} lies outside [{lower:.6g}, {upper:.6g}], where the network was trained "
            f"({outside.size} of {values.size} points do): the fields there are extrapolated, and may be far off"
        )
        warnings.warn(message, UserWarning, stacklevel=CALLER)
