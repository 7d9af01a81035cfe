"""Reading equations, and refusing keys that nothing reads."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import sympy

from pinnkit.domains.shape import Shape
from pinnkit.language.errors import LanguageError, Report, suggestion
from pinnkit.language.grammar import Scope, equations, expression
from pinnkit.language.integral import all_partials, integrals
from pinnkit.problem.parts import Equation


def check_keys(report: Report, path: str, config: Mapping[str, Any], valid: Sequence[str]) -> None:
    """Report every key that nothing reads. A key that is no name is usually an expression split at its comma."""
    for key in config:
        if key in valid:
            continue
        where = f"{path}.{key}" if path else str(key)
        if re.fullmatch(r"[A-Za-z_]\w*", str(key)):
            report.add(where, f"unknown key '{key}'{suggestion(str(key), valid)}")
        else:
            report.add(
                where,
                f"unknown key '{key}': inside {{...}} and [...] YAML takes a comma for a separator; "
                "quote the expression, or write it on a line of its own",
            )


LABEL = 120
"""Characters of a term's name."""
WEIGHTED = ("equation", "weight")
"""The keys of an equation with a weight of its own."""
REGION = "in"
"""The key of the part of the domain in which an equation holds."""


def read_equations(
    config: Any,
    key: str,
    name: str,
    scope: Scope,
    report: Report,
    prefix: str = "",
    weight: sympy.Expr = sympy.S.One,
    regions: Mapping[str, Shape] | None = None,
    outside: Collection[str] = (),
) -> tuple[Equation, ...]:
    """Equations from a text, a callable, one of these with a weight or a region, a list or a mapping of these.

    `name` names the unnamed; `weight` is that of those without their own. `regions` are the named parts of the domain;
    None: where they hold is said elsewhere. `outside` names shapes that are no part of it.
    """
    if config is None:
        return ()
    keys = WEIGHTED if regions is None else (*WEIGHTED, REGION)
    if isinstance(config, Mapping) and "equation" in config and len(config) > 1 and set(config) <= set(keys):
        named = {name: (key, config)}
    elif isinstance(config, Mapping):
        named = {f"{prefix}{part}": (f"{key}.{part}", value) for part, value in config.items()}
    elif isinstance(config, Sequence) and not isinstance(config, str):
        many = len(config) > 1
        named = {
            (f"{name}_{number}" if many else name): (f"{key}[{number}]", value)
            for number, value in enumerate(config, start=1)
        }
    else:
        named = {name: (key, config)}
    if not named:
        report.add(key, "is empty: write an equation such as u_t = alpha * u_xx")
    found = []
    for label, (path, value) in named.items():
        with report.at(path):
            if not is_label(label):
                raise LanguageError(f"'{label}' cannot name an equation: use letters, digits, _ and -")
            own, region = weight, ""
            if isinstance(value, Mapping):
                check_keys(report, path, value, keys)
                if REGION in value and regions is not None:
                    with report.at(f"{path}.{REGION}"):
                        check_region(value[REGION], regions, outside)
                        region = value[REGION]
                if "weight" in value:
                    with report.at(f"{path}.weight"):
                        own = read_weight(value["weight"], scope)
                value = cast(Any, value.get("equation"))
            within = scope
            if region and regions is not None:
                within = replace(scope, ranges={**scope.ranges, **regions[region].bounds})
            for component, residual in _residuals(value, within).items():
                text = value if isinstance(value, str) else getattr(value, "__name__", "residual")
                found.append(Equation(f"{label}_{component}" if component else label, text, residual, own, region))
    return tuple(found)


def check_region(name: Any, regions: Mapping[str, Shape], outside: Collection[str]) -> None:
    """Raise LanguageError unless a part of the domain has that name; `outside` are shapes that have none in it."""
    if isinstance(name, str) and name in outside:
        raise LanguageError(f"the shape '{name}' has no part in the domain")
    if not isinstance(name, str) or name not in regions:
        hint = suggestion(str(name), regions) if regions else "; shapes: gives parts of the domain their names"
        raise LanguageError(f"there is no shape '{name}'{hint}")


def is_label(text: str) -> bool:
    """Whether a text can name a term: it is part of file names, logs and tables."""
    return len(text) <= LABEL and re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", text) is not None


def read_weight(config: Any, scope: Scope) -> sympy.Expr:
    """The weight that a text or a number writes.

    Raises:
        LanguageError: also where it is a negative number.
    """
    weight = expression(config, scope)
    if integrals(weight):
        raise LanguageError("a weight holds no integral: write it in the equation", str(config))
    if weight.is_number and float(weight) < 0:
        raise LanguageError(f"is {float(weight):g}: a weight is not negative")
    return weight


def _residuals(value: Any, scope: Scope) -> dict[str, sympy.Expr | Callable[[Any], Any]]:
    """The residuals of one equation by component: "re" and "im" of a complex one, "" of a real one."""
    if callable(value):
        return {"": value}
    if value is None or not isinstance(value, str):
        raise LanguageError(f"{value!r} is not an equation: write left = right")
    residuals = equations(value, scope)
    for component, residual in residuals.items():
        if not all_partials(residual):
            what = {"": "", "re": "its real part ", "im": "its imaginary part "}[component]
            raise LanguageError(
                f"{what}mentions no field, so no network can satisfy it; fields are {', '.join(scope.fields)}", value
            )
    return residuals
