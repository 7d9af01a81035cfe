from __future__ import annotations

import copy
import dataclasses
import math
import pickle
from pathlib import Path
from typing import Any

import pytest
import sympy
import yaml

from pinnkit.language.calculus import field, partials, symbol
from pinnkit.language.errors import ProblemError
from pinnkit.problem.parts import TRANSFORMS, Field, Parameter
from pinnkit.problem.problem import Problem

HEAT = """
name: heat
description: A rod that cools.
coordinates: {x: [-1, 1], t: [0, 1]}
fields: [u]
parameters: {alpha: 0.1}
equations:
  heat: u_t = alpha * u_xx
conditions:
  initial: {at: t = 0, equations: u = sin(pi*x)}
  ends: {at: [x = -1, x = 1], equations: u = 0}
exact: {u: exp(-alpha*pi^2*t) * sin(pi*x)}
"""
U = field("u", ("x", "t"))
ALPHA = symbol("alpha")


def words(**changes: Any) -> dict[str, Any]:
    """The keys of the heat problem with some replaced; None leaves a key out."""
    return {key: value for key, value in {**yaml.safe_load(HEAT), **changes}.items() if value is not None}


def mistakes(**changes: Any) -> dict[str, str]:
    """Key -> message of every mistake in the heat problem with some words replaced."""
    with pytest.raises(ProblemError) as caught:
        Problem(**words(**changes))
    found = caught.value.mistakes
    assert len({mistake.key for mistake in found}) == len(found), "a key is told twice"
    return {mistake.key: mistake.message for mistake in found}


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
        Parameter("alpha", 0.5, learn=True, positive=True),
        Parameter("c", -1.0, learn=True, positive=False),
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


