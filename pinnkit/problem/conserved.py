"""Reading of conserved quantities: expressions that an exact solution keeps constant in time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pinnkit.language.calculus import symbol
from pinnkit.language.errors import LanguageError, Report
from pinnkit.language.grammar import Scope, complex_expression
from pinnkit.language.integral import all_partials
from pinnkit.problem.equations import is_label
from pinnkit.problem.parts import Equation

KEY = "conserve"
MOST = 20
"""Conserved quantities at most."""


def read_conserved(
    config: Any, scope: Scope, time: str | None, ranged: Sequence[str], report: Report
) -> tuple[Equation, ...]:
    """The conserved quantities by name, each with its expression as the residual; mistakes go to the report.

    Args:
        time: None where there is none.
        ranged: parameters with a range, on which they may depend.
    """
    if not isinstance(config, Mapping):
        report.add(KEY, f'{config!r} is not a mapping: write {{mass: "integral(u, x)"}}')
        return ()
    if config and time is None:
        report.add(KEY, "names what does not change with time, and the problem has none")
        return ()
    if len(config) > MOST:
        report.add(KEY, f"has {len(config)} names; the most is {MOST}")
        return ()
    found = []
    for name, text in config.items():
        with report.at(f"{KEY}.{name}"):
            if not is_label(str(name)):
                raise LanguageError(f"'{name}' cannot name a quantity: use letters, digits, _ and -")
            if not isinstance(text, str | int | float) or isinstance(text, bool):
                raise LanguageError(f"{text!r} is no expression: write integral(u, x)")
            value, imaginary = complex_expression(text, scope)
            if imaginary != 0:
                raise LanguageError("is complex: write its real part, re(...)", str(text))
            if not all_partials(value):
                raise LanguageError("holds no field", str(text))
            if whole := sorted({one.field for one in all_partials(value)} & set(scope.parts)):
                parts = ", ".join(f"{whole[0]}.{part}" for part in scope.parts[whole[0]])
                raise LanguageError(f"holds {whole[0]}, which has parts: name one of {parts}", str(text))
            free = {str(one) for one in value.free_symbols}
            varies = [one for one in scope.coordinates if one not in (time, *ranged) and one in free]
            if varies:
                raise LanguageError(
                    f"depends on {', '.join(varies)}: what is conserved is a number at each time, such as an integral "
                    f"over {' and '.join(varies)}",
                    str(text),
                )
            if symbol(str(time)) not in value.free_symbols:
                raise LanguageError(f"does not depend on {time}: nothing could change it", str(text))
            found.append(Equation(str(name), str(text), value))
    return tuple(found)
