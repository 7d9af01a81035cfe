"""The shipped tables of PINNacle's problems against their formulas, and against coarser solutions."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from pinnkit.references import shipped_pinnacle as made
from pinnkit.references.fem.facets import element_patterns
from pinnkit.references.fem.mesh import make_mesh, mapping
from pinnkit.references.fem.reference import read
from pinnkit.runs.shipped_problems import read_problem

PDE = Path(__file__).resolve().parents[2] / "conf" / "pde"


def shipped(name):
    path = PDE / "tables" / f"{name}.npz"
    assert path.stat().st_size < 300_000
    with np.load(path) as archive:
        return {key: archive[key] for key in archive.files}


def relative(values, truth):
    return float(np.linalg.norm(values - truth) / np.linalg.norm(truth))


@pytest.mark.parametrize(("name", "known"), [("poisson_inv", made.poisson_samples), ("heat_inv", made.heat_samples)])
def test_samples_are_those_of_their_seeds_with_the_noise_of_the_benchmark(name, known):
    table, found = shipped(name), known()
    assert list(table) == list(found)
    assert all(np.array_equal(table[key], found[key]) for key in found)
    noise = found["u"] - known(noise=0.0)["u"]
    assert noise.shape == (2500,)
    assert noise.std() == pytest.approx(0.1, rel=0.05)


def test_the_moved_membrane_is_the_series_and_solves_the_wave_equation():
    """By the leapfrog scheme of second order, whose error falls with the square of the spacing."""
    table = shipped("wave2d_ms")
    series = made.moved_membrane(table["x"], table["y"], table["t"][:3], terms=20_000)
    assert relative(table["u"][:, :, :3], series["u"]) < 1e-8
    off = []
    for cells in (20, 40):
        axis, steps = np.linspace(0, 1, cells + 1), 2 * cells
        h, dt = 1 / cells, 0.8 / steps
        x, y = np.meshgrid(axis, axis, indexing="ij")
        g = np.sin(np.pi * x) * np.sinh(np.pi * y) + np.sinh(3 * np.pi * x) * np.sin(2 * np.pi * y)

        def rate(u, h=h):
            found = np.zeros_like(u)
            found[1:-1, 1:-1] = u[2:, 1:-1] + u[:-2, 1:-1] + 2 * (u[1:-1, 2:] + u[1:-1, :-2]) - 6 * u[1:-1, 1:-1]
            return found / h**2

        before, now = g, g + dt**2 / 2 * rate(g)
        for number in range(1, steps + 1):
            for face in (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1]):
                now[face] = g[face] * np.cos(np.pi * number * dt)
            if number < steps:
                before, now = now, 2 * now - before + dt**2 * rate(now)
        known = made.moved_membrane(axis, axis, np.array([0.8]), terms=2000)["u"][:, :, 0]
        off.append(relative(now, known))
    assert off[1] < 0.02
    assert off[1] < off[0] / 2.5


def test_the_wave_through_a_random_field_is_that_of_a_coarser_solution():
    words = yaml.safe_load((PDE / "pinnacle" / "wave2d_cg.yaml").read_text(encoding="utf-8"))
    table, coarse = shipped("wave2d_cg"), made.heterogeneous_wave(words, nodes=48)
    assert relative(coarse["u"], table["u"]) < 1e-2


def test_long_heat_and_gray_scott_are_those_of_coarser_solutions():
    coarse = made.driven_heat(modes=32, steps=2000)
    assert relative(coarse["u"], shipped("heat2d_lt")["u"]) < 0.15
    coarse = made.gray_scott(nodes=64, steps=200, stride=1)
    assert relative(coarse["u"], shipped("gs")["u"]) < 0.05


def test_the_board_of_25_squares_is_in_balance():
    """What the source makes leaves through the rim, where u_n = -u: a u is its flux there."""
    table, words = shipped("poisson2d_ms"), yaml.safe_load((PDE / "pinnacle" / "poisson2d_ms.yaml").read_text())
    made_here = leaving = 0.0
    for i in range(5):
        for j in range(5):
            number = f"{i + 1}{j + 1}"
            constant, sign, rest = words["equations"][f"b{number}"]["equation"].partition("=")[2].split()
            wave = 16 * 4 / np.pi**2 * (-1) ** (i + j)  # the integral of sin sin over the square
            made_here += 16 * float(constant) + float(sign + rest.removesuffix("*wave")) * wave
            at_x, at_y = table["u"][8 * i : 8 * i + 9], table["u"][:, 8 * j : 8 * j + 9]
            sides = [at_y[0]] * (i == 0) + [at_y[-1]] * (i == 4) + [at_x[:, 0]] * (j == 0) + [at_x[:, -1]] * (j == 4)
            leaving += words["parameters"][f"a{number}"] * sum(
                float((side[1:] + side[:-1]).sum()) / 4 for side in sides
            )
    assert leaving == pytest.approx(made_here, rel=0.03)


def test_no_element_beside_a_cavity_is_inside_out_and_each_lies_in_a_region():
    """Some have all corners on a cavity, in which the mean of their corners then lies."""
    problem = read_problem("poisson3d_cg")
    system, _, geometry = read(problem)
    mesh = make_mesh(geometry, 0)
    corners = np.array([[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
    assert mapping(mesh).detDF(corners).min() > 0
    assert set(element_patterns(problem, system, mesh)) == {0, 1}