# What is refused: the key, the value, the rule, the nearest right thing


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"equatoins": "u = 0"}, {"equatoins": "unknown key 'equatoins'; did you mean 'equations'?"}),
        ({"coordinates": None}, {"coordinates": "are missing: write {x: [-1, 1], t: [0, 1]}, a name and its range"}),
        ({"coordinates": "x"}, {"coordinates": "'x' is no mapping or list: write {x: [-1, 1]"}),
        ({"coordinates": {"x": [1, 0], "t": [0, 1]}}, {"coordinates.x": "the range [1, 0] is empty: the lower end"}),
        ({"coordinates": {"x": [1, 1], "t": [0, 1]}}, {"coordinates.x": "the range [1, 1] is empty"}),
        ({"coordinates": {"x": 3, "t": [0, 1]}}, {"coordinates.x": "3 is not a range: write [lower, upper]"}),
        ({"coordinates": {"x": [0, 1, 2], "t": [0, 1]}}, {"coordinates.x": "[0, 1, 2] is not a range"}),
        ({"coordinates": {"x": [0, math.inf], "t": [0, 1]}}, {"coordinates.x": "inf is not a finite number"}),
        ({"coordinates": {"x": [0, math.nan], "t": [0, 1]}}, {"coordinates.x": "nan is not a finite number"}),
        ({"coordinates": {"x": ["a", 1], "t": [0, 1]}}, {"coordinates.x": "unknown name 'a'; valid are pi, e"}),
        ({"fields": None}, {"fields": "are missing: write [u, v]"}),
        ({"fields": "u"}, {"fields": "'u' is no mapping or list: write [u, v]"}),
        ({"fields": ["u", "u"]}, {"fields.u": "'u' is declared twice"}),
        ({"fields": ["u", "x"]}, {"fields.x": "'x' is declared twice"}),
        ({"fields": ["u", ["v"]]}, {"fields.['v']": "a name must be text, not ['v']"}),
        ({"fields": {"u": "x"}}, {"fields.u": "'x' is not a list of coordinates: write u: [x, t]"}),
        ({"fields": {"u": ["x", "tt"]}}, {"fields.u": "there is no coordinate 'tt'; did you mean 't'?"}),
        ({"parameters": {"alpha": 1, "x": 1}}, {"parameters.x": "'x' is declared twice"}),
        ({"parameters": {"alpha": 1, "u": 1}}, {"parameters.u": "'u' is declared twice"}),
        ({"parameters": {"alpha": 1, "sin": 1}}, {"parameters.sin": "'sin' is a function and cannot be a name"}),
        ({"parameters": {"alpha": 1, "lambda": 1}}, {"parameters.lambda": "a word of Python"}),
        ({"parameters": {"alpha": 1, "pi": 1}}, {"parameters.pi": "'pi' is the constant"}),
        ({"parameters": {"alpha": "x"}}, {"parameters.alpha": "unknown name 'x'; valid are pi, e"}),
        ({"parameters": {"alpha": "9**9**9**9"}}, {"parameters.alpha": "this constant is beyond 1e+300"}),
        ({"parameters": {"alpha": math.nan}}, {"parameters.alpha": "nan is not a finite number"}),
        ({"parameters": {"alpha": [1]}}, {"parameters.alpha": "text or a number belongs here, not [1]"}),
        ({"parameters": {"alpha": {"positive": True}}}, {"parameters.alpha": "write a number, or {learn: 0.5"}),
        ({"parameters": {"alpha": {"learn": 1, "positive": "yes"}}}, {"parameters.alpha": "write a number, or {learn"}),
        (
            {"parameters": {"alpha": {"learn": -2, "positive": True}}},
            {"parameters.alpha": "starts at -2, but a positive parameter starts above zero"},
        ),
        (
            {"parameters": {"alpha": {"learn": 1, "positiv": True}}},
            {"parameters.alpha.positiv": "unknown key 'positiv'; did you mean 'positive'?"},
        ),
        ({"equations": None, "exact": None}, {"equations": "are missing: they may be left out only where a condition"}),
        ({"equations": [], "exact": None}, {"equations": "is empty: write an equation such as"}),
        ({"equations": 5}, {"equations": "5 is not an equation: write left = right"}),
        ({"equations": ["u = 0", None]}, {"equations[2]": "None is not an equation"}),
        ({"equations": "alpha = x"}, {"equations": "mentions no field, so no network can satisfy it; fields are u"}),
        ({"equations": {"a b": "u = 0"}}, {"equations.a b": "'a b' cannot name an equation"}),
        (
            {"equations": {"heat": "u_t = alhpa * u_xx"}},
            {"equations.heat": "unknown name 'alhpa'; did you mean 'alpha'?"},
        ),
        (
            {"equations": {"heat": "u_y = 0"}},
            {"equations.heat": "'u_y': there is no coordinate y; coordinates are x, t"},
        ),
        ({"exact": {"v": "x"}}, {"exact.v": "there is no field or learned parameter 'v'; valid are u"}),
        ({"exact": {"alpha": 1}}, {"exact.alpha": "there is no field or learned parameter 'alpha'"}),
        ({"exact": {"u": "u"}}, {"exact.u": "unknown name 'u'"}),
        ({"exact": "x"}, {"exact": "'x' is not a mapping: write {u: sin(pi*x)}"}),
        ({"periodic": ["x", "y"]}, {"periodic": "there is no coordinate 'y'; valid are x, t"}),
        ({"periodic": 5}, {"periodic": "5 is not a list of coordinates: write [x]"}),
        ({"periodic": {"x": 1}}, {"periodic": "{'x': 1} is not a list of coordinates"}),
        ({"transform": {"u": "softplos"}}, {"transform.u": "unknown transform 'softplos'; did you mean 'softplus'?"}),
        ({"transform": {"v": "exp"}}, {"transform.v": "there is no field 'v'; valid are u"}),
        ({"transform": "exp"}, {"transform": "'exp' is not a mapping: write {u: softplus}"}),
        ({"reference": "spectrl"}, {"reference": "'spectrl' is neither 'spectral' nor a .npz or .csv file"}),
        ({"name": 5}, {"name": "5 is not a text"}),
        ({"conditions": ["u = 0"]}, {"conditions": "['u = 0'] is not a mapping: write {start: {at: t = 0"}),
        ({"conditions": {"a": "u = 0"}}, {"conditions.a": "'u = 0' is not a mapping: write {at: t = 0, equations"}),
    ],
)
def test_a_mistake_is_told_once_with_its_key_value_and_rule(changes, told):
    found = mistakes(**changes)
    assert found.keys() == told.keys()
    for key, message in told.items():
        assert message in found[key]


