"""Errors, exports and figures of complex fields."""

import csv

import numpy as np
import pytest

from pinnkit.reporting.error_norms import max_error, relative_l2, rms
from pinnkit.reporting.export.csv import CSV
from pinnkit.reporting.figures import Grid
from tests.reporting.figure_cases import colours, drawn, mesh, render


def test_errors_are_those_of_the_modulus():
    reference = np.array([3 + 4j, 0, 1j])
    error = np.array([3j, 4, 0])
    assert relative_l2(reference + error, reference) == pytest.approx(5 / np.sqrt(26))
    assert max_error(reference + error, reference) == pytest.approx(4)
    assert rms(np.array([3 + 4j, 3 - 4j])) == pytest.approx(5)
    assert relative_l2(error, 0 * reference) == pytest.approx(5 / np.sqrt(3))


def test_a_csv_file_has_both_parts(tmp_path):
    h = np.array([1 + 2j, complex(0, -0.5)])
    CSV().write(tmp_path / "h.csv", Grid({"x": np.array([0.0, 1.0])}, structured=False), {"h": h, "u": h.real})
    with (tmp_path / "h.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [
            ["x", "h_re", "h_im", "u"], ["0.0", "1.0", "2.0", "1.0"], ["1.0", "0.0", "-0.5", "0.0"],
        ]  # fmt: skip


def test_modulus_phase_and_the_size_of_the_error_are_drawn():
    grid = mesh(x=np.linspace(-3, 3, 13), t=np.linspace(0, 1, 7))
    x, t = grid.coordinates.values()
    reference = np.exp(1j * (x + t)) * np.where(np.abs(x) > 2, 1e-5, 2.0)
    figures = drawn(grid, {"h": reference + 1e-6j}, {"h": reference})
    assert {"solution_h", "phase_h", "reference_h", "reference_phase_h", "error_h", "slices_h"} <= set(figures)
    modulus, bar = figures["solution_h"].axes
    assert np.allclose(colours(modulus).get_array(), np.abs(reference), rtol=0, atol=1e-6)
    assert bar.get_ylabel() == "$|h|$"
    phase, bar = figures["reference_phase_h"].axes
    found = colours(phase).get_array()
    assert np.array_equal(found.mask, np.abs(x) > 2)
    assert np.allclose(found.compressed(), np.angle(reference)[np.abs(x) <= 2])
    assert (colours(phase).norm.vmin, colours(phase).norm.vmax) == (-np.pi, np.pi)
    assert colours(phase).cmap.name == "twilight"
    error, bar = figures["error_h"].axes
    assert np.allclose(colours(error).get_array(), 1e-6, rtol=1e-3)
    assert colours(error).norm.vmin == 0
    assert "relative $L^2$ error" in figures["solution_h"].get_suptitle()
    render(figures)


@pytest.mark.parametrize("reference", [True, False])
def test_curves_and_scattered_points_of_complex_fields(reference):
    t = np.linspace(0, 5, 30)
    line = mesh(t=t)
    h = np.exp(1j * t)
    known = {"h": 0.9 * h, "k": h} if reference else {}
    figures = drawn(line, {"h": h, "k": h}, known)
    assert "phase_portrait" not in figures
    assert np.allclose(figures["solution_h"].axes[0].lines[0].get_ydata(), 1)
    assert ("error_h" in figures) is reference
    many = Grid({name: t + place for place, name in enumerate("wxyz")}, structured=False)
    scattered = drawn(many, {"h": h}, {"h": 0.9 * h} if reference else {})
    assert ("phase_h" in scattered, "error_h" in scattered) == (False, reference)
    render(figures | scattered)
