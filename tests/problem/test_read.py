"""Configurations that are read into problems."""

from __future__ import annotations

import copy
import dataclasses
import math
import pickle
from pathlib import Path

import pytest
import sympy
import yaml

from pinnkit.language.calculus import field, partials, symbol
from pinnkit.problem.bounds import Bounds
from pinnkit.problem.parts import TRANSFORMS, Field, Parameter
from pinnkit.problem.problem import Problem
from tests.problem.configs import HEAT, mistakes, words

U = field("u", ("x", "t"))
ALPHA = symbol("alpha")


# What is accepted


def test_a_file_and_the_same_words_from_python_give_equal_problems():
    assert Problem(**yaml.safe_load(HEAT)) == Problem(
        name="heat",
        description="A rod that cools.",
        coordinates={"x": (-1, 1.0), "t": (0, "1")},
        fields={"u": ("x", "t")},
        parameters={"alpha": "1/10"},
        equations={"heat": "u_t = alpha * u_xx"},
        conditions={
            "initial": {"at": "t = 0", "equations": "u = sin(pi*x)"},
            "ends": {"at": ("x = -1", "x = 1"), "equations": "u = 0"},
        },
        exact={"u": "exp(-alpha*pi^2*t) * sin(pi*x)"},
    )
    assert Problem(**words()) != Problem(**words(parameters={"alpha": 0.2}))


def test_a_field_has_its_coordinates_from_a_list_or_from_a_mapping_of_options():
    for given in (["t", "x"], {"coordinates": ["t", "x"]}, {}):
        assert Problem(**words(fields={"u": given})).fields == (Field("u", ("x", "t")),)


def test_the_parts_of_a_problem():
    heat = Problem(**words())
    assert (heat.name, heat.description, heat.folder) == ("heat", "A rod that cools.", Path("."))
    assert heat.coordinates == ("x", "t")
    assert heat.space == ("x",)
    assert dict(heat.domain.bounds) == {"x": (-1.0, 1.0), "t": (0.0, 1.0)}
    assert heat.fields == (Field("u", ("x", "t")),)
    assert heat.parameters == (Parameter("alpha", 0.1),)
    assert heat.values == {ALPHA: 0.1}
    assert heat.learned == ()
    (equation,) = heat.equations
    assert (equation.name, equation.text) == ("heat", "u_t = alpha * u_xx")
    assert sympy.expand(equation.residual - (U.diff(symbol("t")) - ALPHA * U.diff(symbol("x"), 2))) == 0
    assert [condition.name for condition in heat.conditions] == ["initial", "ends"]
    assert heat.exact["u"] == sympy.exp(-ALPHA * sympy.pi**2 * symbol("t")) * sympy.sin(sympy.pi * symbol("x"))
    assert (heat.reference, heat.periodic) == (None, ())


def test_coordinates_keep_their_order_and_may_be_expressions():
    turned = Problem(**words(coordinates={"t": [0, 1], "x": ["-2*pi", "2*pi"]}, conditions=None, exact=None))
    assert turned.coordinates == ("t", "x")
    assert turned.domain.bounds["x"] == (-2 * math.pi, 2 * math.pi)


def test_numbers_are_expressions():
    values = {"nu": "0.01/pi", "two": 2, "root": "sqrt(2)/2", "small": "1e-4", "big": 1e30}
    found = Problem(**words(parameters={"alpha": 0.1, **values})).parameters[1:]
    assert [parameter.value for parameter in found] == pytest.approx(
        [0.01 / math.pi, 2.0, math.sqrt(0.5), 1e-4, 1e30], rel=1e-15
    )


def test_learned_parameters():
    problem = Problem(
        **words(
            parameters={"alpha": {"learn": "1/2", "positive": True}, "c": {"learn": -1}, "d": 3},
            equations="u_t = alpha*u_xx + c*u + d - d",
            exact={"u": "0", "c": "2*d"},
        )
    )
    assert problem.parameters == (
        Parameter("alpha", 0.5, learn=True, bounds=Bounds(0.0)),
        Parameter("c", -1.0, learn=True),
        Parameter("d", 3.0),
    )
    assert [parameter.name for parameter in problem.learned] == ["alpha", "c"]
    assert problem.exact["c"] == 2 * symbol("d")


