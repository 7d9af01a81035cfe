"""What a run tells of learned parameters and of those derived of them."""

import pytest
import torch

from pinnkit.runs.learned import learned
from tests.conftest import assembled
from tests.engines.evaluations import assert_same, definition, weights_of
from tests.runs.small import DECAY, QUICK

WORDS = DECAY | {
    "parameters": {"rate": {"learn": 2.0, "min": 0.5, "max": 5}, "c": 3},
    "define": {"half": "log(2)/rate", "plain": "2*c", "twice": "2*half"},
    "exact": {"u": "exp(-rate*t)", "rate": 1},
}


def test_derived_values_of_learned_parameters_are_told_with_their_exact_ones():
    module, _ = assembled(WORDS, QUICK)
    found = learned(module)
    assert list(found) == ["rate", "half", "twice"]
    assert found["half"] == pytest.approx({"value": 0.34657359, "exact": 0.69314718, "relative_error": 0.5})
    without = {**WORDS, "exact": {}}
    assert learned(assembled(without, QUICK)[0])["half"] == pytest.approx({"value": 0.34657359})


def test_residuals_in_python_and_in_text_read_derived_parameters():
    written = {"decay": "u_t = -half*u + plain*t"}
    by_text, batches = assembled(WORDS | {"equations": written, "exact": {}}, QUICK)
    called = {"decay": lambda p: p.u_t + p.half * p.u - p.plain * p.t}
    by_python, same = assembled(WORDS | {"equations": called, "exact": {}}, QUICK)
    torch.testing.assert_close(batches["equations"].coordinates, same["equations"].coordinates)
    expected = definition(by_text, batches, weights_of(by_text))
    assert_same(definition(by_python, same, weights_of(by_python)), expected, 1e-12)
