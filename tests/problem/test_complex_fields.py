"""Complex fields of problems: declaration, equations, conditions, data and closed forms."""

import re
from pathlib import Path

import numpy as np
import pytest
import yaml

from pinnkit.language.errors import ProblemError
from pinnkit.problem.checks import check
from pinnkit.problem.problem import Problem
from pinnkit.problem.scales import scales_of
from pinnkit.problem.unknowns import combined

SOLITON = "exp(i*(0.5*x + 0.375*t))/cosh(x - 0.5*t)"
WORDS = {
    "name": "soliton",
    "coordinates": {"x": [-5, 5], "t": [0, 1]},
    "fields": {"h": "complex"},
    "equations": {"wave": "i*h_t + 0.5*h_xx + abs(h)^2*h = 0"},
    "conditions": {
        "initial": {"at": "t = 0", "equations": "h = exp(i*0.5*x)/cosh(x)"},
        "ends": {"at": ["x = -5", "x = 5"], "equations": f"h = {SOLITON}"},
    },
    "exact": {"h": SOLITON},
}


def mistakes(**changes):
    with pytest.raises(ProblemError) as caught:
        Problem(**(WORDS | changes))
    return {one.key: one.message for one in caught.value.mistakes}


def test_a_complex_field_is_two_real_ones_and_one_unknown():
    problem = Problem(**WORDS)
    assert [(one.name, one.unknown, one.component) for one in problem.fields] == [
        ("h_re", "h", "re"),
        ("h_im", "h", "im"),
    ]
    assert [(one.name, one.is_complex) for one in problem.unknowns] == [("h", True)]
    assert [one.name for one in problem.equations] == ["wave_re", "wave_im"]
    assert [one.name for one in problem.conditions[0].equations] == ["initial_re", "initial_im"]
    assert set(problem.exact) == {"h_re", "h_im"}
    assert combined(problem, {"h_re": np.ones(2), "h_im": np.arange(2.0)}, {}).popitem()[1].tolist() == [1, 1 + 1j]


def test_a_complex_field_may_depend_on_some_coordinates_alone():
    problem = Problem(
        coordinates={"x": [0, 1], "t": [0, 1]},
        fields={"h": {"complex": True, "coordinates": ["x"]}, "u": ["x", "t"]},
        equations={"h": "h_x = i*h", "u": "u_t = abs(h)^2"},
    )
    assert [(one.name, one.coordinates) for one in problem.fields] == [
        ("h_re", ("x",)), ("h_im", ("x",)), ("u", ("x", "t")),
    ]  # fmt: skip
    assert [one.name for one in problem.equations] == ["h_re", "h_im", "u"]


def test_a_soliton_solves_the_equation_and_a_perturbed_one_does_not():
    report = check(Problem(**WORDS))
    assert (report.mistakes, report.warnings) == ([], [])
    told = check(Problem(**(WORDS | {"exact": {"h": f"1.001*{SOLITON}"}}))).mistakes
    assert {one.key for one in told} == {"exact"}
    assert any("the equation 'wave_im'" in one.message for one in told)
    poles = check(Problem(**(WORDS | {"exact": {"h": "i*log(-1 - x^2)"}}))).mistakes
    assert "exact.h" in {one.key for one in poles}


def test_both_parts_have_the_size_of_the_larger():
    initial = {"initial": {"at": "t = 0", "equations": "h = 40/cosh(x)"}}
    assert scales_of(Problem(**(WORDS | {"conditions": initial})), False).fields == {"h_re": 32.0, "h_im": 32.0}


@pytest.mark.parametrize(
    ("equation", "conditions", "warned"),
    [
        ("h_t + 0.5*h_xx + abs(h)^2*h = 0", WORDS["conditions"], True),
        ("h_xx + h_tt = 0", {}, True),
        ("h_xx + h = 0", {"end": {"at": "x = 5", "equations": "h_x = 2*i*h"}}, False),
        ("h_xx + h = 0", {"end": {"at": "x = 5", "equations": "h_x = 2*h"}}, True),
        ("i*h_t = h_xx", {}, False),
        ("h_t = exp(i*x)*h", {}, False),
        ("re(h_t) = im(h_xx)", {}, False),
    ],
)
def test_a_complex_equation_without_i_is_a_warning(equation, conditions, warned):
    words = {**WORDS, "equations": {"wave": equation}, "conditions": conditions, "exact": {}}
    told = [one for one in check(Problem(**words)).warnings if one.key == "equations.wave"]
    assert len(told) == warned
    assert all("is complex and holds no i: is one missing" in one.message for one in told)


