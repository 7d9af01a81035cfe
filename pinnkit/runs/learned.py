"""Values of the learned parameters of a run, and of the parameters that are derived of them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pinnkit.language.calculus import symbol
from pinnkit.problem.definitions import known_values
from pinnkit.references.exact import exact_parameters
from pinnkit.training.module import PINN


def learned(module: PINN, estimated: Mapping[str, float | None] = MappingProxyType({})) -> dict[str, dict[str, Any]]:
    """Name -> value, and where they are known the exact value and the relative error.

    Args:
        estimated: relative errors of learned parameters as they were estimated, which are told too.
    """
    problem = module.problem
    exact = exact_parameters(problem)
    values = {symbol(name): float(value.detach()) for name, value in module.parameter_values().items()}
    truth = {symbol(one.name): one.value for one in problem.parameters if not one.learn}
    truth |= {symbol(name): value for name, value in exact.items()}
    names = {symbol(one.name) for one in problem.learned}
    derived = {name: value for name, value in known_values(problem.definitions, values).items()
               if problem.definitions[name].free_symbols & names}  # fmt: skip
    exact |= {name: value for name, value in known_values(problem.definitions, truth).items() if name in derived}
    found: dict[str, dict[str, Any]] = {}
    for name, value in {**{one.name: values[symbol(one.name)] for one in problem.learned}, **derived}.items():
        found[name] = {"value": value}
        if name in exact:
            found[name] |= {"exact": exact[name], "relative_error": abs(value - exact[name]) / abs(exact[name] or 1.0)}
        if name in estimated:
            found[name]["estimated_error"] = estimated[name]
    return found
