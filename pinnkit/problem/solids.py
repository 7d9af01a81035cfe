"""The solid that `domain` writes: an expression of the names of shapes."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from pinnkit.domains.combination import DIFFERENCE, INTERSECTION, UNION, Combination
from pinnkit.domains.shape import Shape
from pinnkit.language.errors import LanguageError, suggestion

LENGTH, DEPTH, NAMES = 2000, 20, 50
"""Characters of an expression, brackets in brackets, and names in it, at most."""
RULE = "a domain is made of names of shapes, + (both together), - (cut out), & (what is in both) and brackets"
_TOKEN = re.compile(r"(?P<name>[A-Za-z_]\w*)|(?P<sign>\S)", re.ASCII)


def read_solid(
    text: str, shapes: Mapping[str, Shape], known: Sequence[str], later: Collection[str] = ()
) -> Shape | None:
    """The solid; None where it has a name that is known, and has no shape, since that has a mistake of its own.

    & binds closer than + and -, which are done from left to right. Names in `later` have their shapes after this one.

    Raises:
        LanguageError: with the place.
    """
    return _Reader(text, shapes, known, later).read()


class _Reader:
    """A reader of one expression, from left to right."""

    def __init__(self, text: str, shapes: Mapping[str, Shape], known: Sequence[str], later: Collection[str]) -> None:
        self.text, self.shapes, self.known, self.later = text, shapes, known, later
        if len(text) > LENGTH:
            raise LanguageError(f"the text has {len(text)} characters; the most is {LENGTH}")
        self.tokens = [(match.lastgroup, match.group(), match.start()) for match in _TOKEN.finditer(text)]
        self.place = 0
        count = sum(kind == "name" for kind, _, _ in self.tokens)
        if count > NAMES:
            raise LanguageError(f"the text has {count} names; the most is {NAMES}")

    def read(self) -> Shape | None:
        solid = self._sum(0)
        if self.place < len(self.tokens):
            found = self._next
            if found == ")":
                raise self._mistake("this ')' closes nothing")
            known = found in (UNION, DIFFERENCE, INTERSECTION, "(") or re.match(r"\w", found)
            raise self._mistake("an operator is missing here: one of + - &" if known else f"'{found}': {RULE}")
        return solid

    @property
    def _next(self) -> str:
        return self.tokens[self.place][1] if self.place < len(self.tokens) else ""

    def _mistake(self, message: str, position: int | None = None) -> LanguageError:
        if position is None:
            at_end = self.place >= len(self.tokens)
            position = len(self.text.rstrip()) if at_end else self.tokens[self.place][2]
        return LanguageError(message, self.text, position)

    def _sum(self, depth: int) -> Shape | None:
        solid = self._product(depth)
        while self._next in (UNION, DIFFERENCE):
            solid = self._joined(solid, depth)
        return solid

    def _product(self, depth: int) -> Shape | None:
        solid = self._one(depth)
        while self._next == INTERSECTION:
            solid = self._joined(solid, depth)
        return solid

    def _joined(self, left: Shape | None, depth: int) -> Shape | None:
        _, sign, position = self.tokens[self.place]
        self.place += 1
        right = self._one(depth) if sign == INTERSECTION else self._product(depth)
        if left is None or right is None:
            return None
        try:
            return Combination(sign, left, right)
        except ValueError:
            reason = {
                DIFFERENCE: "what is cut out covers all of it",
                INTERSECTION: "the two have no part in common",
                UNION: "both are too thin",
            }[sign]
            raise self._mistake(f"nothing is left here: {reason}", position) from None

    def _one(self, depth: int) -> Shape | None:
        if self.place >= len(self.tokens):
            raise self._mistake("the text ends where the name of a shape is needed")
        kind, word, _ = self.tokens[self.place]
        if word == "(":
            if depth >= DEPTH:
                raise self._mistake(f"brackets nested deeper than {DEPTH}")
            start = self.tokens[self.place][2]
            self.place += 1
            solid = self._sum(depth + 1)
            if self._next != ")":
                if self.place < len(self.tokens):
                    raise self._mistake(f"'{self._next}' cannot stand here: {RULE}")
                raise self._mistake("this '(' is never closed", start)
            self.place += 1
            return solid
        if kind != "name":
            raise self._mistake(f"'{word}' cannot stand here: {RULE}")
        if word not in self.known:
            raise self._mistake(f"there is no shape '{word}'{suggestion(word, self.known)}")
        if word in self.later:
            raise self._mistake(f"uses '{word}', which is not defined before: it is made of shapes and earlier names")
        self.place += 1
        return self.shapes.get(word)
