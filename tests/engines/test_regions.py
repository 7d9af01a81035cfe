"""Engines on fields that have a network in each part of the domain, and on both sides of an interface."""

import pytest

from pinnkit.engines.jacobian import Jacobian
from tests.conftest import assembled
from tests.engines.evaluations import CLOSE, assert_same, definition, evaluated, weights_of
from tests.engines.test_jacobian import assert_consistent
from tests.problem.two_materials import PLATE, ROD

SMALL = {"network": {"width": 6, "depth": 2}, "sampling": {"equations": 40, "conditions": 16}}


@pytest.mark.parametrize("words", [ROD, PLATE])
def test_every_engine_has_the_losses_and_the_gradient_of_nested_autograd(words, unrecorded):
    module, batches = assembled(words, SMALL)
    assert {f"equations.{region}" for region in words["equations"]} <= set(batches)
    expected = definition(module, batches, weights_of(module))
    for engine in ("autograd", "compiled", "jets"):
        assert_same(evaluated(module, batches, engine), expected, CLOSE)
        assert_same(evaluated(module, batches, engine, 7), expected, CLOSE)


def test_the_jacobian_has_rows_of_every_region(unrecorded):
    module, batches = assembled(ROD, SMALL)
    assert_consistent(Jacobian(module.make_evaluator("autograd", None)), batches, weights_of(module))
