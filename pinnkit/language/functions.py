"""Functions of the problem language."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import sympy

from pinnkit.language import constructors
from pinnkit.language.arithmetic import Value
from pinnkit.language.arithmetic import function as apply_scalar
from pinnkit.language.errors import LanguageError

FUNCTIONS: Mapping[str, str] = MappingProxyType(
    {
        "sin": "sin(a): sine, of radians",
        "cos": "cos(a): cosine",
        "tan": "tan(a): tangent",
        "asin": "asin(a): inverse sine",
        "acos": "acos(a): inverse cosine",
        "atan": "atan(a): inverse tangent",
        "atan2": "atan2(a, b): the angle of the point (b, a)",
        "sinh": "sinh(a): hyperbolic sine",
        "cosh": "cosh(a): hyperbolic cosine",
        "tanh": "tanh(a): hyperbolic tangent",
        "exp": "exp(a): e to the power a",
        "log": "log(a): natural logarithm",
        "ln": "ln(a): natural logarithm",
        "log10": "log10(a): logarithm to the base 10",
        "sqrt": "sqrt(a): square root",
        "abs": "abs(a): magnitude",
        "sign": "sign(a): -1, 0 or 1",
        "min": "min(a, b, ...): the least",
        "max": "max(a, b, ...): the greatest",
        "where": "where(condition, a, b): a where the condition holds, else b",
        "heaviside": "heaviside(a): 0 for a < 0, 1/2 at 0, 1 for a > 0",
        "erf": "erf(a): error function",
        "sigmoid": "sigmoid(a): 1/(1 + exp(-a))",
        "softplus": "softplus(a): log(1 + exp(a))",
        "diff": "diff(a, x, 2): derivative by coordinates; a number repeats the one before it",
        "integral": "integral(a, x), integral(a, s, 0, t) or integral(a, domain): integral of a",
        "laplacian": "laplacian(a): sum of the second derivatives by the space coordinates",
        "grad": "grad(a): vector of the first derivatives by the space coordinates",
        "div": "div(a, b, ...): divergence of a vector or of its components",
        "curl": "curl(a, b, ...): v_x - u_y of (u, v), or the curl of (u, v, w)",
        "dot": "dot(a, b): scalar product of two vectors, sum of a_i b_i",
        "re": "re(a): real part",
        "im": "im(a): imaginary part",
        "conj": "conj(a): complex conjugate",
        "arg": "arg(a): angle of a complex number, from -pi to pi",
    }
)

SHADOWED = ("re", "im", "conj", "arg")
"""Functions of complex numbers that a problem may hide by a name of its own."""


def _sigmoid(x: float) -> float:
    return 0.5 * (1.0 + math.tanh(0.5 * x))


def _softplus(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def _sign(x: float) -> float:
    return float((x > 0) - (x < 0))


def _heaviside(x: float) -> float:
    return 0.5 * (1.0 + _sign(x))


SYNONYMS = {
    "int": "integral", "integrate": "integral", "quad": "integral", "lap": "laplacian", "del2": "laplacian",
    "nabla": "grad", "gradient": "grad", "divergence": "div", "rot": "curl", "inner": "dot", "arcsin": "asin",
    "arccos": "acos", "arctan": "atan", "arctan2": "atan2", "conjugate": "conj", "real": "re", "imag": "im",
    "phase": "arg", "angle": "arg", "modulus": "abs", "fabs": "abs", "piecewise": "where",
    "logistic": "sigmoid", "sgn": "sign", "minimum": "min", "maximum": "max", "d": "diff",
}  # fmt: skip
"""Names of functions elsewhere, and those that mean the same here."""

FORMULAS = {
    "sech": "1/cosh(...)", "csch": "1/sinh(...)", "coth": "1/tanh(...)", "sec": "1/cos(...)", "csc": "1/sin(...)",
    "cot": "1/tan(...)", "asinh": "log(... + sqrt((...)^2 + 1))", "log2": "log(...)/log(2)", "erfc": "1 - erf(...)",
    "cbrt": "sign(...)*abs(...)^(1/3)", "pow": "(...)^(...)", "square": "(...)^2", "expm1": "exp(...) - 1",
}  # fmt: skip
"""Names of functions elsewhere, and how they are written here."""

MAX_ARGUMENTS = 20
"""Arguments of max and min: the derivative by each compares it with all others, so time grows with the cube."""

# name: (arguments, or None for two to MAX_ARGUMENTS; SymPy; Python floats)
_SCALAR: dict[str, tuple[int | None, Callable[..., sympy.Expr], Callable[..., float]]] = {
    "sin": (1, sympy.sin, math.sin),
    "cos": (1, sympy.cos, math.cos),
    "tan": (1, sympy.tan, math.tan),
    "asin": (1, sympy.asin, math.asin),
    "acos": (1, sympy.acos, math.acos),
    "atan": (1, sympy.atan, math.atan),
    "atan2": (2, lambda a, b: sympy.atan2(a, b, evaluate=False), math.atan2),
    "sinh": (1, sympy.sinh, math.sinh),
    "cosh": (1, sympy.cosh, math.cosh),
    "tanh": (1, sympy.tanh, math.tanh),
    "exp": (1, sympy.exp, math.exp),
    "log": (1, sympy.log, math.log),
    "ln": (1, sympy.log, math.log),
    "log10": (1, lambda a: sympy.log(a) / sympy.log(10), math.log10),
    "sqrt": (1, sympy.sqrt, math.sqrt),
    "abs": (1, constructors.absolute, abs),
    "sign": (1, constructors.sign, _sign),
    "min": (None, constructors.minimum, min),
    "max": (None, constructors.maximum, max),
    "heaviside": (1, constructors.heaviside, _heaviside),
    "erf": (1, sympy.erf, math.erf),
    "sigmoid": (1, constructors.sigmoid, _sigmoid),
    "softplus": (1, constructors.softplus, _softplus),
}


def is_scalar(name: str) -> bool:
    return name in _SCALAR


def call_scalar(name: str, arguments: Sequence[Value]) -> Value:
    """The function `name` of scalars; LanguageError where their number is wrong or the value not real."""
    count, expression, number = _SCALAR[name]
    expect_arguments(name, len(arguments), count)
    return apply_scalar(expression, number, arguments)


def expect_arguments(name: str, given: int, count: int | None) -> None:
    """Raise LanguageError unless `count` arguments (None: from two to MAX_ARGUMENTS) are given."""
    if count is None and given > MAX_ARGUMENTS:
        raise LanguageError(f"{name} takes at most {MAX_ARGUMENTS} arguments, here {given}")
    if given != count and (count is not None or given < 2):
        wanted = "two arguments or more" if count is None else f"{count} argument{'s' if count > 1 else ''}"
        raise LanguageError(f"{name} takes {wanted}, here {given}: {FUNCTIONS[name]}")
