"""Configurations that are refused: the key, the value, the rule, the nearest right thing."""

from __future__ import annotations

import math

import pytest

from pinnkit.language.errors import ProblemError
from pinnkit.problem.problem import Problem
from tests.problem.configs import mistakes, words


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
        ({"coordinates": {"x": ["a", 1], "t": [0, 1]}}, {"coordinates.x": "unknown name 'a'; valid are alpha, pi, e"}),
        ({"fields": None}, {"fields": "are missing: write [u, v]"}),
        ({"fields": "u"}, {"fields": "'u' is no mapping or list: write [u, v]"}),
        ({"fields": ["u", "u"]}, {"fields.u": "'u' is declared twice"}),
        ({"fields": ["u", "x"]}, {"fields.x": "'x' is declared twice"}),
        ({"fields": ["u", ["v"]]}, {"fields.['v']": "a name must be text, not ['v']"}),
        ({"fields": {"u": "x"}}, {"fields.u": "'x' is not a list of coordinates: write u: [x, t]"}),
        (
            {"fields": {"u": {"coordinates": "x", "coordinate": 1}}},
            {"fields.u.coordinate": "did you mean 'coordinates'?", "fields.u": "'x' is not a list of coordinates"},
        ),
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
        (
            {"parameters": {"alpha": {"learn": 1, "positive": "yes"}}},
            {"parameters.alpha": "positive is 'yes': true or"},
        ),
        (
            {"parameters": {"alpha": {"learn": 1, "min": 1}}},
            {"parameters.alpha": "but a bounded parameter starts above"},
        ),
        (
            {"parameters": {"alpha": {"learn": 3, "min": 5, "max": 2}}},
            {"parameters.alpha": "min is 5 and max 2: the lower bound comes first"},
        ),
        (
            {"parameters": {"alpha": {"learn": -3, "positive": True, "max": -2}}},
            {"parameters.alpha": "max is -2, but what is positive lies above zero"},
        ),
        ({"fields": {"u": {"min": "a"}}}, {"fields.u": "unknown name 'a'"}),
        (
            {"fields": {"u": {"min": 0.1, "max": 10}}, "transform": {"u": "exp"}},
            {"fields.u": "is kept between 0.1 and 10 and has a transform: leave one of them out"},
        ),
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
        ({"reference": "spectrl"}, {"reference": "'spectrl' is neither 'spectral', 'fem' nor a .npz or .csv file"}),
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
