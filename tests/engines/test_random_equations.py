"""Engines against the definition, for random equations."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinnkit.engines import evaluator as tested
from tests.conftest import assembled
from tests.engines.evaluations import CLOSE, assert_same, definition, evaluated, weights_of

ATOMS = ["u", "u_x", "u_t", "u_xx", "u_xt", "u_tt", "u_xxx", "v", "v_x", "v_t", "v_xx", "v_tt"]
COEFFICIENTS = ["1", "-0.5", "a", "b", "x", "a*x^2", "sin(b*t)", "exp(-x)", "1/(2 + t)", "a*b"]
SHAPES = ["{}", "{}", "{}", "{}^2", "sin({})", "tanh({})", "exp(-({})^2)", "{}*u", "v*{}", "{}*u_x", "u(x=-1)*{}"]
TERMS = st.tuples(st.sampled_from(COEFFICIENTS), st.sampled_from(SHAPES), st.sampled_from(ATOMS))
EQUATION = st.lists(TERMS, min_size=1, max_size=4).map(
    lambda terms: " + ".join(f"({factor})*{shape.format(atom)}" for factor, shape, atom in terms)
)
NETWORK = st.fixed_dictionaries(
    {
        "width": st.integers(2, 5),
        "depth": st.integers(1, 2),
        "activation": st.sampled_from(["tanh", "sin", "sigmoid", "silu", "gelu", "softplus"]),
        "separate": st.booleans(),
        "fourier_features": st.sampled_from([0, 2]),
    }
)


def random_problem(equations, at_start, network, periodic):
    problem = {
        "coordinates": {"x": [-1, 1], "t": [0, 1]},
        "fields": ["u", "v"],
        "parameters": {"a": 0.6, "b": {"learn": 0.8}},
        "equations": [f"{text} = x + 0.3" for text in equations],
        "conditions": {"start": {"at": "t = 0", "equations": f"{at_start} = 0.1"}},
        "periodic": ["x"] if periodic else [],
    }
    return assembled(problem, {"network": network, "sampling": {"equations": 6, "conditions": 4}})


@given(equations=st.lists(EQUATION, min_size=1, max_size=2), at_start=EQUATION, network=NETWORK, periodic=st.booleans())
@settings(max_examples=25, deadline=None, derandomize=True)
def test_taylor_mode_agrees_with_the_definition_for_random_equations(equations, at_start, network, periodic):
    module, batches = random_problem(equations, at_start, network, periodic)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tested, "record_graph", lambda step, inputs: step)
        patch.setattr(tested, "compile_graph", lambda step, inputs: step)
        found = evaluated(module, batches, "jets")
    assert_same(found, definition(module, batches, weights_of(module)), CLOSE)


@given(equation=EQUATION, at_start=st.sampled_from(ATOMS[:5]), network=NETWORK, periodic=st.booleans())
@settings(max_examples=6, deadline=None, derandomize=True)
def test_recorded_steps_agree_with_the_definition_for_random_equations(equation, at_start, network, periodic):
    module, batches = random_problem([equation], at_start, {**network, "depth": 1}, periodic)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tested, "compile_graph", lambda graph, inputs: graph)
        found = evaluated(module, batches, "compiled")
    assert_same(found, definition(module, batches, weights_of(module)), CLOSE)
