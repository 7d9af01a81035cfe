"""What features cannot solve, in words."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from pinnkit.features.linearise import Linearisation
from pinnkit.features.system import System
from pinnkit.language.errors import Report
from pinnkit.language.integral import all_partials
from pinnkit.language.linear import is_linear
from pinnkit.losses.residuals import TermGroup
from pinnkit.networks.fields import FieldNetworks
from pinnkit.problem.problem import Problem

INSTEAD = "method=network solves it"


def check_supported(problem: Problem) -> None:
    """Refuse a problem whose fields no features can be.

    Raises:
        ProblemError: it is one, by the key `method`.
    """
    report = Report()
    for one in problem.fields:
        if one.arguments:
            given = ", ".join(one.arguments)
            message = f"features cannot make {one.name} a function of {given}, whose values are not known beforehand"
            report.add("method", f"{message}: {INSTEAD}")
    report.raise_if_any()


def check_pointwise(system: System, groups: Mapping[str, TermGroup]) -> None:
    """Refuse residuals in Python which at a point depend on the other points: their derivatives have no rows.

    Raises:
        ProblemError: there is one, by the key `method`.
    """
    linear = Linearisation(system.network, groups, [])
    parameters, report = system.parameters(), Report()
    for name, batch in system.batches.items():
        names = [one.name for one in groups[name].callables]
        if not names or len(batch) < 4:
            continue
        few = batch.take(slice(0, 16))
        half = few.take(slice(0, len(few) // 2))
        whole, part = (linear.rows(name, one, parameters, jacobian=False).residuals for one in (few, half))
        for term in names:
            if not torch.allclose(whole[term][: len(half)], part[term], rtol=1e-9, atol=1e-12):
                message = f"features cannot solve for '{term}', whose value at a point depends on the other points"
                report.add("method", f"{message}: {INSTEAD}")
    report.raise_if_any()


def all_linear(problem: Problem, network: FieldNetworks) -> bool:
    """Whether equations and conditions are linear, and each field an affine function of the network's output."""
    if not problem.linear or problem.learned:
        return False
    equations = [one for condition in problem.soft_conditions for one in condition.equations]
    plain = all(not callable(one.residual) and is_linear(one.residual) for one in equations)
    return plain and all(output.affine for output in network.outputs)


def fields_read(problem: Problem) -> dict[str, set[str]]:
    """Equation -> the fields that it reads; one in Python may read all."""
    everything = {one.name for one in problem.fields}
    return {
        one.name: everything if callable(one.residual) else {partial.field for partial in all_partials(one.residual)}
        for one in problem.equations
    }
