"""Scopes of the tests of the grammar."""

from __future__ import annotations

from pinnkit.language.calculus import symbol
from pinnkit.language.grammar import (
    Scope,
)

X, Y, T, ALPHA = (symbol(name) for name in ("x", "y", "t", "alpha"))


XYT = ("x", "y", "t")


SCOPE = Scope(XYT, {"u": XYT, "v": XYT, "k": ("x",)}, ("alpha",), ("S_x",), space=("x", "y"))
