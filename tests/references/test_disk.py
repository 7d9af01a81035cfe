"""References of problems whose domain is a disk."""

import numpy as np
import pytest

from pinnkit.problem.problem import Problem
from pinnkit.problem.tables import TableError
from pinnkit.references.exact import Exact
from pinnkit.references.manufactured import manufacture
from pinnkit.references.spectral import Spectral
from pinnkit.references.table import Table
from pinnkit.references.unsupported import UnsupportedProblem

POISSON = {
    "coordinates": {"x": [-1, 1], "y": [-1, 1]},
    "shapes": {"part": {"disk": {"center": [0, 0], "radius": 1}}},
    "domain": "part",
    "fields": ["u"],
    "equations": "-laplacian(u) = 4",
    "conditions": {"rim": {"at": "part", "equations": "u = 0"}},
}


def test_the_method_of_lines_refuses_a_disk():
    with pytest.raises(UnsupportedProblem, match=r"its domain is \(x, y\) in the disk of radius 1 about \(0, 0\)"):
        Spectral(Problem(**POISSON))


def table(folder, *points, values=lambda x, y: 1 - x**2 - y**2):
    x, y = np.concatenate([np.atleast_2d(part) for part in points]).T
    np.savez(folder / "u.npz", x=x, y=y, u=values(x, y))
    return Table(Problem(**POISSON), folder / "u.npz")


ANGLE = np.linspace(0, 6, 40)
RIM = np.column_stack([np.cos(ANGLE), np.sin(ANGLE)])


def test_a_table_lies_in_the_disk_and_meets_the_condition_on_its_rim(tmp_path):
    assert table(tmp_path, 0.5 * RIM, RIM).warnings == []
    with pytest.raises(
        TableError, match=r"its entry 41 has x = 0.8, y = -0.8, outside the domain: \(x, y\) in the disk"
    ):
        table(tmp_path, RIM, [0.8, -0.8])
    with pytest.raises(TableError, match=r"the condition 'rim' at 40 of 40 points: .* u is 1, and 0 is prescribed"):
        table(tmp_path, 0.5 * RIM, RIM, values=lambda x, y: np.ones_like(x))


def test_a_manufactured_solution_has_its_flux_through_the_rim():
    flux = Problem(**POISSON | {"conditions": {"rim": {"at": "part", "equations": "u_n = 0"}}})
    made = manufacture(flux, {"u": "x^2"})
    (equation,) = made.conditions[0].equations
    assert str(equation.residual) == "-2*n_x*x + n_x*u_x + n_y*u_y"
    np.testing.assert_array_equal(Exact(made)({"x": RIM[:, 0], "y": RIM[:, 1]})["u"], RIM[:, 0] ** 2)