@pytest.mark.parametrize(
    ("changes", "key", "told"),
    [
        ({"fields": {"h": "komplex"}}, "fields.h", "did you mean 'complex'?"),
        ({"fields": {"h": {"complex": "yes"}}}, "fields.h.complex", "is 'yes': write complex: true"),
        ({"fields": {"h": "complex", "h_re": ["x"]}}, "fields.h_re", "is a part of the complex field h"),
        ({"parameters": {"h_im": 1}}, "fields.h", "'h_im', a part of the complex field h, has the name of something"),
        ({"transform": {"h": "exp"}}, "transform.h", "only a real field has a transform"),
        ({"exact": {"h_re": "x"}}, "exact.h_re", "there is no field or learned parameter 'h_re'"),
        (
            {"fields": {"h": "complex", "u": ["x"]}, "exact": {"u": "i*x"}},
            "exact.u",
            "is complex, and u is real: declare it by fields: {u: complex}",
        ),
        (
            {"conditions": {"a": {"at": "t = 0", "equations": "h = 0", "weight": "i"}}},
            "conditions.a.weight",
            "this is complex, where a real number belongs",
        ),
        (
            {"conditions": {"a": {"at": "t = 0", "equations": "h = 0", "where": "h > 0"}}},
            "conditions.a.where",
            "a comparison needs real numbers",
        ),
        ({"equations": {"wave": "h = 1", "wave_re": "re(h) = 1"}}, "equations", "two are called wave_re"),
        ({"equations": {"wave": "re(h) + i*x = 0"}}, "equations.wave", "its imaginary part mentions no field"),
        ({"parameters": {"k": "i"}}, "parameters.k", "unknown name 'i'"),
    ],
)
def test_mistakes_are_told_with_their_key(changes, key, told):
    found = mistakes(**changes)
    assert list(found) == [key]
    assert told in found[key]


def test_a_part_that_is_also_a_derivative_is_refused():
    words = {"coordinates": {"r": [0, 1], "e": [0, 1]}, "fields": {"h": "complex"}, "equations": "h_rr = i*h"}
    with pytest.raises(
        ProblemError, match="'h_re', a part of the complex field h, is also the derivative of h by r, e"
    ):
        Problem(**words)


@pytest.mark.parametrize("form", ["npz", "csv", "written out", "real"])
def test_data_of_a_complex_field(form, tmp_path):
    x, t, h = np.array([0.0, 1.0, 2.0]), np.zeros(3), np.array([1 + 2j, 3 - 1j, 0.5j])
    data = {"x": x, "t": t, "h_re": h.real, "h_im": h.imag}
    if form == "npz":
        np.savez(tmp_path / "h.npz", x=x, t=t, h=h)
        data = "h.npz"
    elif form == "csv":
        rows = np.column_stack(list(data.values()))
        np.savetxt(tmp_path / "h.csv", rows, delimiter=",", header="x,t,h_re,h_im", comments="")
        data = "h.csv"
    elif form == "real":
        data = {"x": x, "t": t, "h": x}
    conditions = {"seen": {"data": data}, "phase": {"data": data, "equations": "i*h_data = i*h"}}
    seen, phase = Problem(**(WORDS | {"conditions": conditions}), folder=tmp_path).conditions
    assert [one.name for one in seen.equations] == ["seen_re", "seen_im"]
    known = {"h_re", "h_im", "h_data"} if form == "real" else {"h_re", "h_im", "h_re_data", "h_im_data"}
    assert set().union(*(re.findall(r"h\w*", str(one.residual)) for one in seen.equations)) == known
    assert len(phase.equations) == 2
    if form != "real":
        assert seen.data["h_im_data"].tolist() == [2, -1, 0.5]


def test_other_complex_columns_are_known_by_name(tmp_path):
    np.savez(tmp_path / "h.npz", x=np.arange(3.0), t=np.zeros(3), S=np.array([1j, 2, 3]))
    conditions = {"slope": {"data": "h.npz", "equations": "h_x = i*S"}}
    (condition,) = Problem(**(WORDS | {"conditions": conditions}), folder=tmp_path).conditions
    assert [str(one.residual) for one in condition.equations] == ["S_im + h_re_x", "-S_re + h_im_x"]


def test_complex_arrays_are_refused_where_no_field_is_complex(tmp_path):
    np.savez(tmp_path / "u.npz", x=np.arange(3.0), u=np.array([1j, 2, 3]))
    words = {"coordinates": {"x": [0, 3]}, "fields": ["u"], "conditions": {"seen": {"data": "u.npz"}}}
    with pytest.raises(ProblemError, match="array u holds complex128, not real numbers"):
        Problem(**words, folder=tmp_path)
    np.savez(tmp_path / "u.npz", x=np.arange(3.0), t=np.zeros(3), h=np.array([1j, 2, 3]), h_re=np.ones(3))
    with pytest.raises(ProblemError, match="array h is complex, and h_re is there besides"):
        Problem(**(WORDS | {"conditions": {"seen": {"data": "u.npz"}}}), folder=tmp_path)


def test_the_words_of_complex_numbers_may_name_parameters_of_real_problems():
    words = {"coordinates": {"x": [0, 1]}, "fields": ["u"], "parameters": {"re": 2, "i": 3, "arg": 1}}
    problem = Problem(**words, equations="u_x = i*re*arg*u")
    assert str(problem.equations[0].residual) == "-arg*i*re*u + u_x"


def test_the_example_of_the_documentation_is_a_problem():
    text = (Path(__file__).resolve().parents[2] / "docs" / "language" / "complex_fields.md").read_text()
    (example,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    report = check(Problem(**yaml.safe_load(example)))
    assert (report.mistakes, report.warnings) == ([], [])
