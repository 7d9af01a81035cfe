"""Texts of the problem language written as mathematics, in the order in which they stand.

Nothing is evaluated or simplified: `u_t = alpha * u_xx` keeps its two sides. A `Style` says what the parts look like.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from pinnkit.language.errors import LanguageError
from pinnkit.language.tokens import Source, name_of, split_equation, tokenize

SUM, SIGNED, PRODUCT, POWER, ATOM = range(1, 6)
"""How tightly the parts of an expression are bound; SIGNED: a product that begins with a minus."""
MINUS, CROSS = "\u2212", "\u00d7"
RELATIONS = {ast.Lt: "<", ast.LtE: "≤", ast.Gt: ">", ast.GtE: "≥"}
FUNCTION_NAMES = {"re": "Re", "im": "Im", "heaviside": "H", "sign": "sgn", "asin": "arcsin", "acos": "arccos"}
FUNCTION_NAMES |= {"atan": "arctan", "ln": "log"}


@dataclass(frozen=True)
class Part:
    """An expression as written, and how tightly it is bound."""

    text: str
    bond: int = ATOM
    number: bool = False


class Style(Protocol):
    """What the parts of an expression look like; texts are escaped by it."""

    def name(self, name: str) -> Part: ...
    def function(self, name: str) -> str: ...
    def number(self, text: str) -> Part: ...
    def sign(self, sign: str) -> str: ...
    def row(self, *parts: str) -> str: ...
    def brackets(self, text: str, left: str = "(", right: str = ")") -> str: ...
    def derivative(self, of: Part, by: Sequence[str], side: str) -> Part: ...
    def times(self, left: Part, right: Part) -> str: ...
    def fraction(self, over: Part, under: Part) -> Part: ...
    def power(self, base: str, exponent: Part) -> Part: ...
    def root(self, of: str) -> Part: ...
    def conjugate(self, of: Part) -> Part: ...
    def operator(self, by: Sequence[str]) -> str: ...
    def integral(self, body: Part, over: str, lower: str, upper: str) -> Part: ...
    def cases(self, condition: str, first: str, second: str) -> Part: ...


def write(text: str, style: Style, fields: Collection[str], coordinates: Sequence[str]) -> str | None:
    """An equation, an expression or a condition in a style; None for what is no text of the language.

    Args:
        fields: names whose derivatives are written u_x; tables among them.
    """
    try:
        sides = split_equation(tokenize(text, fields), text)
        writer = _Writer(style, fields, coordinates)
        written = [writer.part(ast.parse(Source(side).code, mode="eval").body).text for side in sides]
    except (LanguageError, SyntaxError, RecursionError, MemoryError, _Unknown):
        return None
    return written[0] if len(written) == 1 else style.row(written[0], style.sign("="), written[1])


class _Unknown(Exception):
    """A node that has no notation."""


class _Writer:
    def __init__(self, style: Style, fields: Collection[str], coordinates: Sequence[str]) -> None:
        self.style, self.fields, self.coordinates = style, fields, coordinates

    def part(self, node: ast.expr) -> Part:
        style = self.style
        if isinstance(node, ast.Constant):
            return style.number(repr(node.value))
        if (name := name_of(node)) is not None:
            return self._name(name)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return Part(style.row(style.sign(MINUS), self._bound(node.operand, PRODUCT)), SIGNED)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.UAdd):
            return self.part(node.operand)
        if isinstance(node, ast.UnaryOp):
            return Part(style.row(style.function("not"), self._bound(node.operand, ATOM)), SUM)
        if isinstance(node, ast.BinOp):
            return self._operation(node)
        if isinstance(node, ast.Call):
            return self._call(node)
        if isinstance(node, ast.Compare):
            pieces = [self.part(node.left).text]
            for operator, right in zip(node.ops, node.comparators, strict=True):
                pieces += [style.sign(RELATIONS[type(operator)]), self.part(right).text]
            return Part(style.row(*pieces), 0)
        if isinstance(node, ast.BoolOp):
            word = style.function("and" if isinstance(node.op, ast.And) else "or")
            pieces = [self._bound(one, 0) for one in node.values]
            return Part(style.row(pieces[0], *(piece for one in pieces[1:] for piece in (word, one))), 0)
        raise _Unknown

    def _bound(self, node: ast.expr, bond: int) -> str:
        """A part in brackets where it is bound less tightly."""
        part = self.part(node)
        return part.text if part.bond >= bond else self.style.brackets(part.text)

    def _name(self, name: str) -> Part:
        base, _, rest = name.partition(".")
        side, _, tail = rest.partition("_")
        if not rest:
            found = max((one for one in self.fields if name.startswith(f"{one}_")), key=len, default=None)
            if name in self.fields or found is None:
                return self.style.name(name)
            base, tail = found, name[len(found) + 1 :]
        by = self._split(tail)
        return self.style.derivative(self.style.name(base), by, side) if by or side else self.style.name(name)

    def _split(self, tail: str) -> list[str]:
        """The coordinates in the tail of a derivative's name; empty where it is none."""
        names = sorted({*self.coordinates, "n"}, key=len, reverse=True)
        pattern = "|".join(map(re.escape, names))
        return re.findall(pattern, tail) if re.fullmatch(f"(?:{pattern})+", tail) else []

    def _operation(self, node: ast.BinOp) -> Part:
        style = self.style
        if isinstance(node.op, ast.Pow):
            base = self._bound(node.left, ATOM)
            if isinstance(node.left, ast.BinOp) and isinstance(node.left.op, ast.Pow):  # (u^2)^3 is not u^(2^3)
                base = style.brackets(base)
            return style.power(base, self.part(node.right))
        if isinstance(node.op, ast.Div):
            return style.fraction(self.part(node.left), self.part(node.right))
        if isinstance(node.op, ast.Mult):
            left, right = self.part(node.left), self.part(node.right)
            left = left if left.bond >= SIGNED else Part(style.brackets(left.text))
            right = right if right.bond >= PRODUCT else Part(style.brackets(right.text))
            return Part(style.times(left, right), min(left.bond, PRODUCT), right.number)
        if not isinstance(node.op, ast.Add | ast.Sub):
            raise _Unknown
        sign = style.sign("+" if isinstance(node.op, ast.Add) else MINUS)
        right = self.part(node.right)
        kept = right.bond >= PRODUCT or (right.bond == SUM and isinstance(node.op, ast.Add))
        after = right.text if kept else style.brackets(right.text)
        return Part(style.row(self.part(node.left).text, sign, after), SUM)

    def _call(self, node: ast.Call) -> Part:
        style, name = self.style, name_of(node.func)
        if name is None:
            raise _Unknown
        given = [self.part(one) for one in node.args]
        texts = [one.text for one in given]
        inside = self._listed(texts)
        if node.keywords:
            places = [
                style.row(style.name(one.arg or "").text, style.sign("="), self.part(one.value).text)
                for one in node.keywords
            ]
            return Part(style.row(self._name(name).text, style.brackets(self._listed(places))))
        if name == "abs" and len(texts) == 1:
            return Part(style.brackets(texts[0], "|", "|"))
        if name == "sqrt" and len(texts) == 1:
            return style.root(texts[0])
        if name == "conj" and len(given) == 1:
            return style.conjugate(given[0])
        if name in ("laplacian", "grad") and len(given) == 1:
            nabla = style.power(style.sign("∇"), style.number("2")).text if name == "laplacian" else style.sign("∇")
            return Part(style.row(nabla, self._bound(node.args[0], ATOM)), PRODUCT)
        if name in ("div", "curl"):
            vector = texts[0] if len(texts) == 1 and given[0].bond == ATOM else style.brackets(inside)
            return Part(style.row(style.sign("∇"), style.sign("·" if name == "div" else CROSS), vector), PRODUCT)
        if name == "dot" and len(texts) == 2:
            pair = [self._bound(one, PRODUCT) for one in node.args]
            return Part(style.row(pair[0], style.sign("·"), pair[1]), PRODUCT)
        if name == "diff" and len(given) > 1:
            return Part(style.row(style.operator(_repeated(node.args[1:])), self._bound(node.args[0], ATOM)), PRODUCT)
        if name == "integral" and len(given) in (2, 4) and (over := name_of(node.args[1])):
            if len(given) == 2 and over not in self.coordinates:
                return style.integral(given[0], "", style.name(over).text, "")
            return style.integral(given[0], over, *(texts[2:] or ("", "")))
        if name == "where" and len(texts) == 3:
            return style.cases(*texts)
        return Part(style.row(style.function(FUNCTION_NAMES.get(name, name)), style.brackets(inside)))

    def _listed(self, texts: Sequence[str]) -> str:
        comma = self.style.sign(",")
        return self.style.row(*[piece for one in texts for piece in (comma, one)][1:])


def _repeated(nodes: Sequence[ast.expr]) -> list[str]:
    """The coordinates that `diff` names; a number repeats the one before it."""
    by: list[str] = []
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, int) and by:
            by += [by[-1]] * (node.value - 1)
        elif (name := name_of(node)) is not None:
            by.append(name)
        else:
            raise _Unknown
    return by
