"""Whole runs on a domain that is no box."""

import warnings

import numpy as np
import pytest

from tests.runs.small import solved

POISSON = {
    "name": "membrane",
    "coordinates": {"x": [-1, 1], "y": [-1, 1]},
    "shapes": {"part": {"disk": {"center": [0, 0], "radius": 1}}},
    "domain": "part",
    "fields": ["u"],
    "equations": "-laplacian(u) = 4",
    "conditions": {"rim": {"at": "part", "equations": "u = 0"}},
    "exact": {"u": "1 - x^2 - y^2"},
}
FLUX = {"rim": {"at": "boundary", "equations": "u_n = -2"}, "middle": {"at": {"x": 0, "y": 0}, "equations": "u = 1"}}
SETTINGS = {
    "network": {"width": 10, "depth": 2},
    "sampling": {"equations": 128, "conditions": 64, "redraw_every": 40},
    "operators": {"engine": "autograd"},
    "phases": ["ssbroyden"],
    "trainer": {"max_steps": 150},
    "callbacks": {"progress": False, "figures": True, "evaluate_every": 50},
    "logger": {"tensorboard": False},
}


@pytest.mark.parametrize("conditions", [POISSON["conditions"], FLUX], ids=["value", "flux"])
def test_poissons_equation_on_a_disk_is_solved(conditions, tmp_path):
    solution = solved(tmp_path, POISSON | {"conditions": conditions}, SETTINGS)
    metrics = solution.metrics
    assert metrics["status"] == "finished"
    assert metrics["relative_l2"]["u"] < 1e-3
    assert metrics["residual_left_out"] == metrics["reference_left_out"] == {}
    assert -0.01 < metrics["minimum"]["u"] < 0.01  # at the rim; beyond it the network goes on below zero
    assert (tmp_path / "figures" / "solution_u.png").exists()
    with np.load(tmp_path / "solution.npz") as saved:
        beyond = saved["x"] ** 2 + saved["y"] ** 2 > 1 + 1e-9
        assert np.array_equal(np.isnan(saved["u"]), beyond)
        assert beyond.mean() == pytest.approx(1 - np.pi / 4, abs=0.01)
    with pytest.warns(UserWarning, match=r"x = 0.8, y = -0.8 lies outside the domain, .* \(1 of 3 points do\)"):
        solution(x=[0.0, 0.8, 0.6], y=[0.5, -0.8, 0.8])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert solution(x=0.6, y=0.8)["u"] == pytest.approx(0, abs=1e-2)  # on the rim
