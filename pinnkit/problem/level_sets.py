"""Reading level sets: the text of a function of the space coordinates, negative inside a shape."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import sympy

from pinnkit.domains.level_function import LevelFunction
from pinnkit.domains.shapes.level_set import LevelSet
from pinnkit.language.calculus import symbol
from pinnkit.language.errors import LanguageError
from pinnkit.language.evaluate import Program
from pinnkit.language.grammar import Scope, expression


class _Evaluation:
    """Expressions at points (n, d), one result (n,) for each."""

    def __init__(self, expressions: list[sympy.Expr], names: tuple[str, ...]) -> None:
        self.program, self.symbols = Program(expressions), [symbol(name) for name in names]

    def __call__(self, points: np.ndarray) -> list[np.ndarray]:
        found = self.program({one: points[:, column] for column, one in enumerate(self.symbols)})
        return [np.array(np.broadcast_to(one, len(points)), dtype=np.float64) for one in found]

    def value(self, points: np.ndarray) -> np.ndarray:
        return self(points)[0]

    def gradient(self, points: np.ndarray) -> np.ndarray:
        return np.stack(self(points), axis=1)


def read_level_set(
    config: Any,
    ranges: Mapping[str, tuple[float, float]],
    parameters: tuple[str, ...],
    values: Mapping[sympy.Symbol, float],
    taken: Collection[str],
) -> LevelSet:
    """The shape where an expression is negative.

    Args:
        config: its text.
        ranges: of the coordinates that it may hold.
        parameters, values: the names of all parameters, and the values of those that are known before training.
        taken: all declared names.

    Raises:
        LanguageError: it is no expression of these.
        ShapeError: it bounds no shape.
    """
    names = tuple(ranges)
    if not isinstance(config, str):
        raise LanguageError(f"{config!r} is no text: write where the shape is negative, such as {names[0]}^2 - 0.04")
    others = tuple(name for name in taken if name not in (*names, *parameters))
    phi = expression(config, Scope(names, parameters=parameters, columns=others))
    found = {str(one) for one in phi.free_symbols}
    if moving := [name for name in others if name in found]:
        plain = ", ".join(names)
        raise LanguageError(
            f"holds {', '.join(moving)}: a level set is written in {plain} and fixed parameters", config
        )
    if learned := [name for name in parameters if name in found and symbol(name) not in values]:
        raise LanguageError(f"{', '.join(learned)} is learned, so it cannot shape the domain", config)
    phi = phi.xreplace({symbol(name): sympy.Float(values[symbol(name)]) for name in parameters if name in found})
    try:
        return _level_set(" ".join(config.split()), phi, names, tuple(ranges.values()))
    except TypeError as error:  # the derivative of a jump
        raise LanguageError(f"has no gradient: {error}", config) from None


@lru_cache(maxsize=32)
def _level_set(text: str, phi: sympy.Expr, names: tuple[str, ...], ranges: tuple[tuple[float, float], ...]) -> LevelSet:
    """The shape where phi is negative; a command reads a problem several times."""
    value, gradient = _Evaluation([phi], names), _Evaluation([phi.diff(symbol(name)) for name in names], names)
    return LevelSet(names, LevelFunction(text, phi, value.value, gradient.gradient), ranges)
