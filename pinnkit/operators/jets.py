"""Taylor mode: all wanted derivatives of a network in one forward pass over its operations.

The network's traced graph is walked once on jets, with one rule for each operation (`rules`).

Griewank and Walther, Evaluating Derivatives (2008), ch. 13; Bettencourt, Johnson and Duvenaud 2019 (Taylor-mode
automatic differentiation for higher-order derivatives in JAX); Dangel et al. 2025 (arXiv 2505.13644).
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.fx import GraphModule

from pinnkit.operators.jet_algebra import Jet, JetAlgebra
from pinnkit.operators.jet_interpreter import JetInterpreter
from pinnkit.operators.jet_structure import JetStructure, jet_structure
from pinnkit.operators.linear_operators import (
    NO_DATA,
    Axes,
    Derivative,
    LinearCombination,
    OperatorData,
    SampledLaplacian,
)
from pinnkit.operators.trace import BoundNetwork, record_graph


class TaylorMode:
    """Taylor mode as an engine: engine(network, points, wanted, given) -> derivatives.

    The network is traced once for each number of points; call the engine once before it is itself traced.
    """

    def __init__(self) -> None:
        self._graphs: dict[int, GraphModule] = {}

    def __call__(
        self, network: BoundNetwork, points: Tensor, wanted: Iterable[Derivative], data: OperatorData = NO_DATA
    ) -> dict[Derivative, Tensor]:
        if len(points) not in self._graphs:
            self._graphs[len(points)] = self._recorded(network, points)
        return taylor_derivatives(self._graphs[len(points)], network.parameters.values(), points, wanted, data)

    def _recorded(self, network: BoundNetwork, points: Tensor) -> GraphModule:
        names = list(network.parameters)

        def forward(*inputs: Tensor) -> Tensor:
            return BoundNetwork(network.module, dict(zip(names, inputs[:-1], strict=True)))(inputs[-1])

        inputs = [one.detach() for one in network.parameters.values()]
        return record_graph(forward, [*inputs, points.detach()], simplify=True)


def taylor_derivatives(
    graph: GraphModule,
    parameters: Iterable[Tensor],
    points: Tensor,
    wanted: Iterable[Derivative],
    data: OperatorData = NO_DATA,
) -> dict[Derivative, Tensor]:
    """The wanted derivatives, (n, 1) each, of a network traced as a graph of (parameters..., points).

    Raises:
        MissingRuleError: an operation that has no rule.
    """
    wanted = list(wanted)
    found = jet_structure(frozenset(operator for _, operator in wanted))
    algebra = JetAlgebra(found, data)
    output = JetInterpreter(graph, algebra).run(*parameters, algebra.start(points))
    if not isinstance(output, Jet):
        output = Jet(output, {})
    return {one: _column(output, found, *one) for one in wanted}


def _column(
    output: Jet, found: JetStructure, index: int, operator: Axes | LinearCombination | SampledLaplacian
) -> Tensor:
    """One derivative of one output from the network's jet, (n, 1)."""
    n = len(output.value)
    if operator == ():
        return output.value[:, index : index + 1]
    key, place = found.find(operator) if isinstance(operator, tuple) else (operator, None)
    part = output.parts.get(key)
    if part is None:
        return torch.zeros_like(output.value[:, index : index + 1])
    part = part if place is None else part[place]
    return part[:, index : index + 1].expand(n, 1)
