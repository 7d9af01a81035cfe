"""A differential equation problem as frozen data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import sympy

from pinnkit.domains.box import Box
from pinnkit.language.calculus import symbol
from pinnkit.language.linear import is_linear
from pinnkit.problem.tables import Files

TRANSFORMS = ("softplus", "exp", "sigmoid", "tanh", "square")
"""Output transforms that a problem may ask for; `networks.transforms` has their formulas."""

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

    `places`: the boxes where it holds; `where`: a further inequality; `data`: column name -> values (n,), the
    coordinates among them.
    """

    name: str
    equations: tuple[Equation, ...]
    places: tuple[Box, ...] = ()
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


@dataclass(frozen=True, init=False)
class Problem:
    """What is to be solved: the same words as a problem file, see the README.

    Args:
        coordinates: name -> [lower, upper], in the order of the network's inputs; t is time.
        fields: names of the unknown functions, or name -> the coordinates that it depends on.
        equations: text `left = right`, a callable `residual(p)`, {equation: one of these, weight: expression}, or a
            list or a mapping of such.
        conditions: name -> {at, equations, where, weight, data}.
        parameters: name -> number, or {learn: start, positive: true}.
        exact: field (or learned parameter) -> closed form.
        reference: `spectral`, or a table's file name (NPZ or CSV).
        periodic: coordinates in which every field is periodic, exactly, by embedding.
        transform: field -> output transform (softplus, exp, sigmoid, tanh, square).
        folder: where data files are looked for.
        outside_files: whether they may lie elsewhere than below that folder.

    Raises:
        ProblemError: every mistake that reading found, each with its key, together.

    >>> decay = Problem(coordinates={"t": [0, 1]}, fields=["u"], equations="u_t = -u",
    ...                 conditions={"start": {"at": "t = 0", "equations": "u = 1"}})
    >>> str(decay.equations[0].residual)
    'u + u_t'
    """

    name: str
    description: str
    domain: Box
    fields: tuple[Field, ...]
    parameters: tuple[Parameter, ...]
    equations: tuple[Equation, ...]
    conditions: tuple[Condition, ...]
    exact: Mapping[str, sympy.Expr]
    reference: str | None
    periodic: tuple[str, ...]
    folder: Path
    config: Mapping[str, Any] = field(compare=False, repr=False)

    def __init__(self, /, *, folder: Path | str = ".", outside_files: bool = True, **config: Any) -> None:
        from pinnkit.problem.read import read  # reading builds the parts that this module defines

        parts = read(config, Files(Path(folder), outside_files))
        for part in fields(self):
            object.__setattr__(self, part.name, parts[part.name])

    @property
    def coordinates(self) -> tuple[str, ...]:
        return self.domain.coordinates

    @property
    def space(self) -> tuple[str, ...]:
        """The coordinates other than time."""
        return tuple(name for name in self.coordinates if name != "t")

    @property
    def learned(self) -> tuple[Parameter, ...]:
        return tuple(parameter for parameter in self.parameters if parameter.learn)

    @property
    def values(self) -> dict[sympy.Symbol, float]:
        """Symbol of each parameter -> its value (the start, for a learned one)."""
        return {symbol(parameter.name): parameter.value for parameter in self.parameters}

    @cached_property
    def linear(self) -> bool:
        """Whether the equations are linear in the fields and their derivatives; one in Python counts as nonlinear."""
        return all(isinstance(one.residual, sympy.Basic) and is_linear(one.residual) for one in self.equations)

    @property
    def steady(self) -> bool:
        """Whether time is no coordinate."""
        return self.space == self.coordinates

    def replace(self, **changes: Any) -> Problem:
        """A copy with some parts replaced."""
        copy = object.__new__(Problem)
        for part in fields(self):
            object.__setattr__(copy, part.name, changes.get(part.name, getattr(self, part.name)))
        return copy
