"""Integrals in residuals: every engine gives the losses and the gradient of nested autograd, and Jacobians agree."""

import pytest

from pinnkit.engines.jacobian import Jacobian
from tests.conftest import assembled
from tests.engines.evaluations import CLOSE, SAMPLING, assert_same, definition, evaluated, weights_of
from tests.engines.test_jacobian import assert_consistent, close
from tests.engines.test_jacobian import definition as rows_of

START = {"start": {"at": "t = 0", "equations": "v = 1"}}
IN_TIME = {
    "coordinates": {"t": [0, 2]},
    "fields": ["v"],
    "parameters": {"a": 0.5, "b": {"learn": 0.7}},
    "quadrature": 5,
}
HEAT = {
    "coordinates": {"x": [-1, 1], "t": [0, 1]},
    "fields": {"u": ["x", "t"], "m": ["t"]},
    "parameters": {"b": {"learn": 0.7, "positive": True}},
    "conditions": {
        "ends": {"at": "boundary", "equations": "u_n = integral(u, domain)"},
        "whole": {"at": "t = 0", "equations": ["integral(u^2, domain) = 1", "integral(u_n, boundary) = m"]},
    },
    "quadrature": 4,
}
DISK = {
    "coordinates": {"x": [-1, 1], "y": [-1, 1]},
    "shapes": {"plate": {"disk": {"center": [0, 0], "radius": 1}}},
    "domain": "plate",
    "fields": ["u"],
    "conditions": {
        "mean": {"at": {"x": 0, "y": 0}, "equations": ["integral(u, domain) = 1", "integral(u_n*u, boundary) = 2"]}
    },
    "quadrature": 3,
}
PROBLEMS = {
    "volterra": {
        **IN_TIME,
        "equations": ["v_t + v = integral(b*exp(a*(s - t))*v(t=s), s, 0, t)", "integral(v_t^2*t, t, t/2, t) = v"],
        "conditions": START,
    },
    "alone": {**IN_TIME, "equations": "v_t = integral(1/(1 + s), s, 0, t)*v", "conditions": START},
    "heat": {
        **HEAT,
        "equations": [
            "u_t = b*u_xx*integral(u_x^2, x) - integral(u_xx*x, x, -1, x)",
            "m = integral(b*u*cos(x), domain) + diff(integral(u*x, x, 0, t/2), t)",
        ],
    },
    "disk": {**DISK, "equations": "laplacian(u) = integral(u*x*y, plate) + u*integral(x - y, y, 0, x/2)"},
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_taylor_mode_agrees_with_the_definition(name, unrecorded):
    module, batches = assembled(PROBLEMS[name], {"network": {"width": 5, "depth": 2}, "sampling": SAMPLING})
    expected = definition(module, batches, weights_of(module))
    assert_same(evaluated(module, batches, "autograd"), expected, 1e-12)
    assert_same(evaluated(module, batches, "jets"), expected, CLOSE)
    assert_same(evaluated(module, batches, "jets", 40), expected, CLOSE)


MIXED = {
    "coordinates": {"x": [-1, 1], "t": [0, 1]},
    "fields": ["u"],
    "parameters": {"b": {"learn": 0.7}},
    "equations": "u_t = b*u*integral(x*u, domain) + integral(u_x^2, x, x/2, x)",
    "conditions": {"ends": {"at": "boundary", "equations": "u = integral(u_n, boundary)"}},
    "quadrature": 2,
}
SMALL = {"network": {"width": 3, "depth": 1}, "sampling": {"equations": 5, "conditions": 3}}


@pytest.mark.parametrize("engine", ["compiled", "jets"])
def test_recorded_steps_agree_with_the_definition(engine, recorded):
    module, batches = assembled(MIXED, SMALL)
    assert_same(evaluated(module, batches, engine), definition(module, batches, weights_of(module)), CLOSE)


def test_rows_of_the_jacobian_are_those_of_the_definition(recorded):
    module, batches = assembled(MIXED, SMALL)
    weights = weights_of(module)
    jacobian = Jacobian(module.make_evaluator("autograd", None))
    assert_consistent(jacobian, batches, weights)
    gram, half = jacobian.at([jacobian.prepare(batches)], weights).gram()
    r, rows = rows_of(module, batches, weights)
    assert close(gram, rows.T @ rows, 1e-10)
    assert close(half, rows.T @ r, 1e-10)


def test_chunks_count_the_points_of_integrals():
    module, batches = assembled(PROBLEMS["volterra"], {"network": {"width": 4, "depth": 1}, "sampling": SAMPLING})
    group = module.groups["equations"]
    assert group.cost == 1 + 5 + 5
    evaluator = module.make_evaluator("autograd", 33)
    assert [len(one[0]) for one in evaluator.prepare(batches).chunks] == [3] * 5  # 13 points, 3 at once
