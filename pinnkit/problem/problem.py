"""A differential equation problem as frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import sympy

from pinnkit.domains.combination import Combination
from pinnkit.domains.product import Product
from pinnkit.domains.shape import Shape
from pinnkit.language.calculus import symbol
from pinnkit.language.known import Known
from pinnkit.language.linear import is_linear
from pinnkit.problem.coordinates import Coordinates
from pinnkit.problem.known_columns import table_columns
from pinnkit.problem.notebook import in_latex, in_markdown
from pinnkit.problem.parts import Condition, Equation, Field, Parameter, Unknown
from pinnkit.problem.read import read
from pinnkit.problem.table_functions import TableFunction
from pinnkit.problem.tables import Files


def check_is_problem(given: Any) -> None:
    """Refuse what is no problem.

    Raises:
        TypeError: saying what to write.
    """
    if not isinstance(given, Problem):
        how = "pinnkit.Problem(**...)" if isinstance(given, Mapping) else "pinnkit.Problem(coordinates=..., fields=...)"
        raise TypeError(f"problem: a pinnkit.Problem is needed, and a {type(given).__name__} was given: {how}")


@dataclass(frozen=True, init=False)
class Problem:
    """What is to be solved, by the keys of a problem file, see the README.

    Args:
        coordinates: name -> [lower, upper], in the order of the network's inputs; t is time.
        fields: names of the unknown functions, or name -> the coordinates (or other fields) that it depends on, or
            `complex`, or a mapping of these and other options, such as {parts: shapes in each of which it has its
            own function}.
        equations: text `left = right`, a callable `residual(p)`, {equation: one of these, weight: expression, in: the
            shape in which it holds}, or a list or a mapping of such.
        conditions: name -> {at, equations, where, weight, data, hard}.
        parameters: name -> number, or {learn: start, positive: true, min, max}, or {range: [a, b], log: true}.
        define: name -> expression of parameters, coordinates and earlier names, such as {Re: 1/nu}.
        tables: name -> {file, columns, value, smooth}: a known function through the values of a CSV or NPZ file.
        exact: field (or learned parameter) -> closed form.
        reference: `spectral`, `fem`, or a table's file name (NPZ or CSV).
        shapes: name -> {kind: settings}, such as {disk: {center: [0, 0], radius: 1}}, or an expression of others.
        domain: the name of the shape to solve in; by default the box of the coordinates' ranges.
        quadrature: nodes along each coordinate by which integrals are computed; by default 20 for one coordinate, 12
            for two and 8 for three.
        units: coordinate, field or parameter -> text such as m/s^2: a label, by which nothing is converted.
        conserve: name -> expression that stays what it is at the start, such as an integral over space; it is watched.
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
    axes: Coordinates
    domain: Shape
    regions: Mapping[str, Shape]
    rims: Mapping[str, tuple[Shape, ...]]
    quadrature: int | None
    fields: tuple[Field, ...]
    parameters: tuple[Parameter, ...]
    definitions: Mapping[str, sympy.Expr]
    tables: Mapping[str, TableFunction]
    columns: Mapping[str, Known]
    equations: tuple[Equation, ...]
    conditions: tuple[Condition, ...]
    exact: Mapping[str, sympy.Expr]
    reference: str | None
    units: Mapping[str, str]
    conserve: Mapping[str, str]
    periodic: tuple[str, ...]
    folder: Path
    config: Mapping[str, Any] = field(compare=False, repr=False)

    def __init__(self, /, *, folder: Path | str = ".", outside_files: bool = True, **config: Any) -> None:
        parts = read(config, Files(Path(folder), outside_files))
        for part in fields(self):
            object.__setattr__(self, part.name, parts[part.name])

    def __repr__(self) -> str:
        fields = ", ".join(f"{one.name}({', '.join(one.fields[0].inputs)})" for one in self.unknowns)
        ranges = ", ".join(f"{name} in [{low:g}, {high:g}]" for name, (low, high) in self.domain.bounds.items())
        equations = "; ".join(dict.fromkeys(one.text for one in self.equations))
        conditions = ", ".join(dict.fromkeys(one.origin for one in self.conditions)) or "none"
        return f"Problem({self.name}: {fields}; {ranges}; {equations}; conditions: {conditions})"

    def _repr_markdown_(self) -> str:
        return in_markdown(self)

    def _repr_latex_(self) -> str:
        return in_latex(self)

    @property
    def coordinates(self) -> tuple[str, ...]:
        """The names of all coordinates, in the order of the network's inputs."""
        return self.axes.names

    @property
    def space(self) -> tuple[str, ...]:
        """The coordinates on which the Laplacian and the normal act."""
        return self.axes.space

    @property
    def time(self) -> str | None:
        """The time coordinate, None for a steady problem."""
        return self.axes.time

    def solid(self, region: str = "") -> Shape:
        """The points of a region; "": the domain."""
        return self.regions[region] if region else self.domain

    @cached_property
    def unknowns(self) -> tuple[Unknown, ...]:
        """What the problem calls its fields, each made of one field or of several."""
        groups: dict[str, list[Field]] = {}
        for one in self.fields:
            groups.setdefault(one.unknown, []).append(one)
        return tuple(Unknown(name, tuple(members)) for name, members in groups.items())

    @cached_property
    def region_rules(self) -> dict[tuple[str, bool, int], tuple[Any, ...]]:
        """Quadrature rules of regions that have been computed, by name, whether it is a rim, and nodes."""
        return {}

    def unknown_of(self, field: str) -> str:
        """What the problem calls the unknown that a field is a component of."""
        return next(one.unknown for one in self.fields if one.name == field)

    @property
    def soft_conditions(self) -> tuple[Condition, ...]:
        """The conditions that are terms of the loss: all but the hard ones."""
        return tuple(condition for condition in self.conditions if not condition.hard)

    @property
    def hard_conditions(self) -> tuple[Condition, ...]:
        """The conditions that every network meets exactly."""
        return tuple(condition for condition in self.conditions if condition.hard)

    def periods(self, one: Field) -> tuple[str, ...]:
        """The coordinates in which a field is periodic, exactly, by embedding."""
        return tuple(name for name in one.coordinates if name in self.periodic or name in one.periodic)

    @property
    def learned(self) -> tuple[Parameter, ...]:
        return tuple(parameter for parameter in self.parameters if parameter.learn)

    @property
    def values(self) -> dict[sympy.Symbol, float]:
        """Symbol of each parameter -> its value (the start, for a learned one)."""
        return {symbol(parameter.name): parameter.value for parameter in self.parameters}

    @cached_property
    def linear(self) -> bool:
        """Whether the equations are linear in the fields and their derivatives; one in Python, and a field that is a
        function of another, count as nonlinear."""
        symbolic = all(isinstance(one.residual, sympy.Basic) and is_linear(one.residual) for one in self.equations)
        return symbolic and not any(one.arguments for one in self.fields)

    @property
    def simple(self) -> bool:
        """Whether the equations are linear, and the domain is one shape: no hole, no corner that points inwards."""
        shapes = self.domain.factors if isinstance(self.domain, Product) else (self.domain,)
        return self.linear and not any(isinstance(one, Combination) for one in shapes)

    @property
    def steady(self) -> bool:
        """Whether time is no coordinate."""
        return self.time is None

    def table_columns(self, coordinates: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The values of tables, and of their derivatives, that the equations read, at points: name -> (n,).

        Args:
            coordinates: name -> (n,), all those of the problem.
        """
        return table_columns(self.tables, self.columns, coordinates)

    def replace(self, **changes: Any) -> Problem:
        """A copy with some parts replaced."""
        copy = object.__new__(Problem)
        for part in fields(self):
            object.__setattr__(copy, part.name, changes.get(part.name, getattr(self, part.name)))
        return copy
