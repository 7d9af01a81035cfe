"""Labels of figures and file names."""

from __future__ import annotations

import re
from collections.abc import Iterable

_GREEK = re.findall(
    r"\w+",
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi "
    "chi psi omega varepsilon varphi vartheta hbar Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega",
)
NO_UNIT = ("", "1")
"""Units of what has none."""


def math_name(name: str) -> str:
    r"""The name of a coordinate, field or parameter in mathtext.

    >>> [math_name(name) for name in ("u", "alpha", "x1", "V_x", "T_wall", "speed", "k_cat_2")]
    ['$u$', '$\\alpha$', '$x_{1}$', '$V_{x}$', '$T_{\\mathrm{wall}}$', '$\\mathrm{speed}$', '$k_{\\mathrm{cat},2}$']
    """
    match = re.fullmatch(r"([A-Za-z]+?)([0-9]*)((?:_[A-Za-z0-9]+)*)", name)
    if match is None:
        return plain_text(name)
    base, number, rest = match.groups()
    subscripts = ",".join(_symbol(text) for text in (number, *rest.split("_")) if text)
    return f"${_symbol(base)}" + (f"_{{{subscripts}}}$" if subscripts else "$")


def unit_text(unit: str) -> str:
    r"""A unit in mathtext, empty where there is none: its powers raised, its products with a dot.

    >>> [unit_text(unit) for unit in ("K", "kg*m^-3", "W/(m K)", "1", "%")]
    ['K', 'kg·m$^{-3}$', 'W/(m K)', '', '%']
    """
    if unit in NO_UNIT:
        return ""
    return re.sub(r"(?:\^|\*\*)\(?(-?\d+(?:[./]\d+)?)\)?", r"$^{\1}$", plain_text(unit)).replace("*", "·")


def with_unit(label: str, unit: str) -> str:
    """A label with the unit behind it in parentheses.

    >>> with_unit("$u$", "m/s"), with_unit("$u$", "")
    ('$u$ (m/s)', '$u$')
    """
    text = unit_text(unit)
    return f"{label} ({text})" if text else label


def quantity(label: str, value: float, unit: str = "") -> str:
    """A value with three digits and its unit.

    >>> quantity("$t$", 1 / 3, "s")
    '$t$ = 0.333 s'
    """
    text = unit_text(unit)
    return f"{label} = {value:.3g}" + (f" {text}" if text else "")


def _symbol(text: str) -> str:
    if text in _GREEK:
        return f"\\{text}"
    return text if len(text) == 1 or text.isdigit() else f"\\mathrm{{{text}}}"


def plain_text(text: str) -> str:
    r"""A user's text with nothing in it that matplotlib would take for markup.

    >>> plain_text("cost_$")
    'cost_\\$'
    """
    text = text.replace("$", r"\$")
    return f" {text}" if text.startswith("_") else text  # a legend leaves out labels that start with "_"


def number(value: float) -> str:
    """A figure for a title: two digits are what an error is worth.

    >>> number(3.14e-08), number(0.0)
    ('3.1e-08', '0')
    """
    return "0" if value == 0 else f"{value:.1e}"


def file_name(text: str, taken: Iterable[str] = ()) -> str:
    """The text with all but [A-Za-z0-9_.-] replaced by "_", and a number appended where it is taken.

    Upper and lower case count as the same, as they do in the files of macOS and Windows.

    >>> file_name("residual_mass balance", taken=["Residual_mass_balance"])
    'residual_mass_balance_2'
    """
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", text)
    used = {other.casefold() for other in taken}
    number, unique = 1, name
    while unique.casefold() in used:
        number += 1
        unique = f"{name}_{number}"
    return unique
