"""Tracing: the operations of a network, or of a whole training step, as a graph of ATen operations.

`torch.fx.experimental.proxy_tensor.make_fx` records what runs, nested and double backward passes too, as ordinary
operations. Whatever a recording cannot see is looked for and refused in words: control flow that depends on values,
random operations, buffers that a forward pass changes, custom autograd functions (whose backward is their definition).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch._decomp import core_aten_decompositions
from torch.fx import GraphModule
from torch.fx.experimental.proxy_tensor import make_fx

KEPT = ("tanh", "sigmoid", "addmm", "stack", "square", "rsub", "silu", "native_layer_norm", "_softmax")
"""Operations that have a rule of their own, or that are cheaper as one."""


class Untraceable(RuntimeError):
    """A network or a step that cannot be recorded as a graph; the text says why."""


@dataclass(frozen=True)
class Bound:
    """A network with tensors of the caller's in the place of its parameters, by name; those not named stay."""

    module: nn.Module
    parameters: Mapping[str, Tensor]

    def __call__(self, points: Tensor) -> Tensor:
        return torch.func.functional_call(self.module, dict(self.parameters), (points,))


def check(network: nn.Module, points: Tensor) -> None:
    """Look for what a recording would miss.

    Raises:
        Untraceable: the forward pass changes a buffer or a parameter, or has a custom autograd function.
    """
    state = dict(network.named_buffers()) | dict(network.named_parameters())
    versions = {name: tensor._version for name, tensor in state.items()}
    with torch.enable_grad():
        output = network(points.detach().requires_grad_())
    now = dict(network.named_buffers()) | dict(network.named_parameters())
    for name, version in versions.items():
        if now[name] is not state[name] or now[name]._version != version:
            raise Untraceable(f"its forward pass changes '{name}'")
    custom = _custom_function(output.grad_fn)
    if custom is not None:
        raise Untraceable(f"it has a custom autograd function ({custom}), whose backward pass is kept as it is")


def _custom_function(node: object | None) -> str | None:
    """The name of a `torch.autograd.Function` in the graph that leads to a result."""
    seen, stack = set(), [node]
    while stack:
        node = stack.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if isinstance(node, torch.autograd.function.BackwardCFunction):
            return type(node).__name__.removesuffix("Backward")
        stack += [one for one, _ in node.next_functions]
    return None


def record(function: Callable, inputs: Sequence[Tensor], simplify: bool = False) -> GraphModule:
    """The graph of function(*inputs).

    Args:
        simplify: write composite operations (gelu, layer norm ...) in terms of few elementary ones.

    Raises:
        Untraceable: control flow depends on values, or an operation is random.
    """
    table = {}
    if simplify:
        kept = {getattr(torch.ops.aten, name) for name in KEPT}
        table = {one: rule for one, rule in core_aten_decompositions().items() if one.overloadpacket not in kept}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            graph = make_fx(function, decomposition_table=table)(*inputs)
    except (RuntimeError, TypeError, ValueError, NotImplementedError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise Untraceable(f"it cannot be traced: {first}") from error
    for node in graph.graph.nodes:
        if node.op == "call_function" and torch.Tag.nondeterministic_seeded in getattr(node.target, "tags", ()):
            raise Untraceable(f"it has a random operation ({node.target})")
    graph.graph.eliminate_dead_code()
    graph.recompile()
    return graph
