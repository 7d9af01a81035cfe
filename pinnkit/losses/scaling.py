"""The scales of a problem as weights of the terms, and when they are used."""

from __future__ import annotations

from collections.abc import Mapping

from pinnkit.losses.settings import Weighting
from pinnkit.problem.problem import Problem
from pinnkit.problem.scales import Scales, far_from_one, scales_of


def uses_scales(problem: Problem, weighting: Weighting) -> bool:
    """Whether fields and equations are scaled: as `weighting.scales` says; where it says nothing, if their sizes are
    far from 1 and no term has a weight of its own, by which somebody has balanced them."""
    if weighting.scales is not None:
        return weighting.scales
    return not _has_weights(problem, weighting) and far_from_one(problem)


def scaling(problem: Problem, weighting: Weighting) -> Scales:
    """The sizes that a run divides by."""
    return scales_of(problem, uses_scales(problem, weighting))


def scaled_weights(weights: Mapping[str, float], scales: Scales) -> dict[str, float]:
    """The weights of residuals divided by the sizes of their equations: w / S^2."""
    return {term: weight / scales.terms.get(term, 1.0) ** 2 for term, weight in weights.items()}


def described_scales(scales: Scales) -> str:
    """The sizes as a text; empty where equations are not scaled."""
    if not scales.terms:
        return ""
    fields, terms = (
        ", ".join(f"{name} {size:.2g}" for name, size in sizes.items()) for sizes in (scales.fields, scales.terms)
    )
    return f"fields {fields}; residuals are divided by {terms}"


def _has_weights(problem: Problem, weighting: Weighting) -> bool:
    equations = [*problem.equations, *(one for condition in problem.soft_conditions for one in condition.equations)]
    return bool(weighting.weights) or any(one.weight != 1 for one in equations)
