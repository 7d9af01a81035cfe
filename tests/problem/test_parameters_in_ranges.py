"""Fixed parameters in the ranges of coordinates."""

import pytest

from pinnkit import Problem
from pinnkit.language.errors import ProblemError

HEAT = {
    "coordinates": {"x": ["-L", "L"], "t": [0, "2*T"]},
    "fields": ["u"],
    "parameters": {"L": "pi", "T": 0.5, "nu": {"learn": 1}},
    "equations": "u_t = nu*u_xx",
    "conditions": {"start": {"at": "t = 0", "equations": "u = sin(x)"}},
}


def test_ranges_hold_fixed_parameters():
    bounds = Problem(**HEAT).domain.bounds
    assert dict(bounds) == {"x": (-3.141592653589793, 3.141592653589793), "t": (0.0, 1.0)}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"coordinates": {"x": [0, "nu"], "t": [0, 1]}}, "coordinates.x: nu has no fixed value, so it cannot bound"),
        ({"coordinates": {"x": [0, "M"], "t": [0, 1]}}, "coordinates.x: unknown name 'M'; valid are L, T, nu, pi, e"),
        ({"coordinates": {"x": [0, "-L"], "t": [0, 1]}}, r"coordinates.x: the range \[0, -3.14159\] is empty"),
        (
            {"parameters": {"L": 1, "T": "2*L", "nu": {"learn": 1}}},
            r"parameters.T: holds the parameter L, and is to be a number: write define: \{T: 2\*L\}",
        ),
    ],
)
def test_what_is_no_number_is_refused(change, told):
    with pytest.raises(ProblemError, match=told):
        Problem(**(HEAT | change))
