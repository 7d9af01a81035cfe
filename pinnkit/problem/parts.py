"""The frozen parts of a problem: fields, parameters, equations and conditions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sympy

from pinnkit.domains.shape import Shape

TRANSFORMS = ("softplus", "exp", "sigmoid", "tanh", "square")
"""Output transforms that a problem may ask for; `networks.fields` has their formulas."""

Residual = sympy.Expr | Callable[[Any], Any]


@dataclass(frozen=True)
class Field:
    """An unknown function of some of the coordinates; `transform` maps the network's output to its values."""

    name: str
    coordinates: tuple[str, ...]
    transform: str | None = None


@dataclass(frozen=True)
class Parameter:
    """A number in the equations. `learn`: trained, from `value`; `positive`: kept above zero while trained."""

    name: str
    value: float
    learn: bool = False
    positive: bool = False


@dataclass(frozen=True)
class Equation:
    """One equation: its name, its text, and its residual `left - right` (SymPy, or a Python callable).

    `weight`: the factor of its squared residual in the objective, at each point; it may hold whatever an equation may.
    """

    name: str
    text: str
    residual: Residual
    weight: sympy.Expr = sympy.S.One


@dataclass(frozen=True, eq=False)
class Condition:
    """Equations that hold on part of the domain, or at the rows of a data file.

    `places`: the parts of the domain where it holds; `where`: a further inequality; `data`: column name -> values
    (n,), the coordinates among them.
    """

    name: str
    equations: tuple[Equation, ...]
    places: tuple[Shape, ...] = ()
    where: sympy.Basic | None = None
    data: Mapping[str, np.ndarray] = field(default_factory=dict)
    source: str = ""

    def __eq__(self, other: object) -> bool:
        """Equal parts and equal arrays of data, which a dataclass could not compare."""
        if not isinstance(other, Condition):
            return NotImplemented
        mine, theirs = ({**vars(one), "data": list(one.data)} for one in (self, other))
        return mine == theirs and all(np.array_equal(self.data[name], other.data[name]) for name in self.data)

    __hash__ = None
