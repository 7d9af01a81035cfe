"""Figures of fields with points that are left out, or not finite."""

from __future__ import annotations

import numpy as np
import pytest

from pinnkit.reporting.figures import Grid
from tests.reporting.figure_cases import colours, drawn, mesh, render, titles


def test_points_outside_the_domain_are_left_out():
    grid = mesh(x=np.linspace(-1, 1, 9), y=np.linspace(-1, 1, 9))
    x, y = grid.coordinates.values()
    outside = x**2 + y**2 > 1
    u = np.where(outside, np.nan, 1.0)
    figures = drawn(grid, {"u": 1.01 * u}, {"u": u}, {"laplace": np.where(outside, 100.0, 0.5)})
    assert titles(figures)["solution_u"].endswith("error 1.0e-02")
    assert titles(figures)["residual_laplace"].endswith("RMS 5.0e-01")
    for name in ("solution_u", "error_u", "residual_laplace"):
        assert np.array_equal(np.ma.getmaskarray(colours(figures[name].axes[0]).get_array()), outside.T)


def test_a_prediction_that_is_nan_within_the_domain_is_not_hidden():
    grid = mesh(x=np.linspace(0, 1, 3), y=np.linspace(0, 1, 3))
    u = np.ones((3, 3))
    broken = u.copy()
    broken[1, 1] = np.nan
    text = titles(drawn(grid, {"u": broken}, {"u": u}, {"e": np.full((3, 3), np.nan)}))
    assert text["solution_u"].endswith("error nan")
    assert text["error_u"].endswith("at most nan")
    assert text["residual_e"].endswith("RMS nan")
    figures = drawn(grid, {"u": np.full((3, 3), np.nan)}, {}, {"e": np.full((3, 3), np.nan)})
    render({name: figures[name] for name in ("solution_u", "residual_e")})
    assert titles(figures)["residual_e"].endswith("RMS nan")
    assert [text.get_text() for text in figures["solution_u"].axes[0].texts] == ["no finite value"]


@pytest.mark.parametrize("wrong", [np.nan, -np.inf])
def test_points_where_the_reference_is_not_finite_are_left_out(wrong):
    grid = mesh(x=np.linspace(-1, 1, 9), y=np.linspace(-1, 1, 9))
    u = np.ones((9, 9))
    reference = u.copy()
    reference[4, 4] = wrong
    figures = drawn(grid, {"u": 1.01 * u}, {"u": reference})
    render(figures)
    assert titles(figures)["solution_u"].endswith("error 1.0e-02")
    assert titles(figures)["error_u"].endswith("at most 1.0e-02")


@pytest.mark.parametrize(
    ("names", "structured"),
    [("t", True), ("xt", True), ("xy", True), ("xyt", True), ("xyz", True), ("xy", False), ("xyzt", False)],
)
def test_every_case_renders(names, structured):
    grid = mesh(**{name: np.linspace(0, 1, 4) for name in names})
    if not structured:
        scattered = {name: values.ravel() for name, values in grid.coordinates.items()}
        grid = Grid(scattered, structured=False, time=grid.time)
    u = 1 + sum(grid.coordinates.values())
    points = {"mass_$": {name: np.linspace(0, 1, 3) for name in names}}
    figures = drawn(grid, {"T_wall": u + 1e-7}, {"T_wall": u}, {"a $ b $": 0 * u}, points=points, title="$_{")
    repeated = {"reference_T_wall", "residual_a___b__"} | ({"loss_history"} if names != "xt" else set())
    figures = {name: figure for name, figure in figures.items() if name not in repeated or names == "t"}
    render(figures)
    for name, figure in figures.items():
        pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3]
        assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 10, name


def test_infinite_values_draw(heat):
    grid, u, _ = heat
    broken = u.copy()
    broken[2, 2] = np.inf
    figures = drawn(grid, {"u": broken}, {"u": u}, {"heat": broken})
    render({name: figures[name] for name in ("solution_u", "residual_heat")})
    assert figures["solution_u"].get_suptitle().endswith("error inf")
