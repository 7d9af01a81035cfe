"""Runs from Python."""

import json

import numpy as np
import pytest
import torch
import yaml

import pinnkit
from pinnkit.losses.view import ResidualError
from pinnkit.problem.problem import Problem
from pinnkit.reading import config_of
from pinnkit.runs.validation import read_and_check
from pinnkit.training import callbacks
from pinnkit.training.module import PINN


def test_solve_from_python_gives_a_solution_to_call(heat_words, quick, tmp_path):
    solution = pinnkit.solve(Problem(**heat_words), tmp_path, quick)
    x = np.linspace(-1, 1, 5)
    found = solution(x=x, t=0.3)
    assert found["u"].shape == (5,)
    with torch.no_grad():
        expected = solution.module(torch.tensor(np.stack([x, np.full(5, 0.3)], axis=1)))[:, 0].numpy()
    np.testing.assert_array_equal(found["u"], expected)
    with pytest.raises(ValueError, match="x, t are needed"):
        solution(x=x)


def test_a_run_from_python_keeps_its_configuration_too(heat_words, quick, tmp_path):
    problem = Problem(**heat_words)
    pinnkit.solve(problem, tmp_path / "text", quick)
    read, settings = read_and_check(yaml.safe_load((tmp_path / "text" / "config.yaml").read_text()))
    assert read.replace(folder=problem.folder) == problem
    assert config_of(settings)["network"]["width"] == 8
    assert config_of(settings)["phases"][0] == {"name": "adam", **config_of(settings.phases[0])}
    heat_words["equations"] = {"heat": lambda p: p.u_t - p.alpha * p.u_xx}
    pinnkit.solve(Problem(**heat_words), tmp_path / "python", quick)
    kept = yaml.safe_load((tmp_path / "python" / "config.yaml").read_text())
    assert kept["pde"]["equations"]["heat"] == "given in Python: <lambda>"


def test_a_run_that_fails_leaves_its_reason(heat_words, quick, tmp_path):
    heat_words["equations"] = {"heat": lambda p: p.u_t[:, 0]}
    with pytest.raises(ResidualError):
        pinnkit.solve(Problem(**heat_words), tmp_path, quick)
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["status"] == "failed"
    assert "'heat' has shape (64,)" in metrics["reason"]


def test_a_network_of_the_users_is_trained(heat_words, quick, tmp_path):
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(2, 6), torch.nn.Tanh(), torch.nn.Linear(6, 1))
    before = [value.detach().clone() for value in network.parameters()]
    solution = pinnkit.solve(Problem(**heat_words), tmp_path, quick, network=network)
    after = list(network.parameters())
    assert all(not torch.equal(a.double(), b) for a, b in zip(before, after, strict=True))
    assert solution.metrics["parameters"] == 25


def test_a_manufactured_solution_is_what_the_network_learns(heat_words, quick, tmp_path):
    quick["trainer"]["max_steps"] = 150
    settings = {**quick, "manufactured": {"u": "x*t + cos(x)"}}
    solution = pinnkit.solve(Problem(**heat_words), tmp_path, settings)
    assert solution.metrics["relative_l2"]["u"] < 1e-2
    found = solution(x=np.array([0.5]), t=np.array([0.5]))["u"][0]
    assert found == pytest.approx(0.25 + np.cos(0.5), abs=2e-2)


def test_the_reference_can_be_the_classical_solver(heat_words, quick, tmp_path):
    del heat_words["exact"]
    solution = pinnkit.solve(Problem(**heat_words), tmp_path, {**quick, "reference": "spectral"})
    arrays = np.load(tmp_path / "solution.npz")
    exact = np.exp(-0.1 * np.pi**2 * arrays["t"]) * np.sin(np.pi * arrays["x"])
    np.testing.assert_allclose(arrays["u_reference"], exact, atol=1e-8)
    assert solution.metrics["reference"].startswith("spectral")


def test_float32_is_kept_throughout(heat_words, quick, tmp_path):
    quick["phases"] = ["adam"]
    solution = pinnkit.solve(Problem(**heat_words), tmp_path, {**quick, "dtype": "float32"})
    assert isinstance(solution.module, PINN)
    assert {value.dtype for value in solution.module.parameters()} == {torch.float32}
    assert {loss.dtype for loss in solution.module.losses_now.values()} == {torch.float32}


def test_a_long_record_becomes_sparser_and_keeps_its_errors(heat_words, quick, tmp_path, monkeypatch):
    monkeypatch.setattr(callbacks, "ROWS", 40)
    quick["trainer"] |= {"steps_per_batch": 1}
    quick["callbacks"] |= {"evaluate_every": 10}
    trainer = pinnkit.solve(Problem(**heat_words), tmp_path, quick).module.trainer
    (record,) = [one for one in trainer.callbacks if isinstance(one, callbacks.Record)]
    steps = [row["step"] for row in record.rows]
    assert steps == sorted(steps)
    assert len(steps) <= 40
    assert (steps[0], steps[-1]) == (1, 60)
    assert [row["step"] for row in record.rows if row["errors"]] == [1, 10, 50, 60]


def test_a_rare_measurement_stays_in_a_record_that_becomes_sparser():
    rows = [{"step": step, "errors": {"u": 0.1} if step in (0, 700, 999) else {}} for step in range(1000)]
    for _ in range(8):
        rows = callbacks._sparser(rows)
    assert [row["step"] for row in rows if row["errors"]] == [0, 700, 999]
    assert len(rows) < 15
