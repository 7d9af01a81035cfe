"""What finite elements cannot treat is refused in words, with the equation and the reason."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from pinnkit.language.errors import ProblemError
from pinnkit.problem.problem import Problem
from pinnkit.references.choose import choose
from pinnkit.references.claimed_error import NotComputed
from pinnkit.references.fem import packages
from pinnkit.references.fem.packages import MissingPackage
from pinnkit.references.fem.reference import Fem, check_problem
from pinnkit.references.unsupported import UnsupportedProblem
from tests.references.fem import problems
from tests.references.fem.problems import SQUARE, STOKES, needs_fem, on_boundary

pytestmark = needs_fem
RIM = on_boundary("u = 0")
IN_TIME = {**SQUARE, "t": [0, 1]}
START = {"start": {"at": "t = 0", "equations": "u = 0"}}


def square(equations, conditions=RIM, fields=("u",), **config) -> Problem:
    return Problem(**{"coordinates": SQUARE} | config, fields=list(fields), equations=equations, conditions=conditions)


REFUSED = {
    "of order 3": (square({"third": "u_xxx + u_yy = 1"}), "'third' holds u_xxx, of order 3"),
    "of order 4": (square({"plate": "laplacian(laplacian(u)) = 1"}), "'plate' holds u_xxxx, of order 4"),
    "hyperbolic in space": (square({"wave": "u_xx - u_yy = 0"}), "'wave': the principal part is not elliptic at"),
    "hyperbolic in time": (
        square({"wave": "u_tt = laplacian(u)"}, RIM | START, coordinates=IN_TIME),
        "'wave' holds u_tt: it is of second order in time",
    ),
    "of first order": (square({"flow": "u_x + u_y = 1"}), "'flow' has no second derivative in space"),
    "backwards in time": (
        square({"heat": "u_t = -laplacian(u)"}, RIM | START, coordinates=IN_TIME),
        "'heat': waves grow the faster the shorter they are",
    ),
    "in one space coordinate": (
        Problem(coordinates={"x": [0, 1]}, fields=["u"], equations="u_xx = 1", conditions=RIM),
        "it has 1 space coordinates",
    ),
    "not linear in second derivatives": (
        square({"monge": "u_xx*u_yy - u_xy^2 = 1"}),
        "'monge' is not linear in its second derivatives",
    ),
    "a coefficient with a slope": (
        square({"minimal": "(1 + u_y^2)*u_xx + (1 + u_x^2)*u_yy - 2*u_x*u_y*u_xy = 0"}),
        "in the equation 'minimal' the coefficient of u_xx holds a derivative of a field",
    ),
    "a coefficient that jumps": (
        square({"layers": "where(x < 0.5, 1, 2)*laplacian(u) = 1"}),
        "in the equation 'layers' the coefficient of u_xx may jump",
    ),
    "another point": (square({"delay": "laplacian(u) = u(x=0)"}), "'delay' evaluates a field elsewhere"),
    "no start": (square("u_t = laplacian(u)", RIM, coordinates=IN_TIME), "no condition gives u at the start"),
    "no condition": (
        square({"poisson": "laplacian(u) = 1"}, {"left": {"at": "x = 0", "equations": "u = 0"}}),
        "'poisson' lacks a condition on x in [",
    ),
    "two conditions": (square("laplacian(u) = 1", on_boundary("u = 0", "u_n = 0")), "there are more conditions"),
    "a tangential derivative": (
        square({"oblique": "laplacian(u) = 1"}, on_boundary("n_y*u_x - n_x*u_y + u_n = 0")),
        "do not give the conormal derivative of the equation 'oblique'",
    ),
    "a second derivative": (
        square("laplacian(u) = 1", on_boundary("u_xx = 0")),
        "the condition 'rim' holds u_xx: it takes values and first derivatives",
    ),
    "a constant": (square("laplacian(u) = 0", on_boundary("u_n = 0")), "the conditions determine u up to a constant"),
    "a pressure everywhere": (
        square(STOKES, on_boundary("u = 0", "v = 0", "p = 0"), ("u", "v", "p")),
        "p is given beside all other fields",
    ),
    "a point too many": (
        square("laplacian(u) = 1", RIM | {"pin": {"at": {"x": 0.5, "y": 0.5}, "equations": "u = 0"}}),
        "the condition 'pin' gives a value of u, where the other conditions determine u already",
    ),
    "periodic": (square("laplacian(u) = 1", on_boundary("u = 0"), periodic=["x"]), "it is periodic in x"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    problem, reason = REFUSED[name]
    with pytest.raises(UnsupportedProblem) as caught:
        check_problem(problem)
    assert str(caught.value).startswith("reference=fem cannot treat this problem: ")
    assert reason in str(caught.value)


def test_a_missing_package_is_named_with_the_command(monkeypatch):
    monkeypatch.setattr(packages, "PACKAGES", {"no_such_package": "no-such-package"})
    with pytest.raises(MissingPackage, match=r'no-such-package: pip install "pinnkit\[fem\]"'):
        Fem(problems.poisson_disk())
    with pytest.raises(ProblemError, match=r"reference: reference=fem needs no-such-package"):
        choose(problems.poisson_disk(), "fem")


def test_a_budget_that_ends_gives_no_reference(caplog):
    with pytest.raises(NotComputed, match=r"0 s are over|before two solutions"):
        Fem(problems.poisson_disk(), max_time=0.0)
    assert choose(problems.poisson_disk(), "fem", max_time=0.0) is None
    assert "no reference" in caplog.text


def test_the_example_of_the_documentation_is_taken():
    page = (Path(__file__).parents[3] / "docs" / "methods" / "reference_fem.md").read_text(encoding="utf-8")
    example = yaml.safe_load(re.search(r"```yaml\n(.*?)```", page, re.DOTALL).group(1))
    assert example["reference"] == "fem"
    check_problem(Problem(**example))


def test_one_mesh_has_no_error():
    with pytest.raises(ValueError, match="levels = 1: two at least"):
        Fem(problems.poisson_disk(), levels=1)
