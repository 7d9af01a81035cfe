"""Tokens of an expression with their positions, and checks that do not depend on names.

What passes the checks and reaches Python's parser is a short sequence of numbers, names, brackets and operators.
"""

from __future__ import annotations

import ast
import bisect
import keyword
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pinnkit.language.errors import LanguageError

MAX_LENGTH = 2000
MAX_DEPTH = 60
MAX_DIGITS = 50
SMALLEST_NUMBER = 1e-300  # magnitude of a number that is not zero: below it digits are lost
MAX_NAME = 120  # a declared name has 60 characters at most, a derivative some more

_TOKEN = re.compile(
    r"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z_0-9]*(?:\.[A-Za-z_][A-Za-z_0-9]*)?)"
    r"|(?P<sign>\*\*|<=|>=|==|!=|<>|//|&&|\|\||:=|->|\S)"
)
_WORDS = ("and", "or", "not")
_SIGNS = frozenset(("+", "-", "*", "/", "^", "**", "(", ")", ",", "=", "<", "<=", ">", ">="))
_REFUSED = {
    "==": "'==' has no place here: an equation is written with a single '='",
    "!=": "'!=' has no place here; comparisons are <, <=, > and >=",
    "<>": "'<>' has no place here; comparisons are <, <=, > and >=",
    "&&": "'&&' has no place here; write 'and'",
    "&": "'&' has no place here; write 'and'",
    "||": "'||' has no place here; write 'or'",
    "|": "'|' has no place here; write 'or', or abs(...) for a magnitude",
    "!": "'!' has no place here; write 'not'",
    "~": "'~' has no place here; write 'not'",
    ".": "attributes are not allowed: a '.' stands only in numbers",
    "[": "subscripts and lists are not allowed; a derivative is written u_x, a bracket ( )",
    "]": "subscripts and lists are not allowed; a derivative is written u_x, a bracket ( )",
    "{": "braces are not allowed; brackets are ( )",
    "}": "braces are not allowed; brackets are ( )",
    '"': "strings are not allowed inside an expression",
    "'": "strings are not allowed inside an expression; a derivative is written u_x",
}
_LOOKALIKES = {
    "\u2212": "-", "\u2013": "-", "\u2014": "-", "\u00b7": "*", "\u22c5": "*", "\u00d7": "*", "\u2217": "*",
    "\u00f7": "/", "\u00b2": "^2", "\u00b3": "^3", "\u2264": "<=", "\u2265": ">=", "\u221a": "sqrt(...)",
    "\u03c0": "pi", "\u03b1": "alpha", "\u03b2": "beta", "\u03b3": "gamma", "\u03b4": "delta",
    "\u03b5": "epsilon", "\u03ba": "kappa", "\u03bb": "lambda_", "\u03bc": "mu", "\u03bd": "nu",
    "\u03c1": "rho", "\u03c3": "sigma", "\u03b8": "theta", "\u03c6": "phi", "\u03c9": "omega",
    "\u0394": "laplacian(...)", "\u2207": "grad(...)",
}  # fmt: skip


@dataclass(frozen=True)
class Token:
    kind: str  # number, name or sign (an operator, a bracket, a comma; also and, or, not)
    text: str
    position: int

    @property
    def is_value(self) -> bool:
        return self.kind != "sign"


def vanishes(number: str) -> bool:
    """Whether a number that is not zero is read as zero, or has lost digits.

    >>> vanishes("1e-400"), vanishes("-2.5E-301"), vanishes("0.0e-400"), vanishes("1e-300")
    (True, True, False, False)
    """
    mantissa = number.lower().partition("e")[0]
    return any(character in "123456789" for character in mantissa) and abs(float(number)) < SMALLEST_NUMBER


def tokenize(text: str, fields: Collection[str] = ()) -> list[Token]:
    """The tokens of `text`; LanguageError if it is no expression whatever its names mean.

    Args:
        fields: names that may stand before a dot, as in u.left.
    """
    if len(text) > MAX_LENGTH:
        raise LanguageError(f"the text has {len(text)} characters; the most is {MAX_LENGTH}", text, MAX_LENGTH)
    for position, character in enumerate(text):
        _check_character(character, text, position)
    tokens = []
    for match in _TOKEN.finditer(text):
        token = Token(str(match.lastgroup), match.group(), match.start())
        _check_token(token, text, fields)
        if token.text in _WORDS:
            token = Token("sign", token.text, token.position)
        tokens.append(token)
    if not tokens:
        raise LanguageError("the expression is empty", text, 0)
    _check_brackets(tokens, text)
    _check_order(tokens, text)
    return tokens


def split_equation(tokens: Sequence[Token], text: str) -> list[list[Token]]:
    """The tokens on either side of the `=` outside all brackets: one list or two."""
    sides: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += (token.text == "(") - (token.text == ")")
        if token.text == "=" and depth == 0:
            if len(sides) == 2:
                raise LanguageError("a second '=': an equation has one, write two equations", text, token.position)
            sides.append([])
        else:
            sides[-1].append(token)
    return sides


