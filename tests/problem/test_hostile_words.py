"""Names that already mean something, numbers that vanish, and texts that would steer a terminal."""

from __future__ import annotations

import numpy as np
import pytest

from pinnkit.language.errors import LanguageError, Mistake, ProblemError
from pinnkit.problem.problem import Problem

ESCAPE = "\x1b[31m"


def refused(**words) -> list[str]:
    words = {"coordinates": {"x": [0, 1], "t": [0, 1]}, "fields": ["u"], "equations": "u_t = u_xx", **words}
    try:
        Problem(**words)
    except ProblemError as error:
        return str(error).splitlines()
    return []


def samples(name: str, **words) -> dict:
    words = {"equations": f"u = u_data + {name}", **words}
    return {"rows": {"data": {"x": [0.0, 0.5], "t": [0.0, 0.5], "u": [1.0, 2.0], name: [3.0, 4.0]}, **words}}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            {"parameters": {"u_t": 5}},
            "parameters.u_t: 'u_t' is the derivative of u by t and cannot be a name",
        ),
        ({"parameters": {"u_xxt": 5}}, "parameters.u_xxt: 'u_xxt' is the derivative of u by x, x, t and cannot be"),
        ({"parameters": {"u_n": 5}}, "parameters.u_n: 'u_n' is the derivative of u by the outward normal and cannot"),
        ({"parameters": {"n_x": 5}}, "parameters.n_x: 'n_x' is the outward normal's component along x and cannot be"),
        ({"parameters": {"n_t": 5}}, "parameters.n_t: 'n_t' is the outward normal's component along t and cannot be"),
        ({"fields": ["u", "u_x"]}, "fields.u_x: 'u_x' is the derivative of u by x and cannot be a name; write ux"),
        ({"fields": ["u", "n_x"]}, "fields.n_x: 'n_x' is the outward normal's component along x and cannot be a name"),
        ({"coordinates": {"n_x": [0, 1], "x": [0, 1], "t": [0, 1]}}, "coordinates.n_x: 'n_x' is the outward normal's"),
        ({"coordinates": {"u_x": [0, 1], "x": [0, 1], "t": [0, 1]}}, "coordinates.u_x: 'u_x' is the derivative of u"),
        (
            {"coordinates": {"u_reference": [0, 1], "t": [0, 1], "x": [0, 1]}},
            "coordinates.u_reference: 'u_referen",
        ),
        ({"fields": ["u", "u_reference"]}, "fields.u_reference: 'u_reference' is what a solution's file calls the"),
        ({"equations": {"objective": "u_t = u_xx"}}, "equations.objective: the name 'objective' is taken"),
        ({"conditions": {"objective": {"at": "t = 0", "equations": "u = 0"}}}, "conditions.objective: the name 'objec"),
        ({"conditions": samples("pi")}, "conditions.rows.data: the column pi has the name of a constant: rename it,"),
        (
            {"conditions": samples("e")},
            "conditions.rows.data: the column e has the name of a constant: rename it",
        ),
        ({"conditions": samples("exp")}, "conditions.rows.data: the column exp has the name of a function: rename it"),
        ({"conditions": samples("n_x")}, "conditions.rows.data: the column n_x has the name of a normal: rename it"),
        ({"conditions": samples("u_xt")}, "conditions.rows.data: the column u_xt has the name of a derivative: rename"),
        ({"conditions": samples("u_n")}, "conditions.rows.data: the column u_n has the name of a derivative: rename"),
        ({"parameters": {"sin": 1}}, "parameters.sin: 'sin' is a function and cannot be a name"),
        ({"parameters": {"pi": 1}}, "parameters.pi: 'pi' is the constant and cannot be a name"),
        (
            {
                "coordinates": {"north": [0, 1], "t": [0, 1]},
                "equations": "u_t = u",
                "conditions": {"edge": {"at": "boundary", "equations": "u_n = 0"}},
            },
            "conditions.edge.equations: 'u_n' has several readings: the outward normal derivative | u by north; write",
        ),
    ],
)
def test_a_name_that_means_something_else_is_refused(words, message):
    (told, *_) = refused(**words)
    assert told.startswith(message)


@pytest.mark.parametrize(
    "words",
    [
        {"parameters": {"u_max": 1, "n_y": 2, "u_": 3, "x_reference": 4, "u_reference": 5, "e": 2}},
        {"fields": {"u": ["x", "t"], "k": ["x"]}, "parameters": {"k_t": 2, "k_max": 1}},
        {"fields": ["u", "n", "x_reference"]},
        {"conditions": samples("sigma")},
        {"conditions": samples("T (K)", equations=None)},
    ],
)
def test_other_names_are_left_alone(words):
    assert refused(**words) == []


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("u_t = 1e-400*u", 6),
        ("u_t = u + x*0.00012e-300", 12),
        ("u_t = 1e-200*1e-200*u", 6),
        ("u_t = u/(1e200*x)/1e200", 6),
        ("u_t = x*1e-301", 8),
    ],
)
def test_a_constant_that_would_vanish_is_refused(text, position):
    first, _, caret = refused(equations=text)
    assert first.startswith("equations: ")
    assert "nearer to zero than 1e-300" in first
    assert caret.index("^") - 4 == position


@pytest.mark.parametrize(
    "text", ["u_t = 1e-300*u", "u_t = 0.0e-400 + u", "u_t = u*0", "u_t = exp(-1000)*u", "u_t = u/1e300"]
)
def test_small_constants_and_zero_are_read(text):
    assert refused(equations=text) == []


