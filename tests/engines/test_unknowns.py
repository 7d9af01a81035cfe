"""Engines on learned numbers and functions within bounds agree with the definition."""

from tests.conftest import assembled
from tests.engines.evaluations import CLOSE, SAMPLING, assert_same, definition, evaluated, weights_of

BOUNDED = {
    "coordinates": {"x": [0, 1], "t": [0, 1]},
    "fields": {
        "u": ["x", "t"],
        "k": {"coordinates": ["x"], "min": 0.1, "max": 10},
        "p": {"coordinates": ["t"], "positive": True},
    },
    "parameters": {
        "a": {"learn": 1, "min": 0.1, "max": 10},
        "b": {"learn": 1, "min": 0.5},
        "c": {"learn": -1, "max": 2},
        "d": {"learn": 2, "positive": True, "max": 3},
    },
    "equations": {"one": "u_t = diff(k*u_x, x) + a*p + c*u_x", "two": "p_t = b*k - d*p*u"},
    "conditions": {"start": {"at": "t = 0", "equations": ["u = sin(pi*x)", "p = d*k"]}},
}


FAMILY = {
    "coordinates": {"x": [0, 1], "t": [0, 1]},
    "fields": {"u": {}, "k": ["x", "nu"]},
    "parameters": {"nu": {"range": [0.001, 1], "log": True}, "c": {"range": [-1, 2]}, "d": {"learn": 2}},
    "define": {"Re": "d/nu"},
    "equations": {
        "one": "u_t + c*u_x = nu*laplacian(u) + sin(c*t)",
        "two": "k_nu + k*Re/1000 = u(x=0, nu=0.1)*u_cc",
    },
    "conditions": {
        "start": {"at": "t = 0", "equations": "u = sin(pi*x)*c"},
        "rim": {"at": "boundary", "equations": "u_n = nu*c"},
        "one_value": {"at": {"nu": 0.01, "x": 0}, "equations": "u = c"},
    },
}


FUNCTIONS = {
    "coordinates": {"x": [0, 1], "t": [0, 1]},
    "fields": {
        "f": {"coordinates": ["u"], "range": [0, 2]},
        "u": ["x", "t"],
        "g": {"coordinates": ["u", "f", "x"], "positive": True},
    },
    "equations": {"one": "u_t = u_xx + f + x*f_x", "two": "g_x = f(x=0)*g"},
    "conditions": {"start": {"at": "t = 0", "equations": "f = u^2"}},
}


AXIS = [0, 0.2, 0.5, 0.8, 1]
TABLES = {
    "coordinates": {"x": [0, 1], "y": [0, 1]},
    "fields": ["u"],
    "tables": {"q": {"file": {"x": AXIS, "y": AXIS, "q": [[1 + a * b**2 for b in AXIS] for a in AXIS]}}},
    "equations": {"flow": "div(q*u_x, q*u_y) = laplacian(q) + u(x=q/4)"},
    "conditions": {"rim": {"at": "boundary", "equations": "u_n = q_n + q", "weight": "q^2"}},
}


def agree(words):
    """Every engine gives the losses and the gradient of the definition; the largest entry of that gradient."""
    module, batches = assembled(words, {"network": {"width": 5, "depth": 1}, "sampling": SAMPLING})
    expected = definition(module, batches, weights_of(module))
    for engine in ("autograd", "compiled", "jets"):
        assert_same(evaluated(module, batches, engine), expected, CLOSE)
    return float(expected[1].abs().max())


def test_bounded_numbers_and_functions(recorded):
    assert agree(BOUNDED) > 0


def test_families(recorded):
    assert agree(FAMILY) > 0


def test_functions_of_fields(recorded):
    assert agree(FUNCTIONS) > 0


def test_tables(recorded):
    assert agree(TABLES) > 0
