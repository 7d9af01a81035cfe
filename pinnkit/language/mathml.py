"""Texts of the problem language as MathML (presentation), which browsers show."""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Sequence

from pinnkit.language.notation import ATOM, MINUS, PRODUCT, Part, write
from pinnkit.language.symbols import letters

TALL = ("<mfrac", "<mtable", "<msqrt", "<msubsup")
"""Elements around which brackets grow."""


def mathml(text: str, fields: Collection[str], coordinates: Sequence[str]) -> str | None:
    """An equation or an expression as a <math> element, escaped; None for what is no text of the language.

    >>> mathml("u_t = 2*u", ["u"], ["x", "t"])[6:]
    '<mrow><msub><mi>u</mi><mi>t</mi></msub><mo>=</mo><mrow><mn>2</mn><mo>\\u2062</mo><mi>u</mi></mrow></mrow></math>'
    """
    written = write(text, _MathML(), fields, coordinates)
    return None if written is None else f"<math>{written}</math>"


class _MathML:
    """The style; every text in it is an element."""

    def name(self, name: str) -> Part:
        base, subscript = letters(name)
        return Part(f"<msub>{_mi(base)}{_mi(subscript)}</msub>" if subscript else _mi(base))

    def function(self, name: str) -> str:
        space = ' lspace="0.4em" rspace="0.4em"' if name in ("and", "or", "not") else ' lspace="0.17em" rspace="0"'
        return f"<mo{space}>{html.escape(name)}</mo>"

    def number(self, text: str) -> Part:
        mantissa, _, exponent = text.partition("e")
        if not exponent:
            return Part(f"<mn>{html.escape(text)}</mn>", ATOM, number=True)
        power = f"<msup><mn>10</mn>{_signed(str(int(exponent)))}</msup>"
        return Part(power if mantissa == "1" else _row(f"<mn>{mantissa}</mn>", "<mo>·</mo>", power), PRODUCT, True)

    def sign(self, sign: str) -> str:
        return f"<mo>{html.escape(sign)}</mo>"

    def row(self, *parts: str) -> str:
        return _row(*parts)

    def brackets(self, text: str, left: str = "(", right: str = ")") -> str:
        stretched = "" if any(one in text for one in TALL) else ' stretchy="false"'
        return _row(f'<mo fence="true"{stretched}>{left}</mo>', text, f'<mo fence="true"{stretched}>{right}</mo>')

    def derivative(self, of: Part, by: Sequence[str], side: str) -> Part:
        below = _row(*(self.name(one).text for one in by))
        above = _mi(side)
        if by and side:
            return Part(f"<msubsup>{of.text}{below}{above}</msubsup>")
        return Part(f"<msub>{of.text}{below}</msub>" if by else f"<msup>{of.text}{above}</msup>")

    def times(self, left: Part, right: Part) -> str:
        sign = "<mo>\u2062</mo>"
        if right.number:
            sign = "<mo>·</mo>"
        elif any(re.search(r"<mi>\w{2}", one.text) for one in (left, right)):  # words would run into each other
            sign = '<mo lspace="0.1em" rspace="0.1em">\u2062</mo>'
        return _row(left.text, sign, right.text)

    def fraction(self, over: Part, under: Part) -> Part:
        return Part(f"<mfrac>{over.text}{under.text}</mfrac>", PRODUCT)

    def power(self, base: str, exponent: Part) -> Part:
        return Part(f"<msup>{base}{exponent.text}</msup>")

    def root(self, of: str) -> Part:
        return Part(f"<msqrt>{of}</msqrt>")

    def conjugate(self, of: Part) -> Part:
        return Part(f"<mover>{of.text}<mo>¯</mo></mover>")

    def operator(self, by: Sequence[str]) -> str:
        names = list(dict.fromkeys(by))
        below = [_row("<mi>∂</mi>", _raised(self.name(one).text, by.count(one))) for one in names]
        return f"<mfrac>{_raised('<mi>∂</mi>', len(by))}{_row(*below)}</mfrac>"

    def integral(self, body: Part, over: str, lower: str, upper: str) -> Part:
        sign = "<mo>∫</mo>"
        if lower and upper:
            sign = f"<msubsup>{sign}{lower}{upper}</msubsup>"
        elif lower:
            sign = f"<msub>{sign}{lower}</msub>"
        inside = body.text if body.bond >= PRODUCT else self.brackets(body.text)
        by = ['<mspace width="0.17em"/>', "<mi>d</mi>", self.name(over).text] if over else []
        return Part(_row(sign, inside, *by), PRODUCT)

    def cases(self, condition: str, first: str, second: str) -> Part:
        rows = f"<mtr><mtd>{first}</mtd><mtd><mtext>if </mtext>{condition}</mtd></mtr>"
        rows += f"<mtr><mtd>{second}</mtd><mtd><mtext>otherwise</mtext></mtd></mtr>"
        return Part(_row('<mo fence="true">{</mo>', f'<mtable columnalign="left left">{rows}</mtable>'), PRODUCT)


def _row(*parts: str) -> str:
    return parts[0] if len(parts) == 1 else f"<mrow>{''.join(parts)}</mrow>"


def _mi(text: str) -> str:
    return f"<mn>{text}</mn>" if text.isdigit() else f"<mi>{html.escape(text)}</mi>"


def _signed(text: str) -> str:
    return _row(f"<mo>{MINUS}</mo>", f"<mn>{text[1:]}</mn>") if text.startswith("-") else f"<mn>{text}</mn>"


def _raised(text: str, count: int) -> str:
    return text if count == 1 else f"<msup>{text}<mn>{count}</mn></msup>"
