"""Sums of partial derivatives that a residual needs together and nowhere apart.

u_t - nu u_xx enters the residual of Burgers' equation as one number a point. Taylor mode can carry it as one quantity
(`operators.jet_structure`), in the place of u_t and of u_xx. Here such sums are found in the text of the equations.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import sympy

from pinnkit.language.calculus import Partial, partials, symbol
from pinnkit.language.integral import Integral
from pinnkit.operators.jet_structure import lower_derivatives
from pinnkit.operators.linear_operators import Axes, LinearCombination, SampledLaplacian

Combination = tuple[tuple[Axes, sympy.Expr], ...]


@dataclass
class Collapsed:
    """Residuals in terms of sums.

    Attributes:
        residuals: the residuals, with a symbol in the place of each sum.
        sums: symbol -> (field, sum).
        coefficients: what the sums' coefficients are, by their places.
    """

    residuals: list[sympy.Expr]
    sums: dict[sympy.Symbol, tuple[str, LinearCombination | SampledLaplacian]] = field(default_factory=dict)
    coefficients: list[sympy.Expr] = field(default_factory=list)

    def slot(self, coefficient: sympy.Expr) -> int:
        """The place of a coefficient in the list; equal ones share it."""
        if coefficient not in self.coefficients:
            self.coefficients.append(coefficient)
        return self.coefficients.index(coefficient)


def collapse(
    residuals: Sequence[sympy.Expr], coordinates: Sequence[str], extra_partials: Iterable[Partial] = ()
) -> Collapsed:
    """Residuals with as few quantities to carry as their highest derivatives allow.

    A derivative can be part of a sum where it is a factor of no higher one and enters every residual linearly, with a
    coefficient that holds no field. Where the residuals need fewer different sums than there are such derivatives,
    the sums are carried; otherwise the residuals stay as they are.

    Args:
        extra_partials: derivatives that are needed on their own, for weights and for residuals in Python.
    """
    axes_of = _axes(coordinates)
    here = {one for expr in residuals for one in partials(expr) if not one.at}
    everything = {axes_of(one) for one in here | set(extra_partials) if one.derivative}
    factors = set().union(*(lower_derivatives(axes) for axes in everything)) if everything else set()
    free = everything - factors - {axes_of(one) for one in extra_partials}
    forms = [_linear(expr, {one for one in here if axes_of(one) in free}) for expr in residuals]
    free -= {axes_of(one) for _, _, others in forms for one in others}
    found = Collapsed([])
    needed: dict[tuple[int, str], tuple[sympy.Expr, Combination]] = {}
    for number, (_, slopes, _) in enumerate(forms):
        for name in sorted({one.field for one in slopes}):
            terms = {axes_of(p): c for p, c in slopes.items() if p.field == name and axes_of(p) in free}
            if terms:
                needed[number, name] = _normalised(terms)
    combinations = sorted({combination for _, combination in needed.values()}, key=str)
    if not free or len(combinations) >= len(free):
        return Collapsed(list(residuals))
    sums = {one: LinearCombination(tuple((axes, found.slot(c)) for axes, c in one)) for one in combinations}
    for number, (constant, slopes, _) in enumerate(forms):
        kept = {p: c for p, c in slopes.items() if axes_of(p) not in free}
        total = constant + sympy.Add(*(c * p for p, c in kept.items()))
        for name in sorted({one.field for one in slopes}):
            if (number, name) in needed:
                factor, combination = needed[number, name]
                stand_in = symbol(f"{name}[{combinations.index(combination)}]")
                found.sums[stand_in] = (name, sums[combination])
                total += factor * stand_in
        found.residuals.append(total)
    return found


def sampled(found: Collapsed, directions: int, space: Collection[int]) -> tuple[Collapsed, int]:
    """Laplacians in more than `directions` coordinates as two independent estimates, for the product of residuals.

    A Laplacian is a sum of the second derivatives by the coordinates at the places `space` with one coefficient.

    Returns the residuals twice, first with the sample 0 and then with the sample 1, and how many coordinates the
    largest Laplacian has (0: there is none to estimate).
    """
    both = Collapsed([], coefficients=list(found.coefficients))
    largest = 0
    for sample in (0, 1):
        rules: dict[sympy.Basic, sympy.Expr] = {}
        for stand_in, (name, one) in found.sums.items():
            one = cast(LinearCombination, one)
            second, slot = _laplacian(one)
            if len(second) <= directions or {axes[0] for axes in second} != set(space):
                both.sums[stand_in] = (name, one)
                continue
            largest = max(largest, len(second))
            estimate = symbol(f"{name}[sample {sample}]")
            both.sums[estimate] = (name, SampledLaplacian(sample))
            rules[stand_in] = found.coefficients[slot] * estimate
            rest = tuple((axes, place) for axes, place in one.terms if axes not in second)
            if rest:
                other = symbol(f"{stand_in.name} rest")
                both.sums[other] = (name, LinearCombination(rest))
                rules[stand_in] += other
        both.residuals += [expr.xreplace(rules) for expr in found.residuals]
    return both, largest


def _laplacian(one: LinearCombination) -> tuple[list[Axes], int]:
    """The pure second derivatives of a sum that have one coefficient in common, and its place."""
    groups: dict[int, list[Axes]] = {}
    for axes, slot in one.terms:
        if len(axes) == 2 and axes[0] == axes[1]:
            groups.setdefault(slot, []).append(axes)
    slot = max(groups, key=lambda slot: len(groups[slot]), default=-1)
    return groups.get(slot, []), slot


def _axes(coordinates: Sequence[str]) -> Callable[[Partial], Axes]:
    place = {name: index for index, name in enumerate(coordinates)}
    return lambda partial: tuple(sorted(place[name] for name in partial.derivative))


def _linear(
    expr: sympy.Expr, candidates: set[Partial]
) -> tuple[sympy.Expr, Mapping[Partial, sympy.Expr], set[Partial]]:
    """expr = constant + sum of c P over the candidates; and those that do not enter so."""
    stand_ins = {one: sympy.Dummy(real=True) for one in partials(expr) & candidates}
    replaced = expr.xreplace(stand_ins)
    dummies = set(stand_ins.values())
    slopes, others = {}, set()
    for one, dummy in stand_ins.items():
        slope = sympy.diff(replaced, dummy)
        if slope.free_symbols & dummies or partials(slope) or slope.has(Integral):
            others.add(one)
        else:
            slopes[one] = slope
    back = {dummy: one for one, dummy in stand_ins.items() if one in others}
    constant = replaced.xreplace({stand_ins[one]: sympy.Integer(0) for one in slopes} | back)
    return constant, slopes, others


def _normalised(terms: Mapping[Axes, sympy.Expr]) -> tuple[sympy.Expr, Combination]:
    """A factor and a combination whose first coefficient is 1, where the coefficients are multiples of each other."""
    ordered = sorted(terms.items())
    first = ordered[0][1]
    ratios = [sympy.cancel(coefficient / first) for _, coefficient in ordered]
    if all(ratio.is_number for ratio in ratios):
        return first, tuple((axes, ratio) for (axes, _), ratio in zip(ordered, ratios, strict=True))
    return sympy.Integer(1), tuple(ordered)