def test_a_field_may_depend_on_fewer_coordinates():
    problem = Problem(
        **words(
            fields={"u": ["t", "x"], "k": ["x"]},
            equations="u_t = diff(k*u_x, x)",
            exact=None,
        )
    )
    assert problem.fields == (Field("u", ("x", "t")), Field("k", ("x",)))
    assert {(partial.field, partial.coordinates) for partial in partials(problem.equations[0].residual)} == {
        ("u", ("x", "t")),
        ("k", ("x",)),
    }
    told = mistakes(fields={"u": ["x", "t"], "k": ["x"]}, equations="u_t = diff(k*u_x, x) + k_t", exact=None)
    assert told == {"equations": "'k_t': k does not depend on t; it depends on x"}


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ("u_t = u_xx", {"equation": "u_t = u_xx"}),
        (["u_t = u_xx"], {"equation": "u_t = u_xx"}),
        (["u_t = u_xx", "u_x"], {"equation_1": "u_t = u_xx", "equation_2": "u_x"}),
        ({"a": "u_t = u_xx", "b-2": "u_x = 0"}, {"a": "u_t = u_xx", "b-2": "u_x = 0"}),
    ],
)
def test_equations_are_a_text_a_list_or_a_mapping(given, named):
    assert {one.name: one.text for one in Problem(**words(equations=given, exact=None)).equations} == named


def test_a_callable_stands_for_an_equation_anywhere():
    def residual(p):
        return p.u_t - p.alpha * p.u_xx

    problem = Problem(
        **words(
            equations={"heat": residual, "rest": "u_x = 0"},
            conditions={"start": {"at": "t = 0", "equations": [residual, "u = 0"]}},
            exact=None,
        )
    )
    assert problem.equations[0].residual is residual
    assert problem.equations[0].text == "residual"
    assert [one.name for one in problem.conditions[0].equations] == ["start_1", "start_2"]
    assert problem.conditions[0].equations[0].residual is residual


@pytest.mark.parametrize(
    ("equations", "linear"),
    [
        ("u_t = alpha * u_xx", True),
        ("u_t = sin(x) * u_xx + exp(t) * u - 1", True),
        (["u_t = u_xx", "u_x = 3"], True),
        ("u_t = u(x = 0) * x + u", True),
        ("u_t + u*u_x = 0", False),
        (["u_t = u_xx", "u_x^2 = 3"], False),
        ("u_t = sin(u)", False),
        ("u_t = abs(u_x)", False),
        ("u_t = u(x = 0) * u", False),
        (lambda p: p.u_t - p.u_xx, False),  # it is not known
    ],
)
def test_linear_equations_are_told_from_others(equations, linear):
    assert Problem(**words(equations=equations, exact=None)).linear is linear


def test_periodic_coordinates_come_in_the_order_of_the_inputs():
    two = words(coordinates={"x": [0, 1], "y": [0, 1], "t": [0, 1]}, conditions=None, exact=None)
    assert Problem(**two, periodic=["y", "x"]).periodic == ("x", "y")
    assert Problem(**two, periodic="y").periodic == ("y",)
    assert Problem(**two).periodic == ()


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_transforms(transform):
    assert Problem(**words(transform={"u": transform})).fields[0].transform == transform


@pytest.mark.parametrize("reference", ["spectral", "tables/burgers.npz", "samples.csv"])
def test_references(reference):
    assert Problem(**words(reference=reference)).reference == reference


def test_names_have_defaults():
    assert Problem(**words(name=None, description=None)).name == "problem"


# A problem is frozen data


def test_a_problem_is_frozen():
    heat = Problem(**words())
    with pytest.raises(dataclasses.FrozenInstanceError):
        heat.name = "other"
    with pytest.raises(TypeError):
        heat.exact["u"] = sympy.Integer(0)
    with pytest.raises(TypeError):
        heat.domain.bounds["x"] = (0.0, 1.0)


def test_replace_changes_a_copy_alone():
    heat = Problem(**words())
    other = heat.replace(name="other", periodic=("x",))
    assert (other.name, other.periodic, other.equations) == ("other", ("x",), heat.equations)
    assert (heat.name, heat.periodic) == ("heat", ())


def test_words_are_left_as_they_were():
    given = words()
    before = copy.deepcopy(given)
    Problem(**given)
    assert given == before


def test_text_is_never_executed(tmp_path):
    trace = tmp_path / "trace"
    hostile = f"__import__('pathlib').Path('{trace}').touch()"
    told = mistakes(
        coordinates={"x": [0, 1], "t": [0, hostile]},
        parameters={"alpha": hostile, "beta": {"learn": hostile}},
        equations=["u_t = u_xx", hostile, "u.__class__", "(lambda: u)()"],
        exact={"u": hostile},
    )
    assert len(told) == 7
    assert not trace.exists()


def test_equations_can_be_copied_and_pickled():
    equations = Problem(**words()).equations
    assert pickle.loads(pickle.dumps(equations)) == copy.deepcopy(equations) == equations
