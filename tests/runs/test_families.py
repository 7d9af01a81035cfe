"""Whole runs of a family: a parameter as an input of the network, in every file that a run leaves."""

import json

import numpy as np
import pytest
import torch

import pinnkit
from pinnkit.problem.problem import Problem
from tests.conftest import assembled
from tests.runs.small import QUICK

WORDS = {
    "name": "cooling",
    "coordinates": {"x": [0, 1], "t": [0, 1]},
    "fields": ["u"],
    "parameters": {"alpha": {"range": [0.01, 1], "log": True}},
    "equations": {"heat": "u_t = alpha*u_xx"},
    "conditions": {
        "start": {"at": "t = 0", "equations": "u = sin(pi*x)"},
        "ends": {"at": "boundary", "equations": "u = 0"},
    },
    "exact": {"u": "exp(-alpha*pi^2*t)*sin(pi*x)"},
}


def solved(folder, steps, **options):
    return pinnkit.solve(Problem(**WORDS), folder, {**QUICK, "trainer": {"max_steps": steps}}, **options)


def test_a_family_is_measured_over_its_range_and_resumes_to_the_bit(tmp_path):
    whole = solved(tmp_path / "whole", 8)
    solved(tmp_path / "parts", 5)
    parts = solved(tmp_path / "parts", 8, resume=True)
    for one, other in zip(whole.module.parameters(), parts.module.parameters(), strict=True):
        assert torch.equal(one, other)
    metrics = json.loads((tmp_path / "whole" / "metrics.json").read_text())
    with np.load(tmp_path / "whole" / "solution.npz") as saved:
        arrays = dict(saved)
    np.testing.assert_allclose(arrays["alpha"][0, 0], np.geomspace(0.01, 1, 41), rtol=1e-12)
    exact = np.exp(-arrays["alpha"] * np.pi**2 * arrays["t"]) * np.sin(np.pi * arrays["x"])
    np.testing.assert_allclose(arrays["u_reference"], exact, atol=1e-14)
    error = np.linalg.norm(arrays["u"] - exact) / np.linalg.norm(exact)
    assert metrics["relative_l2"]["u"] == pytest.approx(error, rel=1e-10)
    here = whole(x=0.5, t=np.linspace(0, 1, 3), alpha=0.1)["u"]
    row = torch.tensor([[0.5, 0.5, 0.1]], dtype=torch.float64)
    assert here[1] == pytest.approx(float(whole.module(row).detach()), rel=1e-12)
    with pytest.raises(ValueError, match="x, t, alpha are needed"):
        whole(x=0.5, t=0.0)


def test_the_network_sees_the_logarithm_scaled():
    module, _ = assembled(WORDS, QUICK)
    embedding = module.network.networks[0][0]
    points = torch.tensor([[0.0, 0.0, 0.01], [0.5, 1.0, 0.1], [1.0, 0.5, 1.0]], dtype=torch.float64)
    torch.testing.assert_close(embedding(points)[:, 2], torch.tensor([-1.0, 0.0, 1.0], dtype=torch.float64))
