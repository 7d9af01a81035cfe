"""Derived parameters: what they stand for, where they may be used, and what is refused."""

import pytest
import sympy

from pinnkit.language.calculus import symbol
from pinnkit.language.errors import ProblemError
from pinnkit.problem.checks import check
from pinnkit.problem.problem import Problem
from tests.problem.configs import words

ALPHA = symbol("alpha")
DEFINE = {"D": "alpha/2", "twice": "2*D", "wave": "sin(pi*x)", "two": "1 + 1"}


def test_a_derived_parameter_stands_for_its_expression_everywhere():
    plain = Problem(**words())
    derived = Problem(
        **words(
            define=DEFINE,
            equations={"heat": "u_t = twice*u_xx"},
            conditions={
                "initial": {"at": "t = 0*D", "equations": "u = wave", "where": "x < two"},
                "ends": {"at": ["x = -1", "x = two - 1"], "equations": "u = 0"},
            },
            exact={"u": "exp(-twice*pi^2*t) * wave"},
        )
    )
    assert derived.equations[0].residual == plain.equations[0].residual
    assert derived.exact == plain.exact
    assert [one.places for one in derived.conditions] == [one.places for one in plain.conditions]
    assert derived.definitions == {
        "D": ALPHA / 2, "twice": ALPHA, "wave": sympy.sin(sympy.pi * symbol("x")), "two": 2
    }  # fmt: skip
    assert not check(derived).mistakes


def test_shapes_take_numbers_by_derived_parameters():
    disk = {"disk": {"center": ["D - D", 0], "radius": "2*R"}}
    problem = Problem(
        coordinates={"x": [-1, 1], "y": [-1, 1]}, fields=["u"], shapes={"plate": disk}, domain="plate",
        parameters={"D": 0.5}, define={"R": "D/2"}, equations="laplacian(u) = 0",
    )  # fmt: skip
    assert problem.domain.measure == pytest.approx(0.25 * 3.141592653589793)


LONG = {"a0": "alpha + 1"} | {f"a{n + 1}": f"(a{n} + 1)*(a{n} + 2)" for n in range(30)}


@pytest.mark.parametrize(
    ("define", "told"),
    [
        ({"a": "b", "b": "1"}, {"define.a": "uses 'b', which is not defined before"}),
        ({"a": "1/a"}, {"define.a": "uses 'a', which is not defined before: a definition uses parameters and earlier"}),
        ({"a": "alpa"}, {"define.a": "unknown name 'alpa'; did you mean 'alpha'?"}),
        ({"a": "u"}, {"define.a": "unknown name 'u'"}),
        ({"u": "alpha"}, {"define.u": "'u' is declared twice"}),
        ({"u_x": "alpha"}, {"define.u_x": "'u_x' is the derivative of u by x and cannot be a name"}),
        ({"alpha": "1"}, {"define.alpha": "'alpha' is declared twice"}),
        ({"sin": "1"}, {"define.sin": "'sin' is a function and cannot be a name"}),
        ({"a": "1/(alpha - 0.1)"}, {"define.a": "is inf, not a finite number"}),
        ({"a": "u_x > 2"}, {"define.a": "a condition stands only inside where"}),
        ([1], {"define": "[1] is not a mapping: write {Re: 1/nu}"}),
        ({f"a{n}": 1 for n in range(101)}, {"define": "has 101 names; the most is 100"}),
    ],
)
def test_what_is_refused(define, told):
    with pytest.raises(ProblemError) as caught:
        Problem(**words(define=define))
    found = {mistake.key: mistake.message for mistake in caught.value.mistakes}
    assert set(found) == set(told)
    assert all(found[key].startswith(message) for key, message in told.items())


def test_expressions_that_grow_with_every_name_are_bounded():
    with pytest.raises(ProblemError) as caught:
        Problem(**words(define=LONG))
    assert "has more than 1000 operations with the earlier names put in" in str(caught.value)


def test_a_derived_parameter_of_a_learned_one_cannot_say_where_a_condition_holds():
    start = {"at": "x = two", "equations": "u = 0"}
    with pytest.raises(ProblemError, match="alpha is learned, so it cannot say where a condition holds"):
        Problem(**words(parameters={"alpha": {"learn": 1}}, define={"two": "2*alpha"}, conditions={"start": start}))