def test_exact_may_use_only_what_its_field_depends_on():
    told = mistakes(fields={"u": ["x", "t"], "k": ["x"]}, equations="u_t = k*u_xx", exact={"u": "0", "k": "t*x"})
    assert told == {"exact.k": "depends on t, but k does not"}


def test_a_mistake_shows_its_place():
    with pytest.raises(ProblemError) as caught:
        Problem(**words(equations={"heat": "u_t = alhpa * u_xx"}))
    assert str(caught.value).splitlines()[1:] == ["    u_t = alhpa * u_xx", "          ^"]


def test_all_mistakes_are_told_together():
    told = mistakes(
        nmae="heat",
        fields={"u": ["x", "q"]},
        parameters={"alpha": "oops", "beta": {"lern": 1}},
        equations={"one": "u_t = alpha * (u_xx", "two": "u_y = 0"},
        conditions={"a": {"at": "x = 5", "equations": "u = w"}, "b": {"equations": "u = 0", "weight": -1}},
        exact={"v": "x"},
        periodic=["z"],
        transform={"u": "nothing"},
        reference="magic",
    )
    assert set(told) == {
        "nmae", "fields.u", "parameters.alpha", "parameters.beta.lern", "parameters.beta", "equations.one",
        "equations.two", "conditions.a.at", "conditions.a.equations", "conditions.b", "conditions.b.weight", "exact.v",
        "periodic", "transform.u", "reference",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"coordinates": {"x": [1, 0], "t": [0, 1]}}, "coordinates.x"),
        ({"coordinates": None, "periodic": ["x"]}, "coordinates"),
        ({"fields": None}, "fields"),
        ({"fields": {"u": "xt"}}, "fields.u"),
        ({"parameters": {"alpha": "oops"}}, "parameters.alpha"),
    ],
)
def test_what_follows_from_a_mistake_is_not_told(changes, key):
    """The equations, conditions and exact solution all use x, u and alpha."""
    assert list(mistakes(**changes)) == [key]


def test_a_misspelt_key_of_a_condition_is_told_once():
    told = mistakes(conditions={"a": {"att": "t = 0", "equations": "u = 0"}})
    assert told == {"conditions.a.att": "unknown key 'att'; did you mean 'at'?"}


@pytest.mark.parametrize("key", ["0)", 5, 0.5, "t)*u_x"])
def test_a_key_that_is_no_name_is_an_expression_cut_at_its_comma(key):
    (told,) = mistakes(conditions={"a": {"at": "t = 0", "equations": "u = 0", key: None}}).items()
    assert told[0] == f"conditions.a.{key}"
    assert "YAML takes a comma for a separator; quote the expression" in told[1]


@pytest.mark.parametrize(
    "conditions",
    [
        {"heat": {"at": "t = 0", "equations": "u = 0"}},
        {"equations": {"at": "t = 0", "equations": "u = 0"}},
        {"a": {"at": "t = 0", "equations": {"b": "u = 0"}}, "a_b": {"at": "x = 1", "equations": "u = 0"}},
    ],
)
def test_terms_and_point_sets_have_names_of_their_own(conditions):
    (message,) = mistakes(conditions=conditions).values()
    assert "is taken: give each equation and condition its own" in message


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
