"""Engines on fields with a network in each part, on both sides of an interface, and integrals over all parts."""

from tests.conftest import assembled
from tests.engines.evaluations import CLOSE, assert_same, definition, evaluated, weights_of
from tests.problem.two_materials import ROD

WORDS = {**ROD, "conditions": {**ROD["conditions"], "mass": {"equations": "integral(u, domain) = 73/120"}}}
SMALL = {"network": {"width": 6, "depth": 2}, "sampling": {"equations": 40, "conditions": 16}}


def test_every_engine_has_the_losses_and_the_gradient_of_nested_autograd(unrecorded):
    module, batches = assembled(WORDS, SMALL)
    assert {f"equations.{region}" for region in ROD["equations"]} <= set(batches)
    expected = definition(module, batches, weights_of(module))
    for engine in ("autograd", "compiled", "jets"):
        assert_same(evaluated(module, batches, engine), expected, CLOSE)
        assert_same(evaluated(module, batches, engine, 7), expected, CLOSE)
