"""Fields that have a function of their own in each part of the domain: which one a name means where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import cast

import sympy

from pinnkit.domains.shape import Shape
from pinnkit.language.calculus import Partial, partials
from pinnkit.language.errors import LanguageError
from pinnkit.language.integral import Integral, integrals
from pinnkit.problem.at import random_points
from pinnkit.problem.branches import branch
from pinnkit.problem.parts import Equation, Field
from pinnkit.problem.values import Values

POINTS = 4096
"""Random points of a region by which it is found out in which part it lies."""


@dataclass(frozen=True)
class Parts:
    """The fields with parts, and the regions that these are.

    Attributes:
        of: unknown -> part -> the field that is its function there.
        regions: the named solids of the problem.
        domain: what is to be covered.
    """

    of: Mapping[str, Mapping[str, str]]
    regions: Mapping[str, Shape]
    domain: Shape

    @classmethod
    def of_fields(cls, fields: Iterable[Field], regions: Mapping[str, Shape], domain: Shape) -> Parts:
        found: dict[str, dict[str, str]] = {}
        for one in fields:
            if one.part:
                found.setdefault(one.unknown, {})[one.part] = one.name
        return cls(found, regions, domain)

    @property
    def part_of(self) -> dict[str, str]:
        """Field of a part -> that part."""
        return {name: part for parts in self.of.values() for part, name in parts.items()}

    def containing(self, unknown: str, region: str) -> str | None:
        """The part of an unknown in which a region lies; None: it lies in none alone."""
        parts = self.of[unknown]
        if region in parts:
            return region
        points = random_points(self.regions[region], POINTS)
        return next((one for one in parts if self.regions[one].contains(points).all()), None)

    def held(self, equation: Equation, here: bool = False) -> tuple[list[str], list[str]]:
        """The names of unknowns with parts that an equation holds, and the fields of single parts.

        here: leave out what is evaluated elsewhere, u.left(x=0).
        """
        if callable(equation.residual):
            return list(self.of), []
        found = {one for expr in (equation.residual, equation.weight) for one in partials(expr)}
        names = {one.field for one in found if not (here and one.at)}
        return [one for one in self.of if one in names], [one for one in self.part_of if one in names]

    def with_integrals(self, equation: Equation) -> Equation:
        """The equation with each integral over the function of the part in which its region lies; one over the domain
        becomes the sum of those over all parts.

        Raises:
            LanguageError: an integral of u over an interval, or a boundary, or through several parts.
        """
        if callable(equation.residual):
            return equation
        found = {one: self._integral(one, equation.text) for one in integrals(equation.residual)}
        return replace(equation, residual=cast(sympy.Expr, equation.residual).xreplace(found)) if found else equation

    def _integral(self, integral: Integral, text: str) -> sympy.Expr:
        unknowns = list(dict.fromkeys(one.field for one in partials(integral.body) if one.field in self.of))
        if not unknowns:
            return integral
        common, region = set(self.of[unknowns[0]]), integral.region
        if region == "domain" and not integral.rim and all(set(self.of[one]) == common for one in unknowns):
            return sympy.Add(*(self._over(integral, dict.fromkeys(unknowns, part), part) for part in sorted(common)))
        if region in self.regions and not integral.rim:
            chosen = {one: self.containing(one, region) for one in unknowns}
            if None not in chosen.values():
                return self._over(integral, cast(dict[str, str], chosen), region)
        one_sided = " or ".join(self.of[unknowns[0]].values())
        raise LanguageError(
            f"{integral} passes through several parts, or along their rims: write the integral of {one_sided}, over "
            "the part or the interval in which it is known",
            text,
        )

    def _over(self, integral: Integral, where: Mapping[str, str], region: str) -> sympy.Expr:
        body = _renamed(integral.body, {unknown: self.of[unknown][part] for unknown, part in where.items()})
        return Integral(body, integral.names, region=region)

    def renamed(self, equation: Equation, where: Mapping[str, str], suffix: str = "") -> Equation:
        """The equation with each of these unknowns read as its function of a part.

        Args:
            where: unknown -> part.
        """
        fields = {unknown: self.of[unknown][part] for unknown, part in where.items()}
        return replace(
            equation,
            name=f"{equation.name}{suffix}",
            residual=equation.residual if callable(equation.residual) else _renamed(equation.residual, fields),
            weight=_renamed(equation.weight, fields),
            local=tuple(fields.items()),
        )


def _renamed(expr: sympy.Basic, fields: Mapping[str, str]) -> sympy.Basic:
    changed = {
        one: Partial(fields[one.field], one.coordinates, one.derivative, one.at)
        for one in partials(expr)
        if one.field in fields
    }
    return expr.xreplace(changed) if changed else expr


def exact_in_parts(
    exact: Mapping[str, sympy.Expr], parts: Parts, coordinates: tuple[str, ...], values: Values
) -> dict[str, sympy.Expr]:
    """The closed forms by field, with that of a part as its branch there (see `branches`)."""
    found = dict(exact)
    for name, part in parts.part_of.items():
        if name in found:
            found[name] = branch(found[name], random_points(parts.regions[part], POINTS), coordinates, values)
    return found
