"""Whole runs on a domain that is put together from shapes."""

import numpy as np
import pytest

from tests.runs.small import solved

POISSON = {
    "name": "l_shape",
    "coordinates": {"x": [-1, 1], "y": [-1, 1]},
    "shapes": {
        "corner": {"polygon": [[0, -1], [1, -1], [1, 0], [0, 0]]},
        "hole": {"ellipse": {"center": [-0.5, 0.5], "radii": [0.3, 0.2], "angle": 0.5}},
    },
    "domain": "box - corner - hole",
    "fields": ["u"],
    "equations": "laplacian(u) = -2*sin(x)*sin(y)",
    "conditions": {
        "outer": {"at": "box", "equations": "u = sin(x)*sin(y)"},
        "inner": {"at": "corner", "equations": "u = 0", "where": "x < 0.999"},
        "rim": {"at": "hole", "equations": "u_n = n_x*cos(x)*sin(y) + n_y*sin(x)*cos(y)"},
    },
    "exact": {"u": "sin(x)*sin(y)"},
}
SETTINGS = {
    "network": {"width": 10, "depth": 2},
    "sampling": {"equations": 200, "conditions": 60, "redraw_every": 30},
    "operators": {"engine": "autograd"},
    "phases": ["ssbroyden"],
    "trainer": {"max_steps": 100},
    "callbacks": {"progress": False, "figures": False, "evaluate_every": 25},
    "logger": {"tensorboard": False},
}


def test_poissons_equation_on_an_l_shape_with_a_hole_is_solved(tmp_path):
    solution = solved(tmp_path, POISSON, SETTINGS)
    metrics = solution.metrics
    assert metrics["status"] == "finished"
    assert metrics["relative_l2"]["u"] < 1e-2
    with np.load(tmp_path / "solution.npz") as saved:
        x, y, known = saved["x"], saved["y"], ~np.isnan(saved["u"])
    corner = (x > 1e-9) & (y < -1e-9)
    assert not known[corner].any()
    assert known[(x >= 0) & (y >= 0)].all()
    assert known.mean() == pytest.approx((3 - 0.06 * np.pi) / 4, abs=0.01)
    with pytest.warns(UserWarning, match=r"x = 0.5, y = -0.5 lies outside the domain"):
        solution(x=0.5, y=-0.5)
