"""The budget of time and memory of a reference."""

from __future__ import annotations

import json
import logging

import numpy as np
import pytest

import pinnkit
from pinnkit.references import refinement
from pinnkit.references.budget import Budget, OverBudget
from pinnkit.references.choose import choose
from pinnkit.references.claimed_error import NotComputed, log_computed
from pinnkit.references.spectral import Spectral
from tests.references.rods import ENDS, SINE, heat, problem, start

SHARP = problem(
    "u_t + u*u_x = 0.1*u_xx",
    {"initial": start("u = -tanh(5*x)"), "ends": {"at": "boundary", "equations": "u = -tanh(5*x)"}},
    coordinates={"x": [-1, 1], "t": [0, 0.25]},
    reference="spectral",
)
STIFF = problem("u_t = u*u_x - u_xx - u_xxxx", {"initial": SINE}, periodic=["x"], reference="spectral")


class Clock:
    """Gains a second with each look."""

    def __init__(self) -> None:
        self.looks = 0

    def __call__(self) -> float:
        self.looks += 1
        return float(self.looks)


def test_time_is_over_after_the_seconds_allowed():
    clock = Clock()
    budget = Budget(5.0, clock=clock)
    for _ in range(5):
        budget.check_time()
    with pytest.raises(OverBudget, match="5 s are over"):
        budget.check_time()


def test_memory_is_refused_before_it_is_taken():
    with pytest.raises(OverBudget, match=r"2\.0 GB of memory are needed and 1 GB are allowed"):
        Budget().check_memory(2e9)


@pytest.mark.parametrize("of", [SHARP, STIFF], ids=["Chebyshev", "Fourier"])
def test_no_pair_of_solutions_in_time_is_no_reference(of, caplog):
    with pytest.raises(NotComputed, match="s are over, before two solutions could be compared"):
        Spectral(of, max_time=1e-3)
    with caplog.at_level(logging.INFO, "pinnkit.references"):
        assert choose(of, None, 1e-3) is None
    (warning,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert "no reference: 0.001 s are over" in warning.getMessage()
    assert "Allow it more by reference_max_time=0.01, or give a closed form (exact:)" in warning.getMessage()


@pytest.mark.parametrize("of", [heat(), STIFF], ids=["Chebyshev", "Fourier"])
def test_no_memory_is_no_reference(of):
    with pytest.raises(NotComputed, match="GB of memory are needed"):
        Spectral(of, memory=1000)


def test_the_best_pair_is_taken_where_the_time_ends(monkeypatch):
    """The budget ends with the third grid: the second stays, with what the first pair moved it."""
    made = refinement.GridSolution

    def ending(system, nodes, *words, **more):
        if nodes > 64:
            raise OverBudget("the time is over")
        return made(system, nodes, *words, **more)

    monkeypatch.setattr(refinement, "GridSolution", ending)
    reference = Spectral(SHARP)
    assert "64 nodes" in reference.name
    x = np.linspace(-1, 1, 301)
    truth = -np.tanh(5 * x)
    error = np.linalg.norm(reference({"x": x, "t": 0 * x + 0.2})["u"] - truth) / np.linalg.norm(truth)
    assert 1e-11 < error < reference.claimed_error < 1e-3


def test_the_method_the_seconds_and_the_claim_are_logged(caplog):
    with caplog.at_level(logging.INFO, "pinnkit.references"):
        reference = Spectral(heat(), nodes=32, max_time=30)
    begin, end = (record.getMessage() for record in caplog.records)
    assert begin == "reference: computing by the method of lines (at most 30 s)"
    assert end.startswith(f"reference: {reference.name}; ")
    assert end.endswith(f" s, claimed error {reference.claimed_error:.1e}")


def test_a_poor_claim_is_a_warning_in_the_log(caplog):
    poor = problem("u_t = 0.1*u_xx", {"initial": start("u = 1 - abs(x)"), "ends": ENDS})
    with caplog.at_level(logging.INFO, "pinnkit.references"):
        reference = Spectral(poor, nodes=32)
    _, end = caplog.records  # the claim is told once
    assert end.levelno == logging.WARNING
    assert f"a claimed error of {reference.claimed_error:.1e} (relative L2) after " in end.getMessage()


def test_runs_keep_the_claim_and_go_on_without_a_reference(tmp_path, quick):
    quick |= {"trainer": {"max_steps": 1}, "phases": ["adam"], "operators": {"engine": "autograd"}}
    for of, seconds in ((heat(reference="spectral"), 60.0), (STIFF, 1e-3)):
        folder = tmp_path / f"{seconds:g}"
        pinnkit.solve(of, folder, {**quick, "reference_max_time": seconds})
        metrics = json.loads((folder / "metrics.json").read_text())
        written = (folder / "train.log").read_text()
        if of is STIFF:
            assert metrics["reference"] is None
            assert metrics["reference_error"] is None
            assert "WARNING no reference: 0.001 s are over" in written
        else:
            assert 0 < metrics["reference_error"] < 1e-8
            assert f"claimed error {metrics['reference_error']:.1e}" in written


def test_a_front_that_no_grid_resolves_is_no_mistake():
    """The integration stops where the front becomes steep, on each grid at another time."""
    steep = problem(
        "u_t + u*u_x = 0.001*u_xx", {"initial": start("u = -sin(pi*x)"), "ends": ENDS}, reference="spectral"
    )
    told = r"stopped at t = 0\.3.* of 1, its steps too small: the solution blows up there, or \d+ nodes are too few"
    with pytest.raises(NotComputed, match=told):
        Spectral(steep, nodes=64, rtol=1e-6, atol=1e-8)


def test_a_claim_that_ran_out_of_time_names_the_setting(caplog):
    now = iter([0.0, 59.0, 59.0, 59.0])
    log_computed("spectral", 1e-2, Budget(60.0, clock=lambda: next(now)))
    assert caplog.records[-1].getMessage().endswith("its 60 s were used up: reference_max_time=600 gives more")
