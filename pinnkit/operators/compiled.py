"""Compilation of traced graphs by TorchInductor."""

from __future__ import annotations

import inspect
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor
from torch.fx import GraphModule

from pinnkit.operators.compiler_cache import secure_compiler_cache
from pinnkit.operators.memory import out_of_memory
from pinnkit.operators.trace import first_line

CPU_PATCHES = {
    "cpp_wrapper": True,  # C++ that releases Python's lock between its kernels too
    "cpp.threads": 1,
    "cpp.vec_isa_ok": True,  # a wrong guess of the vector instructions would fail when the code is first called
    "cpp_cache_precompile_headers": False,  # slow once, and of little use later
}


class CompilationError(RuntimeError):
    """The compiler failed; the message gives the reason."""


@dataclass
class CompileTime:
    """Seconds of tracing and compilation, which do not count as training time."""

    seconds: float = 0.0

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Add the time until this closes."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds += time.perf_counter() - began


def compile_graph(graph: GraphModule, inputs: Sequence[Tensor]) -> Callable[..., Any]:
    """Compile a graph for inputs of these shapes, types and device; the graph must not be used afterwards.

    On a CPU it is C++ on one thread, without Python's lock, so that several threads of Python can each
    work on a chunk of the points with its data in their own core's cache; on a GPU it is Triton code in CUDA graphs.

    Raises:
        CompilationError: there is no compiler, or it failed.
    """
    try:
        secure_compiler_cache()
    except OSError as error:
        raise CompilationError(f"no folder is private to this user: {error}") from error
    import torch._inductor  # slow to import: only runs that compile pay for it

    for node in graph.graph.nodes:
        node.meta.clear()  # the compiler makes its own shapes; those of the recording belong to another mode
    if inputs[0].device.type == "cpu":
        config = torch._inductor.config
        patches = {key: value for key, value in CPU_PATCHES.items() if "." in key or hasattr(config, key)}
        _probe_processor()
    elif not _keeps_graphs():
        raise CompilationError(f"on a GPU it needs a newer torch than {torch.__version__}")
    else:
        patches = {"triton.cudagraphs": True}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compiled = torch._inductor.standalone_compile(
                graph,
                list(inputs),
                dynamic_shapes="from_example_inputs",  # fixed shapes, and a compilation that the cache can keep
                options={"config_patches": patches},
                **cast(dict[str, Any], {"donate_graph_module": True} if _keeps_graphs() else {}),
            )
            compiled(*inputs)
    except Exception as error:  # a compiler may raise anything; the graph runs without it
        if out_of_memory(error):
            raise
        raise CompilationError(first_line(error)) from error
    return compiled


def _keeps_graphs() -> bool:
    """Whether this version of torch can compile a graph without a copy of it."""
    return "donate_graph_module" in inspect.signature(torch._inductor.standalone_compile).parameters


def _probe_processor() -> None:
    """Find the processor's vector instructions in a thread, while Python prepares the code."""
    from torch._inductor import codecache, config, cpu_vec_isa  # noqa: F401  here, since threads must not import at once

    if cpu_vec_isa.valid_vec_isa_list.cache_info().currsize:
        return

    def probe() -> None:
        with config.patch({"cpp.vec_isa_ok": CPU_PATCHES["cpp.vec_isa_ok"]}):
            cpu_vec_isa.pick_vec_isa()

    threading.Thread(target=probe, name="pinnkit-probe", daemon=True).start()
