"""Numbers in a traced graph as tensors of the run's dtype, and functions in terms of those that ONNX Runtime has.

The translation to ONNX writes Python numbers in float32, which is no digit too many for float64.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

import torch
from torch import Tensor
from torch.fx import GraphModule, Node

aten = torch.ops.aten

LINEAR_FROM = 20.0
"""Above this, torch's softplus is its argument."""


def _softplus(x: Tensor, beta: float = 1.0, threshold: float = LINEAR_FROM) -> Tensor:
    scaled = x * beta
    smooth = (torch.clamp_min(scaled, 0.0) + torch.log(1.0 + torch.exp(-torch.abs(scaled)))) / beta
    return torch.where(scaled > threshold, x, smooth)


def _logaddexp(x: Tensor, y: Tensor) -> Tensor:
    return torch.maximum(x, y) + torch.log(1.0 + torch.exp(-torch.abs(x - y)))


DECOMPOSITIONS: Mapping[torch._ops.OpOverload, Callable[..., Tensor]] = {
    aten.softplus.default: _softplus,
    aten.logaddexp.default: _logaddexp,
    aten.tan.default: lambda x: torch.sin(x) / torch.cos(x),
    aten.sinh.default: lambda x: (torch.exp(x) - torch.exp(-x)) / 2.0,
    aten.cosh.default: lambda x: (torch.exp(x) + torch.exp(-x)) / 2.0,
}
"""Operations that ONNX Runtime lacks in float64, in terms of others."""

ON_TENSORS = {
    **{one: one for one in (aten.add.Tensor, aten.sub.Tensor, aten.mul.Tensor, aten.div.Tensor)},
    aten.rsub.Scalar: aten.sub.Tensor,
    aten.pow.Tensor_Scalar: aten.pow.Tensor_Tensor,
    aten.pow.Scalar: aten.pow.Tensor_Tensor,
    aten.clamp_min.default: aten.maximum.default,
    **{getattr(aten, one).Scalar: getattr(aten, one).Tensor for one in ("gt", "ge", "lt", "le", "eq", "ne")},
}
"""Operations with a number -> the same with a tensor in its place."""


def with_constants(program: torch.export.ExportedProgram, points: Mapping[str, Tensor]) -> torch.export.ExportedProgram:
    """The graph with every number that float32 does not hold as a tensor in the dtype of the points."""
    dtype = next(iter(points.values())).dtype
    made = program.run_decompositions(dict(DECOMPOSITIONS)).module()
    for node in list(made.graph.nodes):
        if node.op == "call_function":
            _replace(made, node, dtype)
    made.graph.lint()
    made.recompile()
    sizes = {name: {0: torch.export.Dim("points")} for name in points}
    with torch.no_grad():
        return torch.export.export(made, (dict(points),), dynamic_shapes=(sizes,))


def _replace(module: GraphModule, node: Node, dtype: torch.dtype) -> None:
    """Let a node read tensors in the place of numbers."""
    if node.target is aten.full.default and not node.args[0]:
        with module.graph.inserting_before(node):
            node.replace_all_uses_with(_constant(module, float(cast(float, node.args[1])), dtype))
        module.graph.erase_node(node)
        return
    numbers = [place for place, value in enumerate(node.args) if isinstance(value, float) and not _exact(value)]
    if not numbers or node.target not in ON_TENSORS:
        return
    args = list(node.args)
    with module.graph.inserting_before(node):
        for place in numbers:
            args[place] = _constant(module, cast(float, args[place]), dtype)
    node.args = (args[1], args[0], *args[2:]) if node.target is aten.rsub.Scalar else tuple(args)
    node.target = ON_TENSORS[node.target]


def _constant(module: GraphModule, value: float, dtype: torch.dtype) -> Node:
    name = f"number_{sum(1 for one, _ in module.named_buffers() if one.startswith('number_'))}"
    module.register_buffer(name, torch.tensor(value, dtype=dtype))
    return module.graph.get_attr(name)


def _exact(value: float) -> bool:
    return float(torch.tensor(value, dtype=torch.float32)) == value
