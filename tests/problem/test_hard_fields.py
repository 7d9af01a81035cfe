"""Hard conditions on complex fields, on fields with parts, and with a manufactured solution."""

import sympy

from pinnkit.language.calculus import symbol
from pinnkit.problem.checks import check
from pinnkit.problem.problem import Problem
from pinnkit.references.manufactured import manufacture
from tests.problem.checked_problems import told
from tests.problem.hard_problems import HEAT, hard, made

X, T = symbol("x"), symbol("t")


def test_a_manufactured_solution_is_prescribed_in_the_place_of_the_values():
    problem = manufacture(Problem(**HEAT), {"u": "exp(t)*cos(x)"})
    assert told(check(problem)) == []
    lift = made(problem)["u"].lift
    assert sympy.simplify(lift.subs(T, 0) - sympy.cos(X)) == 0
    assert sympy.simplify(lift.subs(X, 1) - sympy.exp(T) * sympy.cos(1)) == 0


def test_both_parts_of_a_complex_field_are_prescribed():
    words = {**HEAT, "fields": {"h": "complex"}, "equations": "i*h_t = h_xx", "exact": {}}
    words["conditions"] = {
        "start": hard("t = 0", "h = exp(i*pi*x)"), "seam": hard("x = -1", "h(x=-1) = h(x=1)")
    }  # fmt: skip
    problem = Problem(**words)
    assert told(check(problem)) == []
    found = made(problem)
    assert (found["h_re"].lift, found["h_im"].lift) == (sympy.cos(sympy.pi * X), sympy.sin(sympy.pi * X))
    assert [field.periodic for field in problem.fields] == [("x",), ("x",)]


def test_each_part_of_a_field_has_the_values_of_its_part_of_the_boundary():
    problem = Problem(
        coordinates={"x": [-1, 1], "y": [0, 1]},
        shapes={"left": {"level_set": "x"}, "right": {"level_set": "-x"}},
        fields={"u": {"parts": ["left", "right"]}},
        equations={name: {"equation": "laplacian(u) = 0", "in": name} for name in ("left", "right")},
        conditions={
            "outer": hard("boundary", "u = x"),
            "contact": {"at": "left", "equations": ["u.left = u.right", "u.left_n = u.right_n"]},
        },
    )
    assert told(check(problem)) == []
    found = made(problem)
    assert set(found) == {"u.left", "u.right"}
    for name, end in {"u.left": -1, "u.right": 1}.items():
        at = {X: end, symbol("y"): 0.5}
        assert (found[name].lift.subs(at), found[name].factor.subs(at)) == (end, 0)
        assert found[name].factor.subs({**at, X: 0.1 * end}) > 0
        assert {one.key for one in found[name].parts} == {"conditions.outer.hard"}
