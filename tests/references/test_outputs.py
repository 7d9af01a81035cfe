"""Learned parameters that only say what a condition computes: references leave them out."""

import numpy as np
import pytest

from pinnkit import Problem
from pinnkit.references.fem.reference import check_problem
from pinnkit.references.outputs import without_outputs
from pinnkit.references.plane.reference import PlaneSpectral
from pinnkit.references.unsupported import UnsupportedProblem

FLOW = {
    "coordinates": {"x": [0, 1], "y": [0, 1]},
    "fields": ["h"],
    "parameters": {"Q": {"learn": 1}, "top": {"learn": 0}},
    "equations": "laplacian(h) = 0",
    "conditions": {
        "walls": {"at": "boundary", "equations": "h = x*y"},
        "flow": {"equations": "Q = integral(h_x(x=0.5), y, 0, 1)"},
        "middle": {"at": {"x": 0.5, "y": 0.5}, "equations": "top = 2*h"},
    },
}  # fmt: skip


def test_outputs_are_left_out_with_their_conditions():
    left = without_outputs(Problem(**FLOW))
    assert [one.name for one in left.conditions] == ["walls"]
    assert not left.parameters
    found = PlaneSpectral(Problem(**FLOW))({"x": np.array([0.25, 0.5]), "y": np.array([0.5, 0.5])})["h"]
    assert found == pytest.approx([0.125, 0.25], abs=1e-10)


@pytest.mark.parametrize(
    "change",
    [
        {"equations": "laplacian(h) = Q"},
        {"conditions": {"walls": {"at": "boundary", "equations": "h = Q*x"}, "flow": FLOW["conditions"]["flow"]}},
        {"conditions": {"walls": {"at": "boundary", "equations": "h = x"}, "end": {"at": "x = 0", "equations": "h=Q"}}},
    ],
)  # fmt: skip
def test_a_parameter_on_which_the_solution_depends_stays(change):
    rest = {key: one for key, one in FLOW["conditions"].items() if key != "middle"}
    config = FLOW | {"parameters": {"Q": {"learn": 1}}, "conditions": rest}
    problem = Problem(**(config | change))
    assert without_outputs(problem) is problem
    with pytest.raises(UnsupportedProblem, match="the parameter Q is learned and its true value unknown"):
        PlaneSpectral(problem)


def test_finite_elements_leave_an_output_out():
    pytest.importorskip("gmsh")
    pytest.importorskip("skfem")
    conditions = {key: one for key, one in FLOW["conditions"].items() if key != "middle"}
    check_problem(Problem(**FLOW | {"parameters": {"Q": {"learn": 1}}, "conditions": conditions}))
