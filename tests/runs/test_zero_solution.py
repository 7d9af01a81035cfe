"""Estimated errors of problems that zero fields solve."""

import pinnkit
from pinnkit.problem.problem import Problem


def test_no_error_is_claimed_where_zero_solves_the_problem(tmp_path):
    problem = Problem(
        coordinates={"x": [0, 1]},
        fields=["u"],
        equations="u_xx = 0",
        conditions={"left": {"at": "x = 0", "equations": "u = 0"}},
    )
    settings = {
        "phases": [{"name": "adam", "steps": 2}],
        "polish": "true",
        "callbacks": {"figures": False, "progress": False},
        "operators": {"engine": "autograd"},
        "trainer": {"max_steps": 2},
    }
    metrics = pinnkit.solve(problem, tmp_path / "run", settings).metrics
    assert metrics["estimated_error"] == {"u": None}
