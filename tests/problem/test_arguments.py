"""Fields that are functions of other fields: what they depend on, their closed forms, what is refused."""

import pytest
import sympy

from pinnkit.language.calculus import symbol
from pinnkit.problem.checks import check
from pinnkit.problem.problem import Problem
from tests.problem.configs import mistakes, words

TERM = {"fields": {"u": ["x", "t"], "f": ["u"], "g": ["f", "t"]}, "equations": {"one": "u_t = f + g"}}


def test_a_function_of_a_field_depends_on_what_the_field_does():
    u, f, g = Problem(**words(**TERM)).fields
    assert (u.inputs, u.arguments) == (("x", "t"), ())
    assert (f.coordinates, f.inputs) == (("x", "t"), ("u",))
    assert (g.coordinates, g.inputs, g.own) == (("x", "t"), ("f", "t"), ("t",))
    k = Problem(**words(fields={"u": ["x"], "k": ["u"]}, equations="k*u_x = 1", conditions=None, exact=None))
    assert k.fields[1].coordinates == ("x",)


def test_a_closed_form_may_be_written_in_the_field():
    x, t = symbol("x"), symbol("t")
    exact = {"g": "t*f", "f": "u^2", "u": "exp(-t)*x"}
    problem = Problem(**words(**TERM, exact=exact, conditions=None))
    assert problem.exact["f"] == (sympy.exp(-t) * x) ** 2
    assert sympy.simplify(problem.exact["g"] - t * x**2 * sympy.exp(-2 * t)) == 0
    report = check(Problem(**words(**{**TERM, "equations": {"one": "u_t = f - u - u^2 + 0*g"}}, exact=exact)))
    assert not [one for one in report.mistakes if "the equation" in one.message]


@pytest.mark.parametrize(
    ("changes", "key", "told"),
    [
        ({"fields": {"u": ["x", "t"], "f": ["f"]}}, "fields.f", "depends on f: a field cannot be a function of itself"),
        ({"fields": {"u": ["f"], "f": ["u"]}}, "fields.u", "depends on f, which depends on u: a field cannot be"),
        ({"fields": {"u": ["x", "t"], "f": ["v"]}}, "fields.f", "there is no coordinate 'v'"),
        ({"fields": {"u": {"range": [0, 1]}}}, "fields.u", "has a range, which is that of a field on which it depends"),
        (
            {"fields": {"u": ["x", "t"], "f": {"coordinates": ["u"], "range": {"v": [0, 1]}}}},
            "fields.f",
            "has a range of 'v', on which it does not depend",
        ),
        ({"fields": {"u": {}, "f": {"coordinates": ["u"], "range": [1, 0]}}}, "fields.f", "the range [1, 0] is empty"),
        ({**TERM, "equations": {"one": "u_t = f_u"}}, "equations.one", "'f_u': a field cannot be differentiated by a"),
        (
            {**TERM, "equations": {"one": "u_t = f(u=0)"}},
            "equations.one",
            "'u' is a field: a place names coordinates alone, x, t",
        ),
        ({**TERM, "exact": {"f": "u^2"}}, "exact.f", "is written in u, whose exact solution is not given"),
        ({**TERM, "exact": {"g": "u"}}, "exact.g", "unknown name 'u'"),
    ],
)
def test_what_is_refused(changes, key, told):
    assert mistakes(**changes)[key].startswith(told)
