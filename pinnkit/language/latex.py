"""Texts of the problem language in LaTeX, for notebooks and papers."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pinnkit.language.notation import ATOM, MINUS, POWER, PRODUCT, SIGNED, Part, write
from pinnkit.language.symbols import GREEK, letters

COMMANDS = {letter: f"\\{name}" for name, letter in GREEK.items()}
SIGNS = {MINUS: "-", "·": r"\cdot", "×": r"\times", "∇": r"\nabla", "≤": r"\le", "≥": r"\ge"}  # noqa: RUF001
SPECIAL = {one: rf"\{one}" for one in "_%&#${}"} | {"^": r"\^{}", "\\": r"\textbackslash{}", "~": r"\textasciitilde{}"}
"""Signs that mean something in LaTeX -> how they are written."""
KNOWN = ("sin", "cos", "tan", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan", "exp", "log", "min", "max")
"""Functions that have a command of their own."""


def latex_text(text: str, fields: Collection[str], coordinates: Sequence[str]) -> str:
    r"""An equation or an expression in LaTeX, without dollar signs; what is no text of the language as typewriter text.

    >>> print(latex_text("u_t = mu*u_xx + 2*u^2/3", ["u"], ["x", "t"]))
    u_{t} = \mu \, u_{xx} + \frac{2 \, u^{2}}{3}
    >>> print(latex_text("k*u_n + sqrt(u) = exp(-x)", ["u"], ["x"]))
    k \, u_{n} + \sqrt{u} = \exp\left(-x\right)
    """
    written = write(text, _Latex(), fields, coordinates)
    return rf"\texttt{{{escaped(text)}}}" if written is None else written


def latex_name(name: str) -> str:
    r"""A name, Greek letters by their commands.

    >>> [latex_name(name) for name in ("u", "alpha", "x1", "T_wall")]
    ['u', '\\alpha', 'x_{1}', 'T_{\\mathrm{wall}}']
    """
    base, subscript = letters(name)
    base = COMMANDS.get(base, base)
    if len(base) > 1 and not base.startswith("\\"):
        base = rf"\mathrm{{{escaped(base)}}}"
    if not subscript:
        return base
    below = COMMANDS.get(subscript, subscript)
    if len(below) > 1 and not below.isdigit() and not below.startswith("\\"):
        below = rf"\mathrm{{{escaped(below)}}}"
    return f"{base}_{{{below}}}"


def escaped(text: str) -> str:
    r"""A text in which no sign is one of LaTeX's.

    >>> print(escaped(r"C:\data\a_1.csv, 5 %"))
    C:\textbackslash{}data\textbackslash{}a\_1.csv, 5 \%
    """
    return "".join(SPECIAL.get(one, one) for one in text)


class _Latex:
    """The style."""

    def name(self, name: str) -> Part:
        return Part(latex_name(name))

    def function(self, name: str) -> str:
        if name in ("and", "or", "not"):
            return rf" \text{{ {name} }} "
        return rf"\{name}" if name in KNOWN else rf"\operatorname{{{escaped(name)}}}"

    def number(self, text: str) -> Part:
        mantissa, _, exponent = text.partition("e")
        if not exponent:
            return Part(text, ATOM, number=True)
        power = f"10^{{{int(exponent)}}}"
        return Part(power if mantissa == "1" else rf"{mantissa} \cdot {power}", PRODUCT, number=True)

    def sign(self, sign: str) -> str:
        shown = SIGNS.get(sign, sign)
        return f"{shown} " if sign in (",", "∇") else f" {shown} "

    def row(self, *parts: str) -> str:
        first = parts[0].lstrip() if parts else ""
        if parts and parts[0] == self.sign(MINUS):
            first = "-"
        return first + "".join(parts[1:])

    def brackets(self, text: str, left: str = "(", right: str = ")") -> str:
        return rf"\left{left}{text}\right{right}"

    def derivative(self, of: Part, by: Sequence[str], side: str) -> Part:
        above = rf"^{{\mathrm{{{escaped(side)}}}}}" if side else ""
        names = [latex_name(one) for one in by]
        joined = "".join(names) if all(len(one) == 1 for one in names) else r" \, ".join(names)
        base = f"{{{of.text}}}" if "_" in of.text else of.text
        return Part(f"{base}{above}" + (f"_{{{joined}}}" if by else ""), POWER)

    def times(self, left: Part, right: Part) -> str:
        sign = r"\cdot" if right.number else r"\,"
        return f"{left.text} {sign} {right.text}"

    def fraction(self, over: Part, under: Part) -> Part:
        return Part(rf"\frac{{{over.text}}}{{{under.text}}}", SIGNED if over.bond == SIGNED else PRODUCT)

    def power(self, base: str, exponent: Part) -> Part:
        return Part(f"{{{base}}}^{{{exponent.text}}}" if "_" in base or "^" in base else f"{base}^{{{exponent.text}}}")

    def root(self, of: str) -> Part:
        return Part(rf"\sqrt{{{of}}}")

    def conjugate(self, of: Part) -> Part:
        return Part(rf"\overline{{{of.text}}}")

    def operator(self, by: Sequence[str]) -> str:
        order = "" if len(by) == 1 else f"^{{{len(by)}}}"
        counts = {one: by.count(one) for one in by}
        powers = {one: f"^{{{count}}}" if count > 1 else "" for one, count in counts.items()}
        below = " ".join(rf"\partial {latex_name(one)}{power}" for one, power in powers.items())
        return rf"\frac{{\partial{order}}}{{{below}}} "

    def integral(self, body: Part, over: str, lower: str, upper: str) -> Part:
        bounds = f"_{{{lower}}}" if lower else ""
        bounds += f"^{{{upper}}}" if upper else ""
        inside = body.text if body.bond >= PRODUCT else rf"\left({body.text}\right)"
        return Part(rf"\int{bounds} {inside}" + (rf" \, \mathrm{{d}}{latex_name(over)}" if over else ""), PRODUCT)

    def cases(self, condition: str, first: str, second: str) -> Part:
        rows = rf"{first} & \text{{if }} {condition} \\ {second} & \text{{otherwise}}"
        return Part(rf"\begin{{cases}} {rows} \end{{cases}}")
