"""What every weighting promises: a pure function that gives each term a weight, and leaves fixed ones as they are."""

import copy
import dataclasses

import pytest
import torch

from pinnkit.losses.settings import WEIGHTINGS, Observation

WEIGHTS = {"heat": 1.0, "initial": 10.0, "ends": 0.5}
LOSSES = {"heat": 1e-3, "initial": 2.0, "ends": 0.0}


def gradients():
    return torch.arange(12, dtype=torch.float64).reshape(3, 4)


def traces():
    return {"heat": 4.0, "initial": 0.5, "ends": 0.0}


def seen(step=100, memory=None, losses=LOSSES, weights=WEIGHTS):
    return Observation(step, 0, weights, WEIGHTS, losses, gradients, traces, {} if memory is None else memory)


@pytest.mark.parametrize("name", WEIGHTINGS)
def test_every_term_has_a_finite_weight_that_is_a_function_of_the_arguments(name):
    weighting = WEIGHTINGS[name]()
    assert weighting.every is None or weighting.every >= 1
    memory = {}
    weighting.next_weights(seen(100, memory))
    kept = copy.deepcopy(memory)
    found = weighting.next_weights(seen(200, memory, {"heat": 1e-3, "initial": 1e9, "ends": 0.0}))
    assert found.keys() == WEIGHTS.keys()
    assert all(0 <= weight < float("inf") for weight in found.values())
    assert weighting.next_weights(seen(200, kept, {"heat": 1e-3, "initial": 1e9, "ends": 0.0})) == found


def test_fixed_weights_stay():
    assert WEIGHTINGS["fixed"]().every is None
    assert WEIGHTINGS["fixed"]().update(WEIGHTS, LOSSES, gradients) == WEIGHTS
    assert WEIGHTINGS["fixed"]().next_weights(seen()) == WEIGHTS
    assert "every" not in {one.name for one in dataclasses.fields(WEIGHTINGS["fixed"])}
