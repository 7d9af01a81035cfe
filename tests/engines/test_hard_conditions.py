"""Every engine gives the losses and the gradient of nested autograd where conditions are hard."""

import pytest

from tests.conftest import assembled
from tests.engines.evaluations import CLOSE, SAMPLING, assert_same, definition, evaluated, weights_of
from tests.problem.hard_problems import DISK, ELLIPSE, HEAT, NAMES, PROBLEMS, WAVE

SETTINGS = {"network": {"width": 6, "depth": 2}, "sampling": SAMPLING}
RECORDED = [HEAT, WAVE, DISK, ELLIPSE]


@pytest.mark.parametrize("words", PROBLEMS, ids=NAMES)
def test_taylor_mode_equals_nested_autograd(words, unrecorded):
    module, batches = assembled(words, SETTINGS)
    expected = definition(module, batches, weights_of(module))
    assert_same(evaluated(module, batches, "autograd"), expected, 1e-12)
    assert_same(evaluated(module, batches, "jets"), expected, CLOSE)


def marked(words):
    return pytest.param(words, id=words["name"], marks=() if words in RECORDED else pytest.mark.slow)


@pytest.mark.parametrize("words", [marked(words) for words in PROBLEMS])
def test_recorded_steps_equal_nested_autograd(words, recorded):
    module, batches = assembled(words, SETTINGS)
    expected = definition(module, batches, weights_of(module))
    assert_same(evaluated(module, batches, "compiled"), expected, CLOSE)
    assert recorded
