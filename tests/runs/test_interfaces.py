"""Whole runs of fields that have a network in each part of the domain."""

import json

import numpy as np
import pytest
import torch

import pinnkit
from pinnkit.problem.problem import Problem
from pinnkit.runs.evaluation import evaluate
from pinnkit.training.minibatch import MiniBatches
from pinnkit.training.stages import Stage
from tests.conftest import assembled
from tests.problem.two_materials import PLATE, ROD

SMALL = {
    "network": {"width": 8, "depth": 2},
    "sampling": {"equations": 40, "conditions": 16, "redraw_every": 30},
    "operators": {"engine": "autograd"},
    "phases": ["ssbroyden"],
    "trainer": {"max_steps": 60},
    "callbacks": {"progress": False, "figures": False},
    "logger": {"tensorboard": False},
}


def test_each_part_has_a_network_of_its_own_scaled_to_its_box():
    module, _ = assembled(PLATE, {"network": {"width": 5, "depth": 1}})
    inner, outer = module.network.networks
    ends = torch.tensor([[0.5, -0.5]], dtype=torch.float64)
    assert inner[0](ends).tolist() == [[1.0, -1.0]]
    assert outer[0](2 * ends).tolist() == [[1.0, -1.0]]


@pytest.mark.parametrize(("words", "steps", "bound"), [(ROD, 100, 1e-2), (PLATE, 100, 0.3)])
def test_two_materials_are_solved_to_their_closed_form(words, steps, bound, tmp_path):
    """Untrained the error is 1."""
    settings = {**SMALL, "trainer": {"max_steps": steps}, "sampling": {"equations": 60, "conditions": 40}}
    settings["weighting"] = {
        "weights": {"contact": 10, next(iter(words["conditions"])): 100}
    }  # of all that a name made
    pinnkit.solve(Problem(name="two", **words), tmp_path / "run", settings)
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["relative_l2"]["u"] < bound
    assert set(metrics["residual_rms"]) == set(words["equations"])
    solution = np.load(tmp_path / "run" / "solution.npz")
    assert np.isfinite(solution["u"]).all()
    assert set(solution) == {*words["coordinates"], "u", "u_reference"}


def test_residuals_are_measured_where_their_equation_holds():
    module, _ = assembled(ROD, {"network": {"width": 5, "depth": 1}})
    found = evaluate(module, None, 21)
    x = found.grid.coordinates["x"]
    assert np.isnan(found.residuals["left"]).tolist() == (x > 0).tolist()
    assert np.isnan(found.residuals["right"]).tolist() == (x < 0).tolist()
    left = found.residuals["left"][x <= 0]
    assert found.errors()["residual_rms"]["left"] == pytest.approx(np.sqrt(np.mean(left**2)), rel=1e-12)


def test_a_residual_in_python_reads_the_function_of_its_part():
    equations = {
        "left": {"equation": lambda p: p.k1 * p.u_xx + 2, "in": "left"},
        "right": {"equation": lambda p: p.k2 * p.u_xx + 2, "in": "right"},
    }
    words = {"network": {**SMALL["network"], "activation": "tanh"}, "sampling": SMALL["sampling"]}
    text, batches = assembled(ROD, words)
    python, _ = assembled({**ROD, "equations": equations}, words)
    for name, expected in text.residuals("equations.left", batches["equations.left"]).items():
        found = python.residuals("equations.left", batches["equations.left"])[name]
        torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


def test_regions_share_a_mini_batch_as_they_share_the_points():
    _, batches = assembled(PLATE, {"sampling": {"equations": 1000}})
    stage = Stage(next(iter(assembled(ROD, {"phases": ["adam"]})[0].stages)).settings)
    taken = MiniBatches(100, 0).at(3, batches, stage)
    assert (len(taken["equations.inner"]), len(taken["equations.outer"])) == (20, 80)
    assert len(taken["contact"]) == len(batches["contact"])


def test_a_resumed_run_ends_where_the_whole_one_does_with_points_by_residual(tmp_path):
    """The source is narrow, so that points of the left part alone are drawn by residual."""
    source = {"equation": "-u_xx = 50*exp(-2000*(x + 0.4)^2)", "in": "left"}
    words = {**ROD, "equations": {**ROD["equations"], "left": source}, "exact": {}}
    settings = {**SMALL, "sampling": {**SMALL["sampling"], "redraw_every": 4}, "checkpoint": {"every_steps": 6}}

    def trained(folder, steps, **options):
        settings["trainer"] = {"max_steps": steps}
        module = pinnkit.solve(Problem(name="narrow", **words), folder, settings, **options).module
        data = module.trainer.datamodule
        return module.state_dict(), data.batches(), data.by_residual

    state, points, by_residual = trained(tmp_path / "whole", 18)
    trained(tmp_path / "parts", 10)
    again, same, _ = trained(tmp_path / "parts", 18, resume=True)
    assert "equations.left" in by_residual
    assert all(torch.equal(again[name], one) for name, one in state.items())
    assert all(torch.equal(same[name].coordinates, one.coordinates) for name, one in points.items())


def test_singular_points_are_left_out_where_another_field_has_no_value():
    """p is a function in the left part alone, and the equation of u is singular in the right one."""
    words = {
        "coordinates": {"x": [-1, 1]},
        "shapes": {"left": {"box": {"lower": [-1], "upper": [0]}}},
        "fields": {"u": ["x"], "p": {"parts": ["left"]}},
        "equations": {"radial": "u_x/(x - 1/2) = 1", "inner": {"equation": "p_xx = u", "in": "left"}},
        "conditions": {"ends": {"at": "boundary", "equations": "u = 0"}, "rim": {"at": "left", "equations": "p = 1"}},
    }
    module, _ = assembled(words, {"network": {"width": 5, "depth": 1}})
    errors = evaluate(module, None, 21).errors()
    assert errors["residual_left_out"] == {"radial": 1}
    assert np.isfinite(list(errors["residual_rms"].values())).all()
