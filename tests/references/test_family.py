"""Numerical references of families against closed forms, and those that are refused."""

import numpy as np
import pytest

from pinnkit.language.errors import ProblemError
from pinnkit.problem.problem import Problem
from pinnkit.references import family
from pinnkit.references.choose import choose
from pinnkit.references.manufactured import manufacture
from pinnkit.reporting.error_norms import relative_l2
from pinnkit.runs.evaluation import grid_of
from pinnkit.runs.validation import validate
from pinnkit.settings import Settings

DECAY = {
    "coordinates": {"t": [0, 1]},
    "fields": {"u": ["t", "a"]},
    "parameters": {"a": {"range": [0.1, 10], "log": True}, "c": 2},
    "equations": {"decay": "u_t = -a*u"},
    "conditions": {"start": {"at": "t = 0", "equations": "u = c"}},
    "reference": "spectral",
}


def test_a_family_of_decays_is_known_at_several_rates():
    problem = validate(Problem(**DECAY), Settings())
    reference = choose(problem)
    grid = grid_of(problem, reference)
    assert (grid.structured, grid.shape, grid.parameters) == (True, (101, 5), ("a",))
    np.testing.assert_allclose(grid.axis("a"), np.geomspace(0.1, 10, 5))
    exact = 2 * np.exp(-grid.coordinates["a"] * grid.coordinates["t"])
    found = reference(grid.coordinates)["u"]
    assert relative_l2(found, exact) < 1e-8
    assert reference.name.endswith("at 5 values of a")
    assert reference.claimed_error >= relative_l2(found, exact)


def test_two_parameters(monkeypatch):
    monkeypatch.setattr(family, "VALUES", {2: 2})
    start = {"start": {"at": "t = 0", "equations": "u = s"}}
    parameters = {"a": DECAY["parameters"]["a"], "s": {"range": [1, 3]}}
    reference = choose(Problem(**{**DECAY, "fields": ["u"], "parameters": parameters, "conditions": start}))
    t, a, s = reference.grid.values()
    assert t.shape == (101, 2, 2)
    assert relative_l2(reference(reference.grid)["u"], s * np.exp(-a * t)) < 1e-8
    with pytest.raises(ValueError, match="is defined at its own points only"):
        reference({name: values + 0.1 for name, values in reference.grid.items()})


def test_a_space_coordinate(monkeypatch):
    monkeypatch.setattr(family, "VALUES", {1: 2})
    words = {
        "coordinates": {"x": [0, 1], "t": [0, 0.1]},
        "fields": {"u": {"coordinates": ["t", "a", "x"]}},
        "parameters": {"a": {"range": [0.5, 1]}},
        "equations": {"heat": "u_t = a*u_xx"},
        "conditions": {
            "start": {"at": "t = 0", "equations": "u = sin(pi*x)"},
            "ends": {"at": "boundary", "equations": "u = 0"},
        },
    }
    reference = choose(Problem(**words), "spectral")
    x, t, a = reference.grid.values()
    assert x.shape == (101, 101, 2)
    assert relative_l2(reference(reference.grid)["u"], np.exp(-a * np.pi**2 * t) * np.sin(np.pi * x)) < 1e-7


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"equations": {"decay": "u_t = -a*u + 0*u_a"}},
            "with a number for a it cannot be read: equations.decay",
        ),
        (
            {"conditions": {**DECAY["conditions"], "one": {"at": {"t": 0, "a": 1}, "equations": "u = 2"}}},
            "it is a family, and the condition 'one' holds at one a",
        ),
        (
            {"parameters": {name: {"range": [1, 2]} for name in "abc"}, "fields": ["u"]},
            "it has 3 parameters with a range: it takes up to 2",
        ),
    ],
)
def test_families_that_are_refused(changes, told):
    problem = Problem(**{**DECAY, **changes})
    with pytest.raises(ProblemError, match=told):
        choose(problem)


def test_a_manufactured_family_has_its_closed_form_alone():
    made = manufacture(Problem(**DECAY), {"u": "a*t"})
    assert choose(made).name == "exact"
    with pytest.raises(ProblemError, match="it is a family whose equations got a source"):
        choose(made, "spectral")
