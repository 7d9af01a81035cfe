"""File names of figures, messages, and the settings of matplotlib."""

from __future__ import annotations

import subprocess
import sys

import matplotlib
import numpy as np
import pytest

from tests.reporting.figure_cases import drawn


def test_names_become_safe_and_distinct_file_names(heat):
    grid, u, _ = heat
    residuals = {"mass balance": u, "mass_balance": u, "../up": u, "Mass_Balance": u}
    figures = drawn(grid, {"u": u, "U": u}, residuals=residuals)
    assert set(figures) == {
        "solution_u",
        "slices_u",
        "solution_U_2",
        "slices_U_2",
        "residual_mass_balance",
        "residual_mass_balance_2",
        "residual_.._up",
        "residual_Mass_Balance_3",
        "loss_history",
        "points",
    }


def test_neither_torch_nor_pyplot_is_imported():
    code = "import sys, pinnkit.reporting.figures, pinnkit.reporting.summary, pinnkit.reporting.export.csv\n"
    code += "print({'torch', 'matplotlib.pyplot'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_mistakes_are_named(heat):
    grid, u, _ = heat
    with pytest.raises(ValueError, match=r"'u' has shape \(6, 9\); expected the grid's shape \(9, 6\)"):
        drawn(grid, {"u": u.T})
    with pytest.raises(ValueError, match="'heat \\(residual\\)' has shape"):
        drawn(grid, {"u": u}, residuals={"heat": u[0]})
    with pytest.raises(ValueError, match="reference 'v' has no field; the fields are u"):
        drawn(grid, {"u": u}, {"v": u})
    with pytest.raises(ValueError, match=r"points\['ends'\] has x; 't' is missing"):
        drawn(grid, {"u": u}, points={"ends": {"x": np.ones(3)}})


def test_drawing_leaves_the_settings_of_matplotlib_alone(heat):
    before = dict(matplotlib.rcParams)
    grid, u, _ = heat
    drawn(grid, {"u": u}, {"u": u})
    assert dict(matplotlib.rcParams) == before
