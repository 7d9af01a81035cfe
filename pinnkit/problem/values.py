"""Numbers of a problem file that are written with its fixed parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import sympy

from pinnkit.language.errors import LanguageError
from pinnkit.language.evaluate import Program
from pinnkit.language.grammar import Scope, constant, expression

Values = Mapping[sympy.Symbol, float]
"""Values of the parameters that are known before training."""


def plain_parameters(config: Any) -> dict[str, float]:
    """The parameters that are given as numbers, those that are learned, have a range or hold a mistake left out."""
    found: dict[str, float] = {}
    for name, value in config.items() if isinstance(config, Mapping) else ():
        if isinstance(name, str) and not isinstance(value, Mapping):
            try:
                found[name] = constant(value)
            except LanguageError:
                continue  # it is reported where parameters are read
    return found


def number(config: Any, scope: Scope, values: Values, why: str = "is learned, so it cannot shape a domain") -> float:
    """The finite number that a text with parameters writes; `why` one without a value before training is refused.

    Raises:
        LanguageError: also where it holds a parameter that is learned.
    """
    program = Program([expression(config, scope)])
    check_known(program, values, str(config), why)
    value = float(program(values)[0])
    if not math.isfinite(value):
        raise LanguageError(f"is {value}, not a finite number", str(config))
    return value


def check_known(
    program: Program, values: Values, text: str, why: str = "is learned, so it cannot say where a condition holds"
) -> None:
    """Raise LanguageError where an expression of parameters holds one without a value before training."""
    unknown = [str(atom) for atom in program.atoms if atom not in values]
    if unknown:
        raise LanguageError(f"{', '.join(unknown)} {why}", text)
