"""What an exported file says about the solution in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pinnkit.problem.problem import Problem
from pinnkit.versions import versions


def export_metadata(problem: Problem, metrics: Mapping[str, Any], dtype: str) -> dict[str, Any]:
    """Name and equations of the problem, its coordinates in order, fields, units, errors, verdict and version.

    metrics: those of metrics.json; what a run has not measured is left out.
    """
    errors = ("relative_l2", "estimated_error", "residual_rms")
    facts = {
        "title": problem.name,
        "description": problem.description,
        "source": f"pinnkit {versions()['pinnkit']}, a physics-informed neural network",
        "pinnkit_version": versions()["pinnkit"],
        "coordinates_order": list(problem.coordinates),
        "coordinates_ranges": {name: list(ends) for name, ends in problem.domain.bounds.items()},
        "domain": problem.domain.description,
        "fields": [one.name for one in problem.unknowns],
        "units": dict(problem.units),
        "equations": {one.name: one.text for one in problem.equations},
        "parameters": {one.name: float(one.value) for one in problem.parameters if not one.learn},
        "learned": {name: one["value"] for name, one in (metrics.get("learned") or {}).items()},
        "dtype": dtype,
        **{key: metrics.get(key) for key in ("status", "verdict", "verdict_text", "reference", *errors)},
    }
    return {key: value for key, value in facts.items() if value not in (None, "", {}, [])}
