"""Random features: a hidden layer that is a function of a seed, of which only the output layer is solved for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor, nn
from torch.fx.experimental.proxy_tensor import get_proxy_mode

KINDS = ("tanh", "sin")
"""Functions phi of a feature."""


@dataclass(frozen=True)
class Features:
    """What features are drawn: u_k(p) = sum over j of c_jk phi(w_j . s(p) + b_j), with s(p) the coordinates scaled to
    [-1, 1].

    Attributes:
        kind: phi.
        count: how many.
        ranges: R of each coordinate; w_j is uniform in [-R, R], or a whole number of periods.
        lower, upper: the box that is scaled, d each.
        columns: the indices of the coordinates that they depend on.
        periodic: which of these columns they are periodic in, which asks for sin.
        logarithmic: which count by their logarithm.
        interval: (index of a coordinate, lower, upper): zero outside; None: everywhere.
        states: the indices of outputs of the network beneath that they depend on too, behind the coordinates in
            ranges, lower and upper; of inverted coordinates where there is an inversion.
        inversion: center and radius R (m + 1 numbers) of the hole by which m coordinates are inverted,
            q = c + R^2 (p - c) / |p - c|^2; (): none are.
        inverted: the indices of these coordinates.
        seed: of the weights.
    """

    kind: str
    count: int
    ranges: tuple[float, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    columns: tuple[int, ...]
    seed: int
    periodic: tuple[int, ...] = ()
    logarithmic: tuple[int, ...] = ()
    interval: tuple[int, float, float] | None = None
    states: tuple[int, ...] = ()
    inversion: tuple[float, ...] = ()
    inverted: tuple[int, ...] = ()


class RandomFeatures(nn.Module):
    """Features as a module, with a coefficient for each feature and output.

    tanh features have b_j such that the plane w_j . s + b_j = 0 passes through a random point of the box, sin features
    have b_j uniform in [0, 2 pi).

    Args:
        places: points (k, d) that the planes of tanh features pass through; None: they pass anywhere.

    Shape: all coordinates (n, d) -> (n, outputs).

    Source: Rahimi and Recht 2008; for differential equations Dong and Li 2021 (arXiv 2012.02895).
    """

    weight: Tensor
    offset: Tensor

    def __init__(
        self,
        features: Features,
        outputs: int,
        dtype: torch.dtype = torch.float64,
        places: np.ndarray | None = None,
    ) -> None:
        super().__init__()
        self.features = features
        weight, offset = _drawn(features)
        if places is not None and len(places):
            _locate(features, weight, offset, places)
        self.register_buffer("weight", torch.as_tensor(weight).to(dtype))
        self.register_buffer("offset", torch.as_tensor(offset).to(dtype))
        self.coefficients = nn.Parameter(torch.zeros(features.count, outputs, dtype=dtype))

    def forward(self, points: Tensor, outputs: Tensor | None = None) -> Tensor:
        inside = self.inside(points)
        if inside is None:
            return self.orders(points, 0, outputs)[0] @ self.coefficients
        if _recorded():  # a recorded program has no shapes that depend on values
            return torch.where(inside[:, None], self.orders(points, 0, outputs)[0] @ self.coefficients, 0.0)
        index = inside.nonzero()[:, 0]
        values = self.orders(points[index], 0, None if outputs is None else outputs[index])[0] @ self.coefficients
        return values.new_zeros(len(points), self.coefficients.shape[1]).index_copy(0, index, values)

    def inside(self, points: Tensor) -> Tensor | None:
        """Mask (n,) of the points where they are not zero; None: all."""
        if self.features.interval is None:
            return None
        axis, lower, upper = self.features.interval
        return (points[:, axis] >= lower) & (points[:, axis] < upper)

    def inverse(self, points: Tensor) -> Tensor:
        """The inverted coordinates, (n, m); finite, no more, within half the radius, where there is no such field."""
        *center, radius = self.features.inversion
        middle = torch.tensor(center, dtype=points.dtype, device=points.device)
        away = points[:, list(self.features.inverted)] - middle
        return middle + radius**2 * away / away.square().sum(dim=1, keepdim=True).clamp(min=radius**2 / 4)

    def orders(self, points: Tensor, highest: int, outputs: Tensor | None = None) -> list[Tensor]:
        """phi and its derivatives by its argument up to an order, (n, count) each.

        Args:
            outputs: (n, outputs) of the network beneath, where they depend on them.
        """
        inputs = points[:, list(self.features.columns)]
        for place in self.features.logarithmic:
            inputs = torch.cat([inputs[:, :place], inputs[:, place : place + 1].log(), inputs[:, place + 1 :]], dim=1)
        if self.features.states:
            outputs = self.inverse(points) if self.features.inversion else outputs
            assert outputs is not None
            inputs = torch.cat([inputs, outputs[:, list(self.features.states)]], dim=1)
        argument = torch.addmm(self.offset, inputs, self.weight)
        if self.features.kind == "sin":
            found = [argument.sin()]
            if highest:
                found.append(argument.cos())
            return found + [
                -found[0] if order % 4 == 2 else -found[1] if order % 4 == 3 else found[order % 4]
                for order in range(2, highest + 1)
            ]
        value = argument.tanh()
        return [value, *(_horner(tanh_polynomial(order), value) for order in range(1, highest + 1))]

    def monomials(self, axes: Sequence[tuple[int, ...]]) -> Tensor:
        """The products of weights that derivatives by coordinates bring, (derivatives, count)."""
        rows = []
        places = {index: place for place, index in enumerate(self.features.columns)}
        for one in axes:
            row = torch.ones_like(self.offset)
            for index in one:
                row = row * self.weight[places[index]] if index in places else torch.zeros_like(row)
            rows.append(row)
        return torch.stack(rows)


def _recorded() -> bool:
    """Whether what runs is recorded, or mapped over points, rather than computed."""
    mapped = torch._C._functorch.peek_interpreter_stack() is not None
    return mapped or torch.compiler.is_compiling() or torch.jit.is_tracing() or get_proxy_mode() is not None


def _drawn(features: Features) -> tuple[np.ndarray, np.ndarray]:
    """Weights (d, count) and offsets (count,) that act on the coordinates as they are."""
    rng = np.random.Generator(np.random.Philox(key=features.seed))
    size = len(features.columns) + len(features.states)
    uniform = rng.random((features.count, 2 * size + 1))
    lower, upper = np.array(features.lower), np.array(features.upper)
    for place in features.logarithmic:
        lower[place], upper[place] = math.log(lower[place]), math.log(upper[place])
    half, middle = (upper - lower) / 2, (upper + lower) / 2
    weight = (2 * uniform[:, :size] - 1) * np.array(features.ranges)
    for place in features.periodic:  # exp(i pi k s) has the period 2 of the scaled coordinate
        weight[:, place] = np.pi * np.rint(weight[:, place] / np.pi)
    if features.kind == "sin":
        offset = 2 * np.pi * uniform[:, -1]
    else:
        offset = -(weight * (2 * uniform[:, size : 2 * size] - 1)).sum(axis=1)
    return (weight / half).T.copy(), offset - weight @ (middle / half)


def _locate(features: Features, weight: np.ndarray, offset: np.ndarray, places: np.ndarray) -> None:
    """Let the planes of the features pass through the places, one after the other."""
    own = places[np.arange(len(offset)) % len(places)][:, list(features.columns)].T.copy()
    assert not features.states
    for place in features.logarithmic:
        own[place] = np.log(own[place])
    offset[:] = -(weight * own).sum(axis=0)


@lru_cache(maxsize=16)
def tanh_polynomial(order: int) -> tuple[float, ...]:
    """The derivative of tanh as a polynomial in y = tanh, lowest power first.

    >>> tanh_polynomial(1), tanh_polynomial(2)
    ((1.0, 0.0, -1.0), (0.0, -2.0, 0.0, 2.0))
    """
    found = np.polynomial.Polynomial([0.0, 1.0])
    for _ in range(order):
        found = found.deriv() * np.polynomial.Polynomial([1.0, 0.0, -1.0])
    return tuple(float(one) for one in found.coef)


def _horner(coefficients: Sequence[float], y: Tensor) -> Tensor:
    """A polynomial in y with only even or only odd powers."""
    square = y * y
    odd = len(coefficients) % 2 == 0
    used = coefficients[1::2] if odd else coefficients[::2]
    found = torch.full_like(y, used[-1])
    for one in reversed(used[:-1]):
        found = torch.addcmul(torch.full_like(y, one), found, square)
    return found * y if odd else found
