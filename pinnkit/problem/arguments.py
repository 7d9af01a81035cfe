"""Fields that are functions of other fields: unknown terms such as f(u), `fields: {u: [x, t], f: [u]}`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import sympy

from pinnkit.language.calculus import partials, substitute_fields
from pinnkit.language.errors import Report
from pinnkit.problem.parts import Field


def resolve_arguments(fields: Sequence[Field], coordinates: Sequence[str], report: Report) -> tuple[Field, ...]:
    """The fields; those with fields among their inputs depend on all coordinates on which these depend.

    One that depends on itself, through others or not, or on what is no real field of the whole domain, is reported.
    """
    names = {one.name for one in fields}
    known: dict[str, Field] = {one.name: one for one in fields if not one.arguments}
    rest = [one for one in fields if one.arguments]
    for one in list(rest):
        if wrong := [name for name in one.arguments if name not in names]:
            message = f"depends on {wrong[0]}, which is complex or has parts: it may depend on real fields of one part"
            report.add(f"fields.{one.unknown}", message)
            known[one.name] = replace(one, arguments=())
            rest.remove(one)
    while ready := [one for one in rest if set(one.arguments) <= set(known)]:
        for one in ready:
            through = {name for argument in one.arguments for name in known[argument].coordinates}
            depends = tuple(name for name in coordinates if name in through or name in one.own)
            known[one.name] = replace(one, coordinates=depends)
            rest.remove(one)
    for one in rest:
        circle = ", which depends on ".join(_circle(one, {field.name: field for field in rest}))
        report.add(f"fields.{one.unknown}", f"depends on {circle}: a field cannot be a function of itself")
        known[one.name] = replace(one, arguments=())
    return tuple(known[one.name] for one in fields)


def exact_by_coordinates(exact: Mapping[str, sympy.Expr], report: Report) -> dict[str, sympy.Expr]:
    """Closed forms without fields: where one is given in other fields, their own closed forms take their place."""
    found = {name: expr for name, expr in exact.items() if not partials(expr)}
    rest = {name: expr for name, expr in exact.items() if name not in found}
    while rest:
        ready = [name for name, expr in rest.items() if {one.field for one in partials(expr)} <= set(found)]
        for name in ready:
            with report.at(f"exact.{name}"):
                found[name] = substitute_fields(rest[name], found)
            del rest[name]
        if not ready:
            for name, expr in rest.items():
                missing = min({one.field for one in partials(expr)} - set(found))
                report.add(f"exact.{name}", f"is written in {missing}, whose exact solution is not given")
            break
    return found


def _circle(field: Field, fields: dict[str, Field]) -> list[str]:
    """The names on the way from a field, through fields that depend on others, to one that has been met."""
    way, met = [], {field.name}
    while True:
        name = next(one for one in field.arguments if one in fields)
        way.append(name)
        if name in met:
            return way
        met.add(name)
        field = fields[name]
