"""Labels of figures and file names."""

from __future__ import annotations

import re
from collections.abc import Iterable

_GREEK = re.findall(
    r"\w+",
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi "
    "chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega",
)


def math_name(name: str) -> str:
    r"""The name of a coordinate, field or parameter in mathtext.

    >>> [math_name(name) for name in ("u", "alpha", "x1", "V_x", "T_wall", "speed")]
    ['$u$', '$\\alpha$', '$x_{1}$', '$V_{x}$', '$T_{\\mathrm{wall}}$', '$\\mathrm{speed}$']
    """
    match = re.fullmatch(r"([A-Za-z]+?)(?:_([A-Za-z0-9]+)|([0-9]+))?", name)
    if match is None:
        return plain_text(name)
    base, *subscripts = match.groups()
    subscript = next((text for text in subscripts if text), None)
    return f"${_symbol(base)}" + (f"_{{{_symbol(subscript)}}}$" if subscript else "$")


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
