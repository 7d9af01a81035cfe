"""Whole runs with a table: the same losses as its closed form, points by residual, resuming, repeating."""

import json

import numpy as np
import pytest
import torch
import yaml

import pinnkit
from pinnkit.problem.problem import Problem
from pinnkit.runs import evaluation
from tests.conftest import assembled
from tests.engines.evaluations import SAMPLING, assert_same, definition, weights_of
from tests.runs.small import QUICK

X = np.linspace(-1, 1, 41)
WORDS = {
    "name": "rod",
    "coordinates": {"x": [-1, 1], "t": [0, 1]},
    "fields": ["u"],
    "equations": {"heat": "u_t = diff(k*u_x, x) + 50*exp(-900*x^2)"},
    "conditions": {
        "start": {"at": "t = 0", "equations": "u = k - 2"},
        "ends": {"at": "boundary", "equations": "u = 0*k_x", "weight": "k"},
        "samples": {"data": {"x": [0.2, -0.3], "t": [0.1, 0.9], "s": [1.0, 2.0]}, "equations": "u = k*s"},
    },
}


def tabled(folder):
    np.savez(folder / "source.npz", x=X, k=2 + X**3)
    return {**WORDS, "tables": {"k": {"file": "source.npz"}}}


def test_losses_gradients_and_residuals_are_those_of_the_closed_form(tmp_path):
    settings = {"network": {"width": 5, "depth": 1}, "sampling": SAMPLING}
    closed, plain = assembled({**WORDS, "define": {"k": "2 + x^3"}, **{
        "conditions": {**WORDS["conditions"], "ends": {"at": "boundary", "equations": "u = 0*3*x^2", "weight": "k"}}
    }}, settings)  # fmt: skip
    by_table, batches = assembled(Problem(folder=tmp_path, **tabled(tmp_path)), settings)
    assert set(batches["equations"].columns) == {"k", "k_x"}
    torch.testing.assert_close(batches["samples"].columns["k"][:, 0], 2 + torch.tensor([0.2, -0.3]).double() ** 3)
    expected = definition(closed, plain, weights_of(closed))
    assert_same(definition(by_table, batches, weights_of(by_table)), expected, 1e-10)
    grid = dict(zip("xt", np.meshgrid(X, np.linspace(0, 1, 5), indexing="ij"), strict=True))
    found, known = evaluation.residuals(by_table, grid), evaluation.residuals(closed, grid)
    np.testing.assert_allclose(found["heat"], known["heat"], rtol=1e-9, atol=1e-9)


def test_a_run_with_points_by_residual_resumes_to_the_bit_and_repeats_from_its_folder(tmp_path):
    words = tabled(tmp_path)
    settings = {**QUICK, "sampling": {"equations": 40, "conditions": 10, "redraw_every": 3}}

    def solved(name, steps, **options):
        problem = Problem(folder=tmp_path, **words)
        return pinnkit.solve(problem, tmp_path / name, {**settings, "trainer": {"max_steps": steps}}, **options)

    whole = solved("whole", 12)
    solved("parts", 7)
    parts = solved("parts", 12, resume=True)
    for one, other in zip(whole.module.parameters(), parts.module.parameters(), strict=True):
        assert torch.equal(one, other)
    data = torch.load(tmp_path / "whole" / "checkpoints" / "last.ckpt", weights_only=True)["CollocationData"]
    assert data["by_residual"]
    drawn = {name.removeprefix("columns."): one[:, 0].numpy() for name, one in data["points"]["equations"].items()}
    x = data["points"]["equations"]["coordinates"][:, 0].numpy()
    np.testing.assert_allclose(drawn["k"], 2 + x**3, atol=1e-12)
    np.testing.assert_allclose(drawn["k_x"], 3 * x**2, atol=1e-11)
    config = yaml.safe_load((tmp_path / "whole" / "config.yaml").read_text())
    assert config["pde"]["tables"] == {"k": {"file": "source.npz"}}
    assert json.loads((tmp_path / "whole" / "metrics.json").read_text())["residual_rms"]["heat"] > 0
    loaded = pinnkit.load(tmp_path / "whole")
    assert loaded(x=0.3, t=0.2)["u"] == whole(x=0.3, t=0.2)["u"]
    np.savez(tmp_path / "source.npz", x=X, k=2 + X**2)
    with pytest.raises(pinnkit.ProblemError, match=r"tables\.k"):
        solved("whole", 14, resume=True)


def test_residuals_in_python_read_tables(tmp_path):
    settings = {"network": {"width": 5, "depth": 1}, "sampling": SAMPLING}
    text = {**tabled(tmp_path), "equations": {"one": "u_t = k*u_xx + k_x*u_x"}}
    python = {**text, "equations": {"one": lambda p: p.u_t - p.k * p.u_xx - p.k_x * p.u_x}}
    one, batches = assembled(Problem(folder=tmp_path, **text), settings)
    other, same = assembled(Problem(folder=tmp_path, **python), settings)
    expected = definition(one, batches, weights_of(one))
    assert_same(definition(other, same, weights_of(other)), expected, 1e-12)
