"""Parameters with a range: coordinates behind the others, spread evenly or by their logarithm."""

import numpy as np
import pytest

from pinnkit.language.calculus import Partial
from pinnkit.language.errors import ProblemError
from pinnkit.problem.checks import check
from pinnkit.problem.problem import Problem
from pinnkit.references.manufactured import manufacture
from pinnkit.references.spectral import Spectral
from pinnkit.references.unsupported import UnsupportedProblem
from pinnkit.sampling.points import condition_points, equation_points
from pinnkit.sampling.sequences.sobol import Sobol
from tests.problem.configs import mistakes, words

RANGED = {"alpha": {"range": [0.01, 1], "log": True}, "beta": {"range": [0, 2]}}
FAMILY = words(
    parameters={**RANGED, "c": 3},
    equations={"heat": "u_t = alpha*laplacian(u) + 0*beta*c"},
    conditions={
        "initial": {"at": "t = 0", "equations": "u = sin(pi*x)"},
        "ends": {"at": "boundary", "equations": "u = 0"},
        "one": {"at": {"alpha": 0.1, "x": 0.5}, "equations": "u = exp(-0.1*pi^2*t)"},
    },
)


def test_ranged_parameters_are_coordinates_behind_the_others():
    family = Problem(**FAMILY)
    assert family.coordinates == ("x", "t", "alpha", "beta")
    assert (family.space, family.time, family.axes.parameters) == (("x",), "t", ("alpha", "beta"))
    assert family.axes.logarithmic == ("alpha",)
    assert [one.name for one in family.parameters] == ["c"]
    assert family.fields[0].coordinates == family.coordinates
    assert dict(family.domain.bounds) == {"x": (-1.0, 1.0), "t": (0.0, 1.0), "alpha": (0.01, 1.0), "beta": (0.0, 2.0)}
    (equation,) = family.equations
    assert {one.derivative for one in equation.residual.atoms(Partial)} == {("t",), ("x", "x")}
    ends = family.conditions[1].places
    assert [one.fixed for one in ends] == [{"x": -1.0}, {"x": 1.0}]
    assert family.conditions[2].places[0].fixed == {"x": 0.5, "alpha": 0.1}
    assert not [one for one in check(family).mistakes if one.key != "parameters.beta"]


@pytest.mark.parametrize("shape", ["box", "plate"])
def test_points_are_even_in_the_parameter_or_in_its_logarithm(shape):
    shapes = {"plate": {"disk": {"center": [0, 0], "radius": 1}}} if shape == "plate" else None
    spaces = {"x": [-1, 1], "y": [-1, 1]}
    problem = Problem(
        coordinates=spaces, fields=["u"], parameters=RANGED, equations="alpha*laplacian(u) = beta",
        conditions={"rim": {"at": "boundary", "equations": "u_n = beta"}}, shapes=shapes or {}, domain=shape,
    )  # fmt: skip
    sampling = Sobol(equations=4096, conditions=4096)
    rim = condition_points(problem, problem.conditions[0], sampling, 0, 0)
    for points in (equation_points(problem, sampling, 0, 0), rim):
        alpha, beta = points.coordinates[:, 2], points.coordinates[:, 3]
        for unit in (np.log(alpha / 0.01) / np.log(100), beta / 2):
            counts, _ = np.histogram(unit, 8, (0, 1))
            assert np.abs(counts / len(unit) - 1 / 8).max() < 0.01
    assert np.abs(rim.normals[:, 2:]).max() == 0
    np.testing.assert_allclose(np.linalg.norm(rim.normals, axis=1), 1)
    axes = {name: problem.domain.axis(name, 5) for name in problem.coordinates}
    np.testing.assert_allclose(axes["alpha"], np.geomspace(0.01, 1, 5), rtol=1e-12)
    np.testing.assert_allclose(axes["beta"], [0, 0.5, 1, 1.5, 2])
    assert axes["alpha"][0] == 0.01
    assert axes["alpha"][-1] == 1


def test_a_field_may_depend_on_some_of_the_coordinates_and_parameters():
    family = Problem(**{**FAMILY, "fields": {"u": {}, "k": ["x", "alpha"]}, "exact": {"k": "alpha*x"}})
    assert [one.coordinates for one in family.fields] == [family.coordinates, ("x", "alpha")]
    assert Problem(**{**FAMILY, "fields": {"u": ["x", "t"]}, "exact": None}).fields[0].coordinates == ("x", "t")


def test_a_manufactured_family_satisfies_its_equations():
    made = manufacture(Problem(**FAMILY), {"u": "sin(x)*exp(-alpha*t) + beta"})
    assert not check(made).mistakes


def test_derived_parameters_hold_ranged_ones():
    family = Problem(**{**FAMILY, "define": {"D": "alpha*c"}, "equations": {"heat": "u_t = D*u_xx + beta"}})
    assert not [one for one in check(family).mistakes if "exact" not in one.key]


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"range": [1, 1]}, "the range [1, 1] is empty"),
        ({"range": 3}, "3 is not a range: write [lower, upper]"),
        ({"range": [0, 1], "log": True}, "the range [0, 1] has no logarithm: log: true needs a lower end above zero"),
        ({"range": [1, 2], "log": "yes"}, "log is 'yes': true or false is needed"),
    ],
)
def test_what_is_refused(parameters, told):
    assert mistakes(parameters={"alpha": parameters})["parameters.alpha"].startswith(told)


def test_a_parameter_in_an_integral_or_a_table_is_used():
    line = {"q": {"file": {"alpha": [1, 1.3, 1.6, 2], "q": [0, 1, 2, 3]}}}
    for equation in ("u_t = u_xx + integral(alpha*u, x, -1, 1)", "u_t = q*u_xx"):
        family = Problem(
            **words(
                parameters={"alpha": {"range": [1, 2]}}, equations=equation, exact=None,
                tables=line if "q" in equation else {},
            )
        )  # fmt: skip
        assert not [one for one in check(family).mistakes if one.key.startswith("parameters")]


def test_more_that_is_refused():
    found = mistakes(parameters={"alpha": {"range": [1, 2], "positive": True}, "x": {"range": [0, 1]}})
    assert found["parameters.alpha.positive"].startswith("unknown key 'positive'")
    assert found["parameters.x"] == "'x' is declared twice"
    found = mistakes(parameters={"alpha": {"range": [1, 2]}}, periodic=["alpha"])
    assert found["periodic"].startswith("there is no coordinate 'alpha'")
    disk = {"disk": {"center": [0, 0], "radius": "r"}}
    with pytest.raises(ProblemError, match="shapes: hold r, which has a range"):
        Problem(
            coordinates={"x": [-1, 1], "y": [-1, 1]}, fields=["u"], parameters={"r": {"range": [0.1, 1]}},
            shapes={"plate": disk}, domain="plate", equations="r*laplacian(u) = 0",
        )  # fmt: skip
    unused = check(Problem(**words(parameters={"alpha": 0.1, "b": {"range": [0, 1]}})))
    assert [(one.key, one.message[:45]) for one in unused.mistakes] == [
        ("parameters.b", "has a range, but stands in no equation and no")
    ]
    for coordinates in ({"x": [-1, 1], "t": [0, 1]}, {"t": [0, 1]}):
        family = Problem(
            coordinates=coordinates, fields=["u"], parameters={"a": {"range": [1, 2]}}, equations="u_t = -a*u",
            conditions={"start": {"at": "t = 0", "equations": "u = 1"}},
        )  # fmt: skip
        with pytest.raises(UnsupportedProblem, match="it is a family over a: it takes a number for each parameter"):
            Spectral(family)
