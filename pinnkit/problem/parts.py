"""The frozen parts of a problem: fields, parameters, equations and conditions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import sympy

from pinnkit.domains.shape import Shape
from pinnkit.problem.bounds import NO_BOUNDS, Bounds

TRANSFORMS = ("softplus", "exp", "sigmoid", "tanh", "square")
"""Output transforms that a problem may ask for; `networks.fields` has their formulas."""
RANGES = {
    "softplus": (0.0, math.inf),
    "exp": (0.0, math.inf),
    "square": (0.0, math.inf),
    "sigmoid": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
}
"""The ends of each output transform's values."""

Residual: TypeAlias = "sympy.Expr | Callable[[Any], Any]"


@dataclass(frozen=True)
class Field:
    """A real unknown function of some of the coordinates: an output of a network.

    Equations, losses and networks know fields alone. What the problem calls a field is one of them, or made of several:
    the real and the imaginary part of a complex function, or a function for each part of the domain. See `Unknown`.

    Attributes:
        transform: maps the network's output to the field's values.
        bounds: between which these stay.
        arguments: other fields that its network is given, of whose values it is a function; () for most.
        own: the coordinates that such a network is given besides; `coordinates` are those on which it depends at all.
        spans: for each argument the range of its values by which it is scaled; None: by its size.
        unknown: the name in the problem of what this is a component of; its own name by default.
        component: "re" or "im" of a complex unknown.
        part: the shape in which it stands for the unknown; "": the whole domain.
        periodic: the coordinates in which a hard condition makes it periodic; see `Problem.periods`.
    """

    name: str
    coordinates: tuple[str, ...]
    transform: str | None = None
    unknown: str = ""
    component: str = ""
    part: str = ""
    bounds: Bounds = NO_BOUNDS
    arguments: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    spans: tuple[tuple[float, float] | None, ...] = ()
    periodic: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.unknown:
            object.__setattr__(self, "unknown", self.name)

    @property
    def inputs(self) -> tuple[str, ...]:
        """What its network is given: coordinates, behind the fields of which it is a function."""
        return (*self.arguments, *self.own) if self.arguments else self.coordinates

    @property
    def range(self) -> tuple[float, float]:
        """The ends of its values, by its transform or its bounds."""
        return RANGES[self.transform] if self.transform else (self.bounds.lower, self.bounds.upper)


@dataclass(frozen=True)
class Unknown:
    """What the problem calls a field, real or complex: solutions, references, metrics and figures have these."""

    name: str
    fields: tuple[Field, ...]

    @property
    def coordinates(self) -> tuple[str, ...]:
        return self.fields[0].coordinates

    @property
    def is_complex(self) -> bool:
        return any(one.component for one in self.fields)

    @property
    def parts(self) -> tuple[str, ...]:
        """The shapes that have a function of their own."""
        return tuple(dict.fromkeys(one.part for one in self.fields if one.part))


@dataclass(frozen=True)
class Parameter:
    """A number in the equations. `learn`: trained, from `value`; `bounds`: within which it stays while trained."""

    name: str
    value: float
    learn: bool = False
    bounds: Bounds = NO_BOUNDS


@dataclass(frozen=True)
class Equation:
    """One equation: its name, its text, and its residual `left - right` (SymPy, or a Python callable).

    Attributes:
        weight: the factor of its squared residual in the objective, at each point; it may hold what an equation may.
        region: the part of the domain in which it holds; "": everywhere, or where its condition holds.
        origin: its name in the problem file, where it is one of several that were made of it.
        local: pairs (name, field), what a name in a Python residual means here, where a field has parts.
    """

    name: str
    text: str
    residual: Residual
    weight: sympy.Expr = sympy.S.One
    region: str = ""
    origin: str = ""
    local: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if not self.origin:
            object.__setattr__(self, "origin", self.name)


@dataclass(frozen=True, eq=False)
class Condition:
    """Equations that hold on part of the domain, or at the rows of a data file.

    Attributes:
        places: the parts of the domain where it holds.
        where: a further inequality.
        data: column name -> values (n,), the coordinates among them.
        hard: every network meets it exactly, so that it is no term of the loss.
        sides: regions that touch each of its points: those whose functions the equations hold.
        origin: its name in the problem file, where it is one of several that were made of it.
    """

    name: str
    equations: tuple[Equation, ...]
    places: tuple[Shape, ...] = ()
    where: sympy.Basic | None = None
    data: Mapping[str, np.ndarray] = field(default_factory=dict)
    source: str = ""
    hard: bool = False
    sides: tuple[str, ...] = ()
    origin: str = ""

    def __post_init__(self) -> None:
        if not self.origin:
            object.__setattr__(self, "origin", self.name)

    def __eq__(self, other: object) -> bool:
        """Equal parts and equal arrays of data, which a dataclass could not compare."""
        if not isinstance(other, Condition):
            return NotImplemented
        mine, theirs = ({**vars(one), "data": list(one.data)} for one in (self, other))
        return mine == theirs and all(np.array_equal(self.data[name], other.data[name]) for name in self.data)

    __hash__ = None  # type: ignore[assignment]
