"""Compiling a recorded graph by TorchInductor."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor
from torch.fx import GraphModule

from pinnkit.operators.cache import secure_compiler
from pinnkit.operators.memory import out_of_memory
from pinnkit.operators.trace import first_line


class NotCompiled(RuntimeError):
    """The compiler failed; the text says why."""


def compile_graph(graph: GraphModule, inputs: Sequence[Tensor]) -> Callable[..., Any]:
    """A function that computes what the graph does, for inputs of these shapes, types and device; takes the graph over.

    On a CPU it is C++ that releases Python's lock and uses one thread, so that several threads of Python can each
    work on a chunk of the points with its data in their own core's cache; on a GPU it is Triton code in CUDA graphs.

    Raises:
        NotCompiled: there is no compiler, or it failed.
    """
    try:
        secure_compiler()
    except OSError as error:
        raise NotCompiled(f"no folder is private to this user: {error}") from error
    import torch._inductor  # slow to import: only runs that compile pay for it

    for node in graph.graph.nodes:
        node.meta.clear()  # the compiler makes its own shapes; those of the recording belong to another mode
    cpu = inputs[0].device.type == "cpu"
    # To probe the vector instructions takes a process for each kind, 1.5 s in all; a wrong guess would fail here.
    patches = {"cpp_wrapper": True, "cpp.threads": 1, "cpp.vec_isa_ok": True} if cpu else {"triton.cudagraphs": True}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compiled = torch._inductor.standalone_compile(
                graph,
                list(inputs),
                dynamic_shapes="from_example_inputs",  # fixed shapes, and a compilation that the cache can keep
                options={"config_patches": patches},
                donate_graph_module=True,
            )
            compiled(*inputs)
    except Exception as error:  # whatever a compiler may raise: the graph can be run without it
        if out_of_memory(error):
            raise
        raise NotCompiled(first_line(error)) from error
    return compiled
