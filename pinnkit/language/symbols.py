"""Letters of names: a base, which may be Greek, with a subscript."""

from __future__ import annotations

import re

GREEK = dict(
    zip(
        re.findall(
            r"\w+",
            "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi "
            "chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega",
        ),
        "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩ",
        strict=True,
    )
)


def letters(name: str) -> tuple[str, str]:
    """Base and subscript of a name, Greek letters in place of their names.

    >>> [letters(name) for name in ("u", "mu", "x1", "T_wall", "lambda_")]
    [('u', ''), ('μ', ''), ('x', '1'), ('T', 'wall'), ('λ', '')]
    """
    found = re.fullmatch(r"([A-Za-z]+?)(?:_([A-Za-z0-9_]*)|([0-9]+))?", name)
    if found is None:
        return name, ""
    base, *subscripts = found.groups()
    subscript: str = next((one for one in subscripts if one), "")
    return GREEK.get(str(base), str(base)), GREEK.get(subscript, subscript)
