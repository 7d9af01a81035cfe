"""Every engine agrees with nested autograd on the words of complex fields."""

import pytest

from pinnkit.problem.problem import Problem
from tests.conftest import assembled
from tests.engines.evaluations import CLOSE, SAMPLING, assert_same, definition, evaluated, weights_of

WORDS = {
    "coordinates": {"x": [-1, 1], "t": [0, 1]},
    "fields": {"h": "complex", "u": ["x", "t"]},
    "equations": {
        "wave": "i*h_t + h_xx + abs(h)^2*h + sqrt(h + 3)*u = 0",
        "real": "u_t = abs(h + 2) + arg(h + 2) + re(tanh(h)*conj(h_x))",
        "powers": "h^3 + (h + 2*i)^-1 = exp(i*h)*sin(h_x) - log(h + 3)^u",
    },
    "conditions": {
        "initial": {"at": "t = 0", "equations": ["h = exp(i*x)", "u = 0"]},
        "ends": {"at": "x = 1", "equations": "h_n - 2*i*h = cosh(h(x=-1))"},
    },
}


@pytest.mark.parametrize("engine", ["jets", "compiled"])
def test_every_engine_agrees_with_the_definition_on_complex_words(engine, request):
    request.getfixturevalue("unrecorded" if engine == "jets" else "recorded")
    module, batches = assembled(Problem(**WORDS), {"network": {"width": 6, "depth": 2}, "sampling": SAMPLING})
    expected = definition(module, batches, weights_of(module))
    assert_same(evaluated(module, batches, "autograd"), expected, 1e-12)
    assert_same(evaluated(module, batches, engine), expected, CLOSE)
