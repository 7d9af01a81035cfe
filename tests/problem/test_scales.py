"""The size of each field from its conditions, against hand calculation."""

import pytest

from pinnkit.problem.problem import Problem
from pinnkit.problem.scales import scales_of


def scale_of(condition, coordinates=None, **words):
    problem = Problem(
        coordinates=coordinates or {"x": [-3, 3], "t": [0, 1]},
        fields=["u"],
        equations="u_t = u_xx",
        conditions={"c": condition},
        **words,
    )
    return scales_of(problem, False).fields["u"]


@pytest.mark.parametrize(
    ("equation", "scale"),
    [
        ("u = 0", 1),
        ("u = sin(pi*x)", 1),
        ("u = 10", 8),
        ("u = 1000*cos(x)", 1024),
        ("4*u = 0.001", 2**-12),
        ("u_x = 500", 2048),  # 500 times half the range of x is 1500, nearest to 2048 on a logarithmic scale
        ("u_xx = 1", 8),  # 3^2 = 9
        ("u^2 = 100", 1),  # not linear: it tells nothing
        ("u + u_x = 100", 1),  # two derivatives: it tells nothing
        ("u = u(x=-1) + 100", 1),
    ],
)
def test_scale_of_a_condition(equation, scale):
    assert scale_of({"at": "t = 0", "equations": equation}) == scale


@pytest.mark.parametrize(
    ("weight", "scale"),
    [(100, 512), ("1/(0.01 + x^2)", 16), ("1 + u^2", 512), ("1 + u_x^2", 512)],  # 50 x^2 sqrt(w) is 150, sqrt(w) 10
)
def test_the_size_is_that_where_the_weight_is_large(weight, scale):
    assert scale_of({"at": "t = 0", "equations": "u = 50*x^2", "weight": weight}) == scale


def test_scale_from_data_and_from_parameters():
    data = {"x": [0.0, 1.0, 2.0], "t": [0.0, 0.0, 0.0], "u": [3.0, -70.0, 5.0]}
    assert scale_of({"data": data}) == 64
    assert scale_of({"at": "t = 0", "equations": "u = A*x"}, parameters={"A": 100}) == 256


def test_the_largest_condition_counts_and_python_tells_nothing():
    problem = Problem(
        coordinates={"t": [0, 1]},
        fields=["u", "v"],
        equations=["u_t = v", "v_t = -u"],
        conditions={
            "a": {"at": "t = 0", "equations": "u = 5"},
            "b": {"at": "t = 1", "equations": ["u = 40", lambda p: p.v - 9]},
        },
    )
    assert scales_of(problem, False).fields == {"u": 32.0, "v": 1.0}
