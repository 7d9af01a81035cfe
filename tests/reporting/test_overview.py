"""Small pictures of solutions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pinnkit.reporting.figures import Grid
from pinnkit.reporting.overview import PIXELS, draw_overview, save_small
from pinnkit.reporting.planes import Planes
from tests.reporting.figure_cases import colours, mesh


def test_a_map_and_its_error_in_a_small_file(heat, tmp_path: Path):
    grid, u, error = heat
    figure = draw_overview(grid, {"u": u + error}, {"u": u})
    first, second, *_ = figure.axes
    assert (first.get_title(), second.get_title()) == ("$u$", "error of $u$")
    assert np.array_equal(colours(first).get_array(), u + error)
    assert colours(second).norm.vmax == np.abs((u + error) - u).max()
    save_small(figure, tmp_path / "u.png")
    with Image.open(tmp_path / "u.png") as image:
        assert image.width == PIXELS
    assert (tmp_path / "u.png").stat().st_size < 60_000


def test_a_complex_field_has_modulus_and_phase(heat):
    grid, u, _ = heat
    h = (1.5 + u) * np.exp(1j)
    first, second, *_ = draw_overview(grid, {"h": h}, {}).axes
    assert (first.get_title(), second.get_title()) == ("$|h|$", "phase of $h$")
    assert np.allclose(colours(second).get_array(), 1.0)


def test_all_fields_of_one_coordinate_and_the_size_of_their_errors():
    grid = mesh(t=np.linspace(0, 1, 9))
    t = grid.axis("t")
    curves, errors = draw_overview(grid, {"u": t, "v": t**2}, {"u": t + 1e-3}).axes
    assert [line.get_label() for line in curves.lines if not line.is_dashed()] == ["$u$", "$v$"]
    assert np.allclose(errors.lines[0].get_ydata(), 1e-3)
    assert errors.get_yscale() == "log"


def test_snapshots_planes_and_values_against_reference():
    grid = mesh(x=np.linspace(0, 1, 4), y=np.linspace(0, 1, 5), t=np.linspace(0, 1, 6))
    u = grid.coordinates["x"]
    figure = draw_overview(grid, {"v": u, "u": u}, {"u": u + 0.1}, name="u")
    assert len(figure.axes) == 2 * 3 + 2
    solid = mesh(x=np.linspace(0, 1, 3), y=np.linspace(0, 1, 3), z=np.linspace(0, 1, 3), t=np.linspace(0, 1, 3))
    planes = Planes(solid, {"u": solid.coordinates["x"]})
    many = Grid({name: np.linspace(0, 1, 20) for name in "xyzt"}, structured=False)
    assert len(draw_overview(many, {"u": many.axis("x")}, {}, planes=planes).axes) == 9 + 1
    (parity,) = draw_overview(many, {"u": many.axis("x")}, {"u": many.axis("y")}).axes
    assert parity.get_xlabel() == "$u$, reference"
    with pytest.raises(ValueError, match="u has no reference: over 4 coordinates there is nothing else to draw"):
        draw_overview(many, {"u": many.axis("x")}, {})
