"""A problem in plain texts, as its file writes it: for reports and boards."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pinnkit.domains.shape import Shape
from pinnkit.problem.integral_places import needed_coordinates
from pinnkit.problem.parts import Condition, Equation

if TYPE_CHECKING:  # a problem is shown by its statement
    from pinnkit.problem.problem import Problem
from pinnkit.problem.units import unit_behind

SOURCE = "  (with a source)"
"""The end of an equation's text to which a manufactured solution has added a source."""
NOTE = "with a source term, by the manufactured solution"
LISTED = 6
"""Places of a condition that are described each."""


@dataclass(frozen=True)
class Line:
    """An equation or a closed form: its name, its text, where it holds, and what else is to be said.

    `is_text`: the text is one of the problem language, and not the name of a function in Python.
    """

    name: str
    text: str
    where: str = ""
    notes: tuple[str, ...] = ()
    is_text: bool = True


@dataclass(frozen=True)
class Statement:
    """What a problem says.

    Attributes:
        facts: (what, text) of coordinates, domain, regions, fields, parameters and tables.
        names: whose derivatives are written u_x: fields and tables.
    """

    name: str
    description: str
    facts: tuple[tuple[str, str], ...]
    equations: tuple[Line, ...]
    conditions: tuple[Line, ...]
    definitions: tuple[Line, ...]
    exact: tuple[Line, ...]
    names: tuple[str, ...]
    coordinates: tuple[str, ...]


def statement(problem: Problem, manufactured: Mapping[str, str] | None = None) -> Statement:
    """The statement of a problem; equations that were made of one text are one line.

    Args:
        manufactured: field -> the solution that was chosen for it, in the place of the problem's own.
    """
    config = problem.config
    return Statement(
        problem.name,
        problem.description,
        tuple(_facts(problem)),
        _merged(
            [(_name(one, problem), one, f"in {one.region}" if one.region else "", ()) for one in problem.equations]
        ),
        _merged(
            [
                (condition.origin, one, _place(condition, problem), _kept(condition))
                for condition in problem.conditions
                for one in condition.equations
            ]
        ),
        _closed_forms(config.get("define"), problem.definitions),
        _closed_forms(manufactured or config.get("exact"), problem.exact),
        (*(one.name for one in problem.unknowns), *problem.tables),
        problem.coordinates,
    )


def where_it_holds(condition: Condition, problem: Problem) -> str:
    """Where a condition holds, in words."""
    if condition.data:
        rows = len(next(iter(condition.data.values())))
        return f"at the {rows} rows of {condition.source}"
    needed = needed_coordinates(condition.equations, problem.coordinates)
    if needed is not None and condition.where is None:
        places = " and ".join(dict.fromkeys(_varying(place, needed) for place in condition.places))
        return f"at {places}" if needed else "once"
    places = " and ".join(place.description for place in condition.places[:LISTED])
    if len(condition.places) > LISTED:
        places += f" and {len(condition.places) - LISTED} more"
        places += f", of measure {sum(place.measure for place in condition.places):.6g} in all"
    inequality = f" where {condition.where}" if condition.where is not None else ""
    sides = f", beside {' and '.join(condition.sides)}" if condition.sides else ""
    return f"at {places}{inequality}{sides}"


def _varying(place: Shape, needed: Collection[str]) -> str:
    """Where a condition of integrals holds: by the coordinates that they depend on alone."""
    return ", ".join(
        f"{name} = {lower:.6g}" if lower == upper else f"{name} in [{lower:.6g}, {upper:.6g}]"
        for name, (lower, upper) in place.bounds.items()
        if name in needed
    )


def _place(condition: Condition, problem: Problem) -> str:
    """Where a condition holds, as its file writes it where that is a text."""
    written = problem.config.get("conditions")
    written = written.get(condition.origin) if isinstance(written, Mapping) else None
    written = written if isinstance(written, Mapping) else {}
    at = written.get("at")
    places = at if isinstance(at, list | tuple) else [at]
    texts = [_as_equations(one) if isinstance(one, Mapping) else one for one in places]
    if condition.data or not texts or not all(isinstance(one, str) for one in texts):
        return where_it_holds(condition, problem)
    return f"at {', '.join(map(str, texts))}" + (f" where {written['where']}" if "where" in written else "")


def _as_equations(at: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in at.items())


def _name(equation: Equation, problem: Problem) -> str:
    """The name of an equation in its file; a complex one has become two."""
    split = any(one.is_complex for one in problem.unknowns)
    return re.sub(r"_(re|im)$", "", equation.origin) if split else equation.origin


def _kept(condition: Condition) -> tuple[str, ...]:
    return ("exact by construction",) if condition.hard else ()


def _merged(lines: list[tuple[str, Equation, str, tuple[str, ...]]]) -> tuple[Line, ...]:
    """A line for each text of a name, with all places where it holds."""
    found: dict[tuple[str, str], Line] = {}
    for name, equation, where, notes in lines:
        former = found.get((name, equation.text))
        places = list(dict.fromkeys([*(former.where.split("; ") if former else []), where]))
        weight = f"{float(equation.weight):g}" if equation.weight.is_number else str(equation.weight)
        notes = (*notes, f"weight {weight}") if weight != "1" else notes
        notes = (*notes, NOTE) if equation.text.endswith(SOURCE) else notes
        texts = (name, equation.text.removesuffix(SOURCE), "; ".join(one for one in places if one), notes)
        found[name, equation.text] = Line(*texts, is_text=not callable(equation.residual))
    return tuple(found.values())


def _closed_forms(written: Any, read: Any) -> tuple[Line, ...]:
    """Texts as the user wrote them; where they were none, as they were read."""
    written = written if isinstance(written, Mapping) else {}
    known = {name: text for name, text in written.items() if isinstance(text, str | int | float)}
    return tuple(Line(name, str(text)) for name, text in (known or read).items())


def _facts(problem: Problem) -> Iterator[tuple[str, str]]:
    periodic = f", periodic in {', '.join(problem.periodic)}" if problem.periodic else ""
    yield "domain", f"{problem.domain.description}{periodic}"
    for name, region in problem.regions.items():
        if region.description != problem.domain.description:
            yield f"region {name}", region.description
    for one in problem.unknowns:
        kind = "complex field" if one.is_complex else "field"
        first = one.fields[0]
        kept = f", through {first.transform}" if first.transform else ""
        kept += f", kept {first.bounds.description}" if first.bounds else ""
        kept += f", a function for each of {', '.join(one.parts)}" if one.parts else ""
        yield kind, f"{one.name}({', '.join(first.inputs)}){kept}"
    for name in problem.axes.parameters:
        lower, upper = problem.domain.bounds[name]
        spread = ", spread by its logarithm" if name in problem.axes.logarithmic else ""
        yield (
            "parameter",
            f"{name} in [{lower:g}, {upper:g}]{unit_behind(problem.units, name)}, an input of the network{spread}",
        )
    for parameter in problem.parameters:
        kept = f", kept {parameter.bounds.description}" if parameter.bounds else ""
        value = f"{parameter.value:.10g}{unit_behind(problem.units, parameter.name)}"
        yield (
            "parameter",
            f"{parameter.name}, learned from {value}{kept}" if parameter.learn else (f"{parameter.name} = {value}"),
        )
    for name, table in problem.tables.items():
        yield "table", f"{name}({', '.join(table.coordinates)}), {table.description}"
    for name, text in problem.conserve.items():
        yield "conserved", f"{name} = {text}"
    if problem.reference:
        yield "reference", str(problem.reference)
