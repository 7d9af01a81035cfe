"""Compiled code computes what was recorded, on several threads and to the bit again; a compiler may be missing."""

import pytest
import torch
from torch import nn

from pinnkit.operators.compiled import CompilationError, compile_graph
from pinnkit.operators.trace import record_graph
from tests.conftest import assembled

BURGERS = {
    "coordinates": {"x": [-1, 1], "t": [0, 1]},
    "fields": ["u"],
    "parameters": {"nu": {"learn": 0.1}},
    "equations": {"burgers": "u_t + u*u_x = nu * u_xx"},
    "conditions": {"initial": {"at": "t = 0", "equations": "u = -sin(pi*x)"}},
}


def step_of(dtype):
    """A module, a compiled evaluator of it on two threads, the same without threads or compiler, and the points."""
    words = {"network": {"width": 4, "depth": 1}, "sampling": {"equations": 30, "conditions": 10}, "dtype": dtype}
    module, batches = assembled(BURGERS, words)
    batches = {name: type(one)(one.coordinates.to(getattr(torch, dtype)), {}) for name, one in batches.items()}
    weights = torch.tensor([1.0, 3.0], dtype=getattr(torch, dtype))
    module.computation.threads = 2
    compiled, plain = module.make_evaluator("jets", 8), module.make_evaluator("autograd", None)
    return module, compiled, plain, batches, weights


@pytest.fixture(scope="module")
def double():
    return step_of("float64")


def test_compiled_code_on_two_threads_equals_the_definition(double):
    _, compiled, plain, batches, weights = double
    prepared = compiled.prepare(batches)
    assert (compiled.workers.count, len(prepared.chunks)) == (2, 4)
    found, expected = compiled(prepared, weights), plain(plain.prepare(batches), weights)
    assert compiled.warning is None
    torch.testing.assert_close(found[0], expected[0], rtol=1e-13, atol=0)
    assert float((found[1] - expected[1]).norm()) <= 1e-13 * float(expected[1].norm())


def test_compiled_code_gives_the_same_bits_again_and_follows_its_inputs(double):
    module, compiled, plain, batches, weights = double
    prepared = compiled.prepare(batches)
    first = compiled(prepared, weights)
    for _ in range(20):
        again = compiled(prepared, weights)
        assert torch.equal(again[0], first[0])
        assert torch.equal(again[1], first[1])
    at = [one.detach() * 1.3 + 0.1 for one in module.model.trainable().values()]
    moved = {name: type(one)(one.coordinates * 0.7, {}) for name, one in batches.items()}
    other = torch.tensor([2.0, 0.5], dtype=torch.float64)
    found = compiled(compiled.prepare(moved), other, at=at)
    expected = plain(plain.prepare(moved), other, at=at)
    torch.testing.assert_close(found[0], expected[0], rtol=1e-13, atol=0)
    assert float((found[1] - expected[1]).norm()) <= 1e-13 * float(expected[1].norm())
    assert float((found[1] - first[1]).norm()) > 1e-3
    assert len(compiled.compiled) == 1


def test_single_precision_stays_single():
    _, compiled, plain, batches, weights = step_of("float32")
    found, expected = compiled(compiled.prepare(batches), weights), plain(plain.prepare(batches), weights)
    assert compiled.warning is None
    assert {one.dtype for one in found} == {torch.float32}
    torch.testing.assert_close(found[0], expected[0], rtol=2e-6, atol=0)
    assert float((found[1] - expected[1]).norm()) <= 5e-6 * float(expected[1].norm())


def recorded_layer():
    torch.manual_seed(0)
    layer = nn.Linear(3, 2, dtype=torch.float64)
    inputs = [layer.weight.detach(), torch.rand(7, 3, dtype=torch.float64)]
    return record_graph(lambda weight, points: (torch.cosh(points @ weight.T).sin(),), inputs), inputs


def test_a_missing_compiler_is_told(empty_cache):
    from torch._inductor import config

    graph, inputs = recorded_layer()
    with config.patch({"cpp.cxx": ("no-such-compiler",)}), pytest.raises(CompilationError) as caught:
        compile_graph(graph, inputs)
    assert "compiler" in str(caught.value).lower()
    assert "\n" not in str(caught.value)
    compiled = compile_graph(*recorded_layer())  # and where there is one, the same graph compiles
    torch.testing.assert_close(compiled(*inputs), graph(*inputs), rtol=1e-14, atol=0)


def test_an_older_torch_compiles_too(monkeypatch):
    """Its compiler cannot be handed a graph for good."""
    import torch._inductor

    newest = torch._inductor.standalone_compile

    def older(graph, inputs, *, dynamic_shapes, options):
        return newest(graph, inputs, dynamic_shapes=dynamic_shapes, options=options)

    monkeypatch.setattr(torch._inductor, "standalone_compile", older)
    graph, inputs = recorded_layer()
    expected = graph(*inputs)
    torch.testing.assert_close(compile_graph(graph, inputs)(*inputs), expected, rtol=1e-14, atol=0)
