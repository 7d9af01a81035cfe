"""Partial derivatives of a network by nested automatic differentiation, the definition for all engines."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TypeAlias, cast

import torch
from torch import Tensor

from pinnkit.operators.linear_operators import (
    NO_DATA,
    Axes,
    Derivative,
    LinearCombination,
    OperatorData,
    SampledLaplacian,
)

Partial: TypeAlias = tuple[int, Axes]
"""(output j, axes)."""


def plan(wanted: Iterable[Partial]) -> list[tuple[Partial, list[Partial]]]:
    """The backward passes: pairs (parent, children), parents of low order first.

    One pass over a derivative gives its derivatives by every coordinate, so derivatives of order k are grouped under
    as few derivatives of order k - 1 as a greedy cover finds: {u_x, u_t, u_xx} takes two passes, over u and over u_x.

    >>> plan([(0, (0,)), (0, (1,)), (0, (0, 0))])
    [((0, ()), [(0, (0,)), (0, (1,))]), ((0, (0,)), [(0, (0, 0))])]
    """
    return list(_plan(frozenset(wanted)))


@lru_cache(maxsize=1024)  # each step has the same few sets
def _plan(wanted: frozenset[Partial]) -> tuple[tuple[Partial, list[Partial]], ...]:
    needed = set(wanted)
    passes: list[tuple[Partial, list[Partial]]] = []
    for order in range(max((len(axes) for _, axes in needed), default=0), 0, -1):
        open_ = {derivative for derivative in needed if len(derivative[1]) == order}
        while open_:
            children: dict[Partial, list[Partial]] = {}
            for output, axes in sorted(open_):
                for fewer in {axes[:place] + axes[place + 1 :] for place in range(order)}:
                    children.setdefault((output, fewer), []).append((output, axes))
            parent = min(children, key=lambda one: (-len(children[one]), one not in needed, one))
            passes.append((parent, children[parent]))
            needed.add(parent)
            open_ -= set(children[parent])
    return tuple(sorted(passes, key=lambda one: (len(one[0][1]), one[0])))


def derivatives(
    function: Callable[[Tensor], Tensor], points: Tensor, wanted: Iterable[Derivative], data: OperatorData = NO_DATA
) -> dict[Derivative, Tensor]:
    """The wanted derivatives of y = function(p), each of shape (n, 1).

    d^k y_j / dp_a ... dp_b is taken by nested `torch.autograd.grad` of sums over the points, which is right where
    row i of the output depends on row i of the points alone. The results keep their graph, so that a loss made of
    them can be differentiated by the parameters.

    Args:
        function: (n, d) -> (n, m), rows independent.
        points: (n, d).
        wanted: pairs (output j, operator).
        data: coefficients and directions of the operators.
    """
    wanted = list(wanted)
    partials: set[Partial] = {(output, axes) for output, axes in wanted if isinstance(axes, tuple)}
    for output, operator in wanted:
        if isinstance(operator, LinearCombination):
            partials |= {(output, axes) for axes, _ in operator.terms}
        elif isinstance(operator, SampledLaplacian):
            partials.add((output, ()))
    passes = plan(partials)
    with torch.enable_grad():
        needed = bool(passes) or any(isinstance(operator, SampledLaplacian) for _, operator in wanted)
        inputs = points.detach().requires_grad_(needed)
        outputs = function(inputs)
        found: dict[Derivative, Tensor] = {
            (output, ()): outputs[:, output : output + 1] for output in {output for output, _ in wanted}
        }
        for parent, children in passes:
            gradient = _gradient(found[parent], inputs)
            for child in children:
                axis = _extra_axis(parent[1], child[1])
                found[child] = gradient[:, axis : axis + 1]
        for output, operator in wanted:
            if isinstance(operator, LinearCombination):
                terms = (data.coefficients[slot] * found[output, axes] for axes, slot in operator.terms)
                found[output, operator] = cast(Tensor, sum(terms))
            elif isinstance(operator, SampledLaplacian):
                directions = data.directions[operator.sample]
                found[output, operator] = _along(found[output, ()], inputs, directions)
    return {derivative: found[derivative] for derivative in wanted}


def _along(value: Tensor, inputs: Tensor, directions: Tensor) -> Tensor:
    """The sum over k of the second derivatives along the directions v_k, (n, 1)."""
    gradient = _gradient(value, inputs)
    total = torch.zeros_like(value)
    for direction in directions:
        slope = gradient @ direction[:, None]
        total = total + _gradient(slope, inputs) @ direction[:, None]
    return total


def _gradient(value: Tensor, inputs: Tensor) -> Tensor:
    """d(sum value)/d inputs, shape (n, d); zero where the value does not depend on the inputs."""
    if not value.requires_grad:
        return torch.zeros_like(inputs)
    (gradient,) = torch.autograd.grad(
        value, inputs, torch.ones_like(value), create_graph=True, allow_unused=True, materialize_grads=True
    )
    return gradient


def _extra_axis(parent: Axes, child: Axes) -> int:
    """The axis that the child has once more than the parent."""
    return next(axis for axis in child if child.count(axis) > parent.count(axis))
