"""Reading equations, and refusing keys that nothing reads."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sympy

from pinnkit.language import calculus
from pinnkit.language.errors import LanguageError, Report, suggestion
from pinnkit.language.grammar import Scope, equation
from pinnkit.problem.problem import Equation


def check_keys(report: Report, path: str, words: Mapping[str, Any], valid: Sequence[str]) -> None:
    """Report every key that nothing reads. A key that is no name is usually an expression split at its comma."""
    for key in words:
        if key in valid:
            continue
        where = f"{path}.{key}" if path else str(key)
        if re.fullmatch(r"[A-Za-z_]\w*", str(key)):
            report.add(where, f"unknown key '{key}'{suggestion(str(key), valid)}")
        else:
            report.add(
                where,
                f"unknown key '{key}': inside {{...}} and [...] YAML takes a comma for a separator; "
                "quote the expression, or write it on a line of its own",
            )


def read_equations(
    words: Any, key: str, name: str, scope: Scope, report: Report, prefix: str = ""
) -> tuple[Equation, ...]:
    """Equations from a text, a callable, a list or a mapping of these; `name` names the unnamed."""
    if words is None:
        return ()
    if isinstance(words, Mapping):
        named = {f"{prefix}{part}": (f"{key}.{part}", value) for part, value in words.items()}
    elif isinstance(words, Sequence) and not isinstance(words, str):
        many = len(words) > 1
        named = {
            (f"{name}_{number}" if many else name): (f"{key}[{number}]", value)
            for number, value in enumerate(words, start=1)
        }
    else:
        named = {name: (key, words)}
    if not named:
        report.add(key, "is empty: write an equation such as u_t = alpha * u_xx")
    equations = []
    for label, (path, value) in named.items():
        with report.at(path):
            if not re.fullmatch(r"[A-Za-z][\w-]*", label):
                raise LanguageError(f"'{label}' cannot name an equation: use letters, digits, _ and -")
            equations.append(Equation(label, *_residual(value, scope)))
    return tuple(equations)


def _residual(value: Any, scope: Scope) -> tuple[str, sympy.Expr | Callable[[Any], Any]]:
    if callable(value):
        return getattr(value, "__name__", "residual"), value
    if value is None or not isinstance(value, str):
        raise LanguageError(f"{value!r} is not an equation: write left = right")
    residual = equation(value, scope)
    if not calculus.partials(residual):
        raise LanguageError(
            f"mentions no field, so no network can satisfy it; fields are {', '.join(scope.fields)}", value
        )
    return value, residual
