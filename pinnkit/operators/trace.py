"""Tracing of a network, or of a whole training step, to a graph of ATen operations.

`torch.fx.experimental.proxy_tensor.make_fx` records what runs, nested and double backward passes too. What it cannot
record raises `Untraceable`: control flow that depends on values, random operations, buffers that a forward pass
changes, custom autograd functions (whose backward is their definition).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch._decomp import core_aten_decompositions
from torch._guards import TracingContext, tracing
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx import GraphModule
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils._python_dispatch import TorchDispatchMode

from pinnkit.operators.memory import out_of_memory

KEPT = ("tanh", "sigmoid", "addmm", "stack", "square", "rsub", "silu", "native_layer_norm", "_softmax", "detach")
"""Operations that are not decomposed: they have a rule of their own, or are cheaper as one."""


def first_line(error: BaseException) -> str:
    """The first line of an error's message, or its type if there is none."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


class Untraceable(RuntimeError):
    """A network or a step cannot be traced; the message gives the reason."""


@dataclass(frozen=True)
class BoundNetwork:
    """A network with some parameters replaced by tensors, by name."""

    module: nn.Module
    parameters: Mapping[str, Tensor]

    def __call__(self, points: Tensor) -> Tensor:
        return torch.func.functional_call(self.module, dict(self.parameters), (points,))


class _WithoutGradient(TorchDispatchMode):
    """Finds an operation under `torch.no_grad`, which tracing does not record."""

    noted: object | None = None

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if not torch.is_grad_enabled():
            self.noted = func
        return func(*args, **(kwargs or {}))


def check_traceable(network: nn.Module, points: Tensor) -> None:
    """Check for what tracing would miss.

    Raises:
        Untraceable: the forward pass changes a buffer or a parameter, or has a custom autograd function.
    """
    state = dict(network.named_buffers()) | dict(network.named_parameters())
    versions = {name: tensor._version for name, tensor in state.items()}
    with torch.enable_grad(), _WithoutGradient() as mode:
        output = network(points.detach().requires_grad_())
    now = dict(network.named_buffers()) | dict(network.named_parameters())
    if changed := sorted(now.keys() ^ state.keys()):
        raise Untraceable(f"its forward pass changes '{changed[0]}'")
    for name, version in versions.items():
        if now[name] is not state[name] or now[name]._version != version:
            raise Untraceable(f"its forward pass changes '{name}'")
    custom = _custom_function(output.grad_fn)
    if custom is not None:
        raise Untraceable(f"it has a custom autograd function ({custom}), whose backward pass is kept as it is")
    if mode.noted is not None:
        raise Untraceable(f"it runs {mode.noted} without gradients (torch.no_grad)")


def _shape_from_values(node: torch.fx.Node) -> bool:
    """Whether the result's shape depends on values: nonzero, unique ..., an index by a mask."""
    if torch.Tag.dynamic_output_shape not in getattr(node.target, "tags", ()):
        return False
    if cast(Any, node.target).overloadpacket is not torch.ops.aten.index:
        return True
    indices = cast(Sequence[torch.fx.Node | None], node.args[1])
    return any(one is not None and one.meta["tensor_meta"].dtype in (torch.bool, torch.uint8) for one in indices)


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
        stack += [one for one, _ in cast(Any, node).next_functions]
    return None


@lru_cache(maxsize=1)
def _simpler() -> dict:
    kept = {getattr(torch.ops.aten, name) for name in KEPT}
    return {one: rule for one, rule in core_aten_decompositions().items() if one.overloadpacket not in kept}


def record_graph(function: Callable, inputs: Sequence[Tensor], simplify: bool = False) -> GraphModule:
    """The graph of function(*inputs).

    Args:
        simplify: write composite operations (gelu, layer norm ...) in terms of few elementary ones.

    Raises:
        Untraceable: control flow depends on values, or an operation is random.
    """
    table = _simpler() if simplify else {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            # make_fx notes the shape of each result by a mode; else it makes one for each, which is most of its time.
            with tracing(TracingContext(FakeTensorMode(allow_fallback_kernels=True))):
                graph = make_fx(function, decomposition_table=table)(*inputs)
    except (RuntimeError, TypeError, ValueError) as error:
        if out_of_memory(error):
            raise
        raise Untraceable(f"it cannot be traced: {first_line(error)}") from error
    for node in graph.graph.nodes:
        if node.op == "call_function" and torch.Tag.nondeterministic_seeded in getattr(node.target, "tags", ()):
            raise Untraceable(f"it has a random operation ({node.target})")
        if node.op == "call_function" and _shape_from_values(node):
            raise Untraceable(f"it has a shape that depends on values ({node.target})")
    graph.graph.eliminate_dead_code()
    graph.recompile()
    return graph
