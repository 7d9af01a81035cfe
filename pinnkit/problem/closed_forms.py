"""Closed forms of unknowns: a text to the expressions of the real fields of which an unknown is made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy

from pinnkit.language.errors import LanguageError
from pinnkit.language.grammar import Scope, complex_expression
from pinnkit.problem.parts import Field


def read_closed_form(text: Any, unknown: str, fields: Sequence[Field], scope: Scope) -> dict[str, sympy.Expr]:
    """Field -> its closed form, for each field of an unknown.

    Raises:
        LanguageError: also where the text is complex and the unknown is not, or it depends on other coordinates.
    """
    re, im = complex_expression(text, scope)
    members = [one for one in fields if one.unknown == unknown]
    if im != 0 and not any(one.component for one in members):
        raise LanguageError(
            f"is complex, and {unknown} is real: declare it by fields: {{{unknown}: complex}}", str(text)
        )
    others = {str(one) for one in re.free_symbols | im.free_symbols} & set(scope.coordinates)
    others -= set(members[0].coordinates)
    if others:
        raise LanguageError(f"depends on {', '.join(sorted(others))}, but {unknown} does not", str(text))
    return {one.name: im if one.component == "im" else re for one in members}
