"""A problem in plain texts."""

import pytest

from pinnkit.problem.problem import Problem
from pinnkit.problem.statement import Line, statement

BEAM = {
    "name": "beam",
    "coordinates": {"x": [0, 1], "t": [0, 2]},
    "fields": {"h": "complex", "w": ["x", "t"]},
    "parameters": {"c": 2, "k": {"learn": 1, "positive": True}},
    "define": {"Re": "1/c"},
    "equations": {"wave": "i*h_t + h_xx = 0", "rest": {"equation": "w_t = k*w_xx + Re", "weight": 3}},
    "conditions": {
        "start": {"at": "t = 0", "equations": ["h = exp(i*x)", "w = x"], "where": "x < 0.5"},
        "ends": {"at": ["x = 0", "x = 1"], "equations": "w = 0", "hard": True},
    },
    "exact": {"w": "x*t"},
}


@pytest.fixture(scope="module")
def said():
    return statement(Problem(**{**BEAM, "exact": {}, "conditions": BEAM["conditions"]}))


def test_equations_are_as_they_were_written_and_a_complex_one_is_one_line(said):
    assert said.equations == (
        Line("wave", "i*h_t + h_xx = 0"),
        Line("rest", "w_t = k*w_xx + Re", "", ("weight 3",)),
    )
    assert said.names == ("h", "w")
    assert said.definitions == (Line("Re", "1/c"),)


def test_conditions_say_where_they_hold(said):
    assert [(one.name, one.text, one.where) for one in said.conditions] == [
        ("start", "h = exp(i*x)", "at t = 0 where x < 0.5"),
        ("start", "w = x", "at t = 0 where x < 0.5"),
        ("ends", "w = 0", "at x = 0, x = 1"),
    ]
    assert said.conditions[2].notes == ("exact by construction",)


def test_facts_have_domain_fields_and_parameters(said):
    assert ("domain", "x in [0, 1], t in [0, 2]") in said.facts
    assert ("complex field", "h(x, t)") in said.facts
    assert ("parameter", "c = 2") in said.facts
    assert ("parameter", "k, learned from 1, kept positive") in said.facts


def test_parameters_have_their_units():
    units = {"c": "m/s", "k": "1", "nu": "Pa s", "x": "m"}
    parameters = {**BEAM["parameters"], "nu": {"range": [1, 2]}}
    facts = statement(Problem(**{**BEAM, "parameters": parameters, "exact": {}}, units=units)).facts
    assert ("parameter", "c = 2 m/s") in facts
    assert ("parameter", "k, learned from 1, kept positive") in facts
    assert ("parameter", "nu in [1, 2] Pa s, an input of the network") in facts


def test_a_residual_in_python_is_a_name():
    def my_residual(p):
        return p.u_t + p.u

    said = statement(
        Problem(
            coordinates={"t": [0, 1]},
            fields=["u"],
            equations=my_residual,
            conditions={"start": {"at": "t = 0", "equations": "u = 1"}},
        )
    )
    assert [(one.text, one.is_text) for one in said.equations] == [("my_residual", False)]