@pytest.mark.parametrize("ends", [[1, 1.0000000000000002], [1e10, 1e10 + 1], [-1e300, 1e300], [0, 1e-40]])
def test_a_range_without_room_for_derivatives_is_refused(ends):
    (told,) = refused(coordinates={"x": ends, "t": [0, 1]})
    assert told.startswith("coordinates.x: the range [")
    assert told.endswith(
        "is too narrow or too wide for derivatives in floating point: choose other units, or another origin"
    )


@pytest.mark.parametrize("ends", [[1e6, 1e6 + 1], [-1e20, 1e20], [0, 1e-15]])
def test_other_ranges_are_read(ends):
    assert refused(coordinates={"x": ends, "t": [0, 1]}) == []


@pytest.mark.parametrize("key", ["name", "description"])
@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"a{ESCAPE}b", r"holds the control character '\x1b': leave it out"),
        ("a\x07b", r"holds the control character '\x07': leave it out"),
        ("a\x9bb", r"holds the control character '\x9b': leave it out"),
        ("a\u202eb", r"holds the control character '\u202e': leave it out"),
        ("a\x00b", r"holds the control character '\x00': leave it out"),
        ("a" * 3000, "has 3000 characters; the most is 2000"),
        (["a"], "['a'] is not a text"),
    ],
)
def test_a_text_that_would_steer_a_terminal_is_refused(key, text, message):
    assert refused(**{key: text}) == [f"{key}: {message}"]


def test_characters_without_a_width_are_left_out():
    problem = Problem(coordinates={"t": [0, 1]}, fields=["u"], equations="u_t = u", name="\ufeffde\u00adcay\u200b")
    assert problem.name == "decay"


def test_the_lines_of_a_description_are_joined():
    problem = Problem(
        coordinates={"t": [0, 1]},
        fields=["u"],
        equations="u_t = u",
        description="  One\tline,\n\n and\r\nmore: Δu ü 数\n",
    )
    assert problem.description == "One line, and more: Δu ü 数"


@pytest.mark.parametrize(
    "words",
    [
        {f"key{ESCAPE}": 1},
        {"fields": [f"u{ESCAPE}"]},
        {"fields": {"u": [f"x{ESCAPE}"]}},
        {"transform": {f"u{ESCAPE}": "exp"}},
        {"transform": {"u": f"exp{ESCAPE}"}},
        {"coordinates": {f"x{ESCAPE}": [0, 1]}},
        {"coordinates": {"x": [0, f"1{ESCAPE}"]}},
        {"parameters": {f"a{ESCAPE}\n": 1}},
        {"parameters": {"a": {f"learn{ESCAPE}": 1}}},
        {"equations": f"u_t = {ESCAPE}"},
        {"equations": {f"a{ESCAPE}": "u_t = u"}},
        {"conditions": {f"c{ESCAPE}": {"data": {"x": [0], "t": [0], "u": [0]}}}},
        {"conditions": {f"c{ESCAPE}": {"at": "t = 0", "equations": {"a": "u = 0"}}}},
        {"conditions": {"c": {"at": f"t = 0{ESCAPE}", "equations": "u = 0"}}},
        {"conditions": {"c": {"at": {f"t{ESCAPE}": 0}, "equations": "u = 0"}}},
        {"conditions": {"c": {"data": f"a{ESCAPE}.csv"}}},
        {"conditions": {"c": {"data": {"x": [0], f"t{ESCAPE}": [0], "u": [0]}}}},
        {"reference": f"a{ESCAPE}.npz"},
        {"reference": f"a{ESCAPE}"},
        {"periodic": [f"x{ESCAPE}"]},
        {"exact": {f"u{ESCAPE}": "0"}},
        {"exact": {"u": f"0{ESCAPE}"}},
    ],
)
def test_no_mistake_prints_what_steers_a_terminal(words):
    told = refused(**words)
    assert told
    assert all(line.isprintable() for line in told)


def test_errors_print_no_control_character():
    for error in (LanguageError(f"a{ESCAPE}", f"b{ESCAPE}", 1), Mistake(f"k{ESCAPE}\n", f"a{ESCAPE}", f"b{ESCAPE}", 0)):
        assert all(line.isprintable() for line in str(error).splitlines())


def test_a_table_named_with_a_control_character_is_refused_where_it_exists(tmp_path):
    np.savez(tmp_path / f"a{ESCAPE}.npz", x=[0.0], t=[0.0], u=[1.0])
    (told,) = refused(conditions={"c": {"data": f"a{ESCAPE}.npz"}}, folder=tmp_path)
    assert told.endswith("is no path of a file: it holds a control character")


@pytest.mark.parametrize("name", ["e", "pi", "max", "u_x", "u_n", "n_x", "k"])
@pytest.mark.parametrize("equations", [None, "u = max(u_data, 0)", {"k": {"equation": "u = u_data", "weight": 2}}])
def test_a_column_that_no_equation_names_may_be_called_anything(name, equations):
    words = {"coordinates": {"x": [0, 1], "t": [0, 1]}, "fields": ["u"], "equations": "u_t = k*u_xx"}
    conditions = samples(name, equations=equations)
    problem = Problem(**words, parameters={"k": {"learn": 1.0}}, conditions=conditions)
    assert set(problem.conditions[0].data) == {"x", "t", "u_data"}


@pytest.mark.parametrize(
    "words",
    [
        {"weight": "1/k"},
        {"equations": {"one": {"equation": "u = 0", "weight": "k"}}},
        {"equations": lambda p: p.u - p.k},
    ],
)
def test_a_column_that_a_weight_names_or_a_callable_may_read_is_refused(words):
    words = samples("k", **{"equations": "u = u_data", **words})
    (told,) = refused(parameters={"k": 2}, equations="u_t = k*u_xx", conditions=words)
    assert "the column k has the name of a parameter: rename it" in told
