"""Derived parameters: names for expressions of parameters and coordinates, `define: {Re: 1/nu}`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
import sympy

from pinnkit.language.constructors import size
from pinnkit.language.errors import LanguageError, Report
from pinnkit.language.evaluate import Program
from pinnkit.language.grammar import Scope, check_name, expression

MOST = 100
"""Derived parameters at most."""
LENGTH = 1000
"""Nodes of the expression of one, with those of the earlier ones put in."""

Values = Mapping[sympy.Symbol, float]


def read_definitions(
    config: Any, scope: Scope, values: Values, taken: list[str], report: Report
) -> Mapping[str, sympy.Expr]:
    """Name -> expression of parameters and coordinates, in which the earlier names are replaced by what they mean.

    Args:
        scope: coordinates and parameters.
        values: the parameters that are known before training.
        taken: the names that mean something else, to which these are added.
    """
    found: dict[str, sympy.Expr] = {}
    if not isinstance(config, Mapping):
        report.add("define", f"{config!r} is not a mapping: write {{Re: 1/nu}}")
        return MappingProxyType(found)
    if len(config) > MOST:
        report.add("define", f"has {len(config)} names; the most is {MOST}")
        return MappingProxyType(found)
    names = [name for name in config if isinstance(name, str)]
    for name, text in config.items():
        with report.at(f"define.{name}"):
            check_name(name, taken)
            taken.append(name)
            found[name] = sympy.S.One  # what stands for one with a mistake
            earlier = {one: expr for one, expr in found.items() if one != name}
            expr = _expression(text, replace(scope, definitions=earlier), names[names.index(name) :])
            if size(expr, LENGTH + 1) > LENGTH:
                raise LanguageError(f"has more than {LENGTH} operations with the earlier names put in", str(text))
            if expr.free_symbols <= set(values):
                value = float(Program([expr])(values)[0])
                if not np.isfinite(value):
                    raise LanguageError(f"is {value:g}, not a finite number", str(text))
            found[name] = expr
    return MappingProxyType(found)


def known_values(definitions: Mapping[str, sympy.Expr], values: Values) -> dict[str, float]:
    """The values of the derived parameters that these parameters decide."""
    known = [name for name, expr in definitions.items() if expr.free_symbols <= set(values)]
    computed = Program([definitions[name] for name in known])(values)
    return {name: float(value) for name, value in zip(known, computed, strict=True)}


def _expression(text: Any, scope: Scope, later: Iterable[str]) -> sympy.Expr:
    """The expression of a text, which may name no later definition, nor itself."""
    try:
        return expression(text, scope)
    except LanguageError as error:
        for name in later:
            if error.message.startswith(f"unknown name '{name}'"):
                message = f"uses '{name}', which is not defined before: a definition uses parameters and earlier names"
                raise LanguageError(message, error.text, error.position) from None
        raise