class Source:
    """Tokens as Python source; `position` maps a column of it to the user's text."""

    def __init__(self, tokens: Sequence[Token]):
        parts, self._starts, self._positions = [], [], []
        column = 0
        for token in tokens:
            part = {"^": "**"}.get(token.text, token.text)
            if part.isdigit():
                part = str(int(part))  # Python refuses 007
            parts.append(part)
            self._starts.append(column)
            self._positions.append(token.position)
            column += len(part) + 1
        self.code = " ".join(parts)

    def position(self, column: int) -> int:
        return self._positions[max(0, bisect.bisect_right(self._starts, column) - 1)]


def name_of(node: ast.expr) -> str | None:
    """The name that a node writes, which may be a field's function in a part, u.left; None: it is no name."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{node.value.id}.{node.attr}"  # the tokens before the dot are fields: nothing else has got here
    return None


def _check_character(character: str, text: str, position: int) -> None:
    if character.isascii():
        if not character.isprintable() and character not in "\t\n\r":
            raise LanguageError(f"the control character {character!r} is not allowed", text, position)
        return
    hint = f"; write {_LOOKALIKES[character]}" if character in _LOOKALIKES else "; plain ASCII is"
    raise LanguageError(f"the character {character!a} is not allowed{hint}", text, position)


def _check_token(token: Token, text: str, fields: Collection[str]) -> None:
    if token.kind == "sign" and token.text not in _SIGNS:
        message = _REFUSED.get(token.text, f"'{token.text}' is not an operator here; those are + - * / ^")
        raise LanguageError(message, text, token.position)
    if token.kind == "number":
        digits = sum(character.isdigit() for character in token.text)
        if digits > MAX_DIGITS:
            raise LanguageError(f"a number of {digits} digits; the most is {MAX_DIGITS}", text, token.position)
        if vanishes(token.text):
            raise LanguageError(
                f"{token.text} is nearer to zero than {SMALLEST_NUMBER:g}; write 0", text, token.position
            )
    base, dot, _ = token.text.partition(".")
    if token.kind == "name" and dot and base not in fields:
        raise LanguageError(_REFUSED["."], text, token.position + len(base))
    if token.kind == "name" and len(token.text) > MAX_NAME:
        message = f"a name of {len(token.text)} characters; the most is {MAX_NAME}"
        raise LanguageError(message, text, token.position)
    if token.kind == "name" and keyword.iskeyword(token.text) and token.text not in _WORDS:
        hint = "; a case distinction is where(condition, a, b)" if token.text in ("if", "else") else ""
        raise LanguageError(f"'{token.text}' is a word of Python, not of this language{hint}", text, token.position)


def _check_brackets(tokens: Sequence[Token], text: str) -> None:
    open_at = []
    for token in tokens:
        if token.text == "(":
            open_at.append(token.position)
            if len(open_at) > MAX_DEPTH:
                raise LanguageError(f"brackets nested deeper than {MAX_DEPTH}", text, token.position)
        elif token.text == ")":
            if not open_at:
                raise LanguageError("this ')' closes nothing", text, token.position)
            open_at.pop()
    if open_at:
        raise LanguageError("this '(' is never closed", text, open_at[-1])


def _check_order(tokens: Sequence[Token], text: str) -> None:
    """Check that values and operators alternate."""
    before: Token | None = None  # the token before, None at the start
    prefixes = 0
    for place, token in enumerate(tokens):
        if before is None or (before.kind == "sign" and before.text != ")"):  # a value must follow
            if token.kind == "sign" and token.text not in ("+", "-", "not", "("):
                empty_call = (
                    token.text == ")"
                    and before is not None
                    and before.text == "("
                    and place > 1
                    and tokens[place - 2].kind == "name"
                )
                if not empty_call:
                    raise LanguageError(_missing(before, token), text, token.position)
            prefixes = prefixes + 1 if token.text in ("+", "-", "not") else 0
            if prefixes > MAX_DEPTH:
                raise LanguageError(f"more than {MAX_DEPTH} signs in a row", text, token.position)
        else:
            prefixes = 0
            call = token.text == "(" and before.kind == "name"
            if (token.is_value or token.text == "(") and not call:
                raise LanguageError(_side_by_side(before, token), text, token.position)
            if token.text == "not":
                raise LanguageError("'not' stands before a condition, as in not x > 0", text, token.position)
        before = token
    assert before is not None
    if before.kind == "sign" and before.text != ")":
        raise LanguageError(f"the text ends where '{before.text}' needs a value", text, len(text.rstrip()))


def _missing(before: Token | None, token: Token) -> str:
    if before is None:
        return f"'{token.text}' has nothing on its left"
    if token.text == ")":
        return "there is nothing between these brackets" if before.text == "(" else f"'{before.text}' needs a value"
    return f"'{token.text}' cannot follow '{before.text}'"


def _side_by_side(before: Token, token: Token) -> str:
    if before.kind == "number" and token.kind == "number":
        return "two numbers side by side; write an operator between them"
    left = "..." if before.text == ")" else before.text
    left = f"({left})" if before.text == ")" else left
    right = "(...)" if token.text == "(" else token.text
    if before.kind == "number" and token.text in ("i", "j", "I", "J"):
        return f"a product needs its sign: write {left}*{right}; the imaginary unit is i"
    return f"a product needs its sign: write {left}*{right}"
