"""Texts of the problem language in Unicode on one line, for places that know no mathematics."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pinnkit.language.notation import ATOM, CROSS, MINUS, POWER, PRODUCT, SIGNED, Part, write
from pinnkit.language.symbols import letters

RAISED = str.maketrans(f"0123456789{MINUS}", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")

SPACED = f"=<>≤≥+·{MINUS}{CROSS}"
"""Signs with a space on both sides."""


def unicode_text(text: str, fields: Collection[str], coordinates: Sequence[str]) -> str:
    """An equation or an expression in Unicode; what is no text of the language stays as it is.

    >>> unicode_text("u_t = mu*u_xx + 2*u^2/3", ["u"], ["x", "t"])
    '∂u/∂t = μ ∂²u/∂x² + 2 u²/3'
    """
    written = write(text, _Unicode(), fields, coordinates)
    return text if written is None else written


class _Unicode:
    """The style."""

    def name(self, name: str) -> Part:
        base, subscript = letters(name)
        if subscript.isdigit():
            return Part(base + subscript.translate(LOWERED))
        return Part(f"{base}_{subscript}" if subscript else base)

    def function(self, name: str) -> str:
        return f" {name} " if name in ("and", "or", "not") else name

    def number(self, text: str) -> Part:
        mantissa, _, exponent = text.partition("e")
        if not exponent:
            return Part(text, ATOM, number=True)
        power = "10" + str(int(exponent)).replace("-", MINUS).translate(RAISED)
        return Part(power if mantissa == "1" else f"{mantissa}·{power}", PRODUCT, number=True)

    def sign(self, sign: str) -> str:
        return f"{sign} " if sign == "," else f" {sign} " if sign in SPACED else sign

    def row(self, *parts: str) -> str:
        return "".join(parts).removeprefix(" ") if parts[:1] != (f" {MINUS} ",) else MINUS + "".join(parts[1:])

    def brackets(self, text: str, left: str = "(", right: str = ")") -> str:
        return f"{left}{text}{right}"

    def derivative(self, of: Part, by: Sequence[str], side: str) -> Part:
        name = f"{of.text}[{side}]" if side else of.text
        return Part(f"∂{_raised(len(by))}{name}/{self._below(by)}", POWER) if by else Part(name)

    def times(self, left: Part, right: Part) -> str:
        return f"{left.text}{'·' if right.number else ' '}{right.text}"

    def fraction(self, over: Part, under: Part) -> Part:
        above = over.text if over.bond in (SIGNED, PRODUCT, ATOM) else f"({over.text})"
        below = under.text if under.bond == ATOM else f"({under.text})"
        return Part(f"{above}/{below}", SIGNED if over.bond == SIGNED else PRODUCT)

    def power(self, base: str, exponent: Part) -> Part:
        text = exponent.text
        if set(text) <= set(f"0123456789{MINUS}"):
            return Part(base.strip() + text.translate(RAISED))
        return Part(f"{base}^{text}" if exponent.bond == ATOM else f"{base}^({text})")

    def root(self, of: str) -> Part:
        return Part(f"√{of}" if of.isalnum() else f"√({of})")

    def conjugate(self, of: Part) -> Part:
        return Part(f"conj({of.text})")

    def operator(self, by: Sequence[str]) -> str:
        return f"∂{_raised(len(by))}/{self._below(by)} "

    def _below(self, by: Sequence[str]) -> str:
        return "".join(f"∂{self.name(one).text}{_raised(by.count(one))}" for one in dict.fromkeys(by))

    def integral(self, body: Part, over: str, lower: str, upper: str) -> Part:
        bounds = f"[{lower}, {upper}]" if upper else f"[{lower}]" if lower else ""
        inside = body.text if body.bond >= PRODUCT else f"({body.text})"
        return Part(f"∫{bounds} {inside}{f' d{self.name(over).text}' if over else ''}", PRODUCT)

    def cases(self, condition: str, first: str, second: str) -> Part:
        return Part(f"{{{first} if {condition}; {second} otherwise}}")


def _raised(count: int) -> str:
    return "" if count == 1 else str(count).translate(RAISED)
