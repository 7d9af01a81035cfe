"""Linear differential operators that engines apply to outputs of a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from torch import Tensor

Axes: TypeAlias = tuple[int, ...]
"""Axes of differentiation in increasing order: (0, 0, 1) is d^3/dx0^2 dx1; () is the function itself."""


@dataclass(frozen=True)
class LinearCombination:
    """The operator sum over i of c_i d^axes_i, with c_i given by their index in the list of coefficients.

    Taylor mode propagates it as one quantity instead of one for each derivative.
    """

    terms: tuple[tuple[Axes, int], ...]

    def __post_init__(self) -> None:
        if not all(axes for axes, _ in self.terms):
            raise ValueError("a LinearCombination takes derivatives of order 1 or more; add the value, (), outside")


@dataclass(frozen=True)
class SampledLaplacian:
    """The sum of second derivatives along sampled directions v_k: sum over k of d^2/dv_k^2.

    With directions whose v_k v_k' sum to the identity in expectation, an unbiased estimate of the Laplacian.
    `sample` is the index of the (k, d) directions in the list of samples.
    """

    sample: int


Derivative: TypeAlias = tuple[int, Axes | LinearCombination | SampledLaplacian]
"""(output j, operator applied to it)."""

Coefficient: TypeAlias = float | Tensor
"""A number, a scalar tensor, or one number a point, (n, 1)."""


@dataclass(frozen=True)
class OperatorData:
    """Coefficients of linear combinations and sampled directions, (k, d) each."""

    coefficients: Sequence[Coefficient] = ()
    directions: Sequence[Tensor] = ()


NO_DATA = OperatorData()
