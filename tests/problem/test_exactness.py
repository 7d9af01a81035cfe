"""Closed forms against equations and conditions: small terms count, and rounding does not."""

from __future__ import annotations

import pytest

from pinnkit.language.errors import ProblemError
from pinnkit.problem.checks import check
from pinnkit.problem.problem import Problem


def told(**words) -> list[str]:
    return [f"{mistake.key}: {mistake.message}" for mistake in check(Problem(**{"fields": ["u"], **words})).mistakes]


def rod(exact: str, size: str = "1", **words) -> list[str]:
    """The heat equation in a thin rod, whose rate of decay is 9.87e-7."""
    return told(
        **{
            "coordinates": {"x": [0, 0.01], "t": [0, 1e6]},
            "equations": {"heat": "u_t = 1e-11*u_xx"},
            "conditions": {
                "initial": {"at": "t = 0", "equations": f"u = {size}*sin(100*pi*x)"},
                "ends": {"at": "boundary", "equations": "u = 0"},
            },
            "exact": {"u": exact},
            **words,
        }
    )


@pytest.mark.parametrize("size", ["1", "1e-9", "1e-100", "1e12"])
def test_a_miss_is_measured_by_the_terms_of_its_equation(size):
    right = f"{size}*sin(100*pi*x)*exp(-1e-7*pi^2*t)"
    assert rod(right, size) == []
    (message,) = rod(f"{size}*sin(100*pi*x)*exp(-3e-7*t)", size)
    assert "does not satisfy the equation 'heat'" in message
    (message,) = rod(f"1.03*{right}", size)
    assert "does not satisfy the condition 'initial'" in message
    found = rod(f"{right} + 0.03*{size}", size)
    assert [message.split("'")[1] for message in found] == ["initial", "ends"]


def test_terms_that_are_large_elsewhere_hide_no_miss():
    """A boundary layer of height 1e6 at x = 0; the miss is 1e-3 everywhere."""
    words = {"coordinates": {"x": [0, 1]}, "equations": {"layer": "u_x = -1000*u + 1000"}, "conditions": {}}
    assert told(**words, exact={"u": "1e6*exp(-1000*x) + 1"}) == []
    assert len(told(**words, exact={"u": "1e6*exp(-1000*x) + 1.001"})) == 1


@pytest.mark.parametrize(
    ("exact", "equations", "conditions"),
    [
        ("sin(3.14159265*x)", "u_xx = -9.8696044*u", "u = sin(pi*x)"),  # constants of eight digits
        ("1 - tanh(40*x - 60)^2", "u_x = -80*u*tanh(40*x - 60)", "u = 1 - tanh(40*x - 60)^2"),  # noise left of x = 1
        ("exp(-40*x^2)", "u_x = -80*x*u", "u = 0"),  # 4e-18 of its largest size at x = 1
        ("exp(-40*x^2)", "u_x = -80*x*u", "u_x = sin(pi*x)"),  # prescribed is 1.2e-16, which is zero
        ("exp(-900*x^2)", "u_x = -1800*x*u", "u = exp(-900)"),  # below the least float
    ],
)
def test_rounding_and_what_is_nearly_zero_are_no_miss(exact, equations, conditions):
    ends = {"ends": {"at": "x = 1", "equations": conditions}}
    found = told(coordinates={"x": [-1, 1]}, equations=equations, conditions=ends, exact={"u": exact})
    assert found == []


@pytest.mark.parametrize(
    ("exact", "equation", "condition"),
    [
        ("0", "u_x = 1/u", "u = 0"),
        ("1", "u_xx/u_x = 0", "u = 1"),
        ("log(x)", "u_x*x = 1", "u_x(x=0) = 1"),
        ("pi/2", "u_x = tan(u) + u_x", "u = pi/2"),
        ("-1", "u_x = log(u)", "u = -1"),
        ("-1", "u_x = u^0.3", "u = -1"),
        ("0", "u_x = u^(-2)", "u = 0"),
        ("2", "u_x = asin(u)", "u = 2"),
        ("0", "u_x = atan2(u, u)/u", "u = 0"),
        ("0", "u_x = log10(u)", "u = 0"),
        ("1e200", "u_x = u^2", "u = 1e200"),
        ("sqrt(x)", "u_x = 1/(2*u)", "u_x(x=0) = 1/(2*u)"),
        ("x", "u_x = 1", "u = sqrt(u(x=-1))"),
    ],
)
def test_what_folds_to_no_real_number_is_a_mistake_in_words(exact, equation, condition):
    ends = {"ends": {"at": "x = 1", "equations": condition}}
    found = told(coordinates={"x": [-1, 1]}, equations=equation, conditions=ends, exact={"u": exact})
    assert found
    assert all(one.startswith(("exact: does not satisfy the ", "exact.u: u is not finite at ")) for one in found)


@pytest.mark.parametrize(
    ("exact", "equation", "told"),
    [
        ("abs(x)", "u_xx = 0", "u_x jumps at x = 0, and the equation 'equation' holds u_xx"),
        ("heaviside(x - 0.5)", "u_x = 0", "u jumps at x = 0.5, and the equation 'equation' holds u_x"),
        ("max(x, 0)^2", "u_xxx = 0", "u_xx jumps at x = 0, and the equation 'equation' holds u_xxx"),
        ("where(x < 0, x, 2*x)", "u_x = where(x < 0, 1, 2)", None),
        ("max(x, 0)^2", "u_x = 2*max(x, 0)", None),
        ("abs(x - 5)", "u_xx = 0", None),
    ],
)
def test_an_exact_solution_with_a_kink_is_a_warning(exact, equation, told):
    words = {"coordinates": {"x": [-1, 1]}, "fields": ["u"], "conditions": {}}
    report = check(Problem(**words, equations=equation, exact={"u": exact}))
    assert report.mistakes == []
    messages = [warning.message for warning in report.warnings if warning.key == "exact.u"]
    assert messages == ([] if told is None else [f"{told}: whether it is solved there is not checked"])


@pytest.mark.parametrize("value", ["a", "b + 1"])
def test_the_exact_value_of_a_learned_parameter_is_a_number(value):
    parameters = {"a": {"learn": 1}, "b": {"learn": 2}}
    with pytest.raises(ProblemError, match=f"exact.a: depends on {value[0]}, which is learned"):
        told(coordinates={"x": [0, 1]}, parameters=parameters, equations="u_x = a*u + b", exact={"a": value})


@pytest.mark.parametrize(
    ("size", "share", "mistakes"),
    [("1", 3e-3, 0), ("1e-9", 3e-3, 0), ("1", 1e-5, 0), ("1", 0.012, 2), ("1e9", 0.02, 2)],
)
def test_a_condition_that_is_met_nearly_is_a_warning_with_the_miss(size, share, mistakes):
    words = {
        "coordinates": {"x": [0, 1]},
        "fields": ["u"],
        "equations": "u_xx = 0",
        "conditions": {
            "left": {"at": "x = 0", "equations": "u = 0"},
            "right": {"at": "x = 1", "equations": f"2*u = 2*(1 - {share})*{size}"},
        },
        "exact": {"u": f"{size}*(x + {share}*(1 - x))"},
    }
    report = check(Problem(**words))
    assert len(report.mistakes) == mistakes
    warned = [str(one) for one in report.warnings]
    if not mistakes:
        left = f"{share * float(size):.3g}"
        assert f"exact: misses the condition 'left' by {left} at x = 0 (conditions.left.equations): " in warned[0]
        assert f"exact: misses the condition 'right' by {2 * share * float(size):.3g} at x = 1" in warned[1]
        assert all(one.endswith("errors below that cannot be reached") for one in warned)


def test_an_equation_that_is_met_nearly_is_a_mistake():
    words = {"coordinates": {"x": [0, 1]}, "conditions": {}, "exact": {"u": "exp(1.001*x)"}}
    (mistake,) = told(**words, equations="u_x = u")
    assert "does not satisfy the equation" in mistake


@pytest.mark.parametrize(("form", "mistakes"), [("where(abs(x) < 1e-9, 1, sin(x)/x)", 0), ("sin(x)/x", 1)])
def test_the_form_that_is_proposed_for_a_removable_singularity_passes(form, mistakes):
    middle = {name: {"at": "x = 0", "equations": text} for name, text in (("value", "u = 1"), ("other", "2*u = 2"))}
    equation = "x*u_x + u = cos(x)"
    found = told(coordinates={"x": [-1, 1]}, equations=equation, conditions=middle, exact={"u": form})
    assert len(found) == mistakes
    assert all("u is not finite at x = 0 (conditions.value.equations): write " in one for one in found)


@pytest.mark.parametrize("miss", ["", "*1.1"])
def test_an_equation_counts_where_its_weight_is_not_zero(miss):
    """Two media, an equation for each."""
    equations = {
        "left": {"equation": f"u_xx = -2{miss}", "weight": "where(x < 0.5, 1, 0)"},
        "right": {"equation": "u_xx = 0", "weight": "where(x < 0.5, 0, 1)"},
    }
    ends = {"ends": {"at": ["x = 0", "x = 1"], "equations": "u = 0"}}
    exact = {"u": "where(x < 0.5, 0.75*x - x^2, (1 - x)/4)"}
    found = told(coordinates={"x": [0, 1]}, equations=equations, conditions=ends, exact=exact)
    assert len(found) == bool(miss)


def test_a_jump_outside_the_domain_is_none():
    """The angle of an L about its inner corner jumps in the part that is cut out."""
    words = {
        "coordinates": {"x": [-1, 1], "y": [-1, 1]},
        "fields": ["u"],
        "equations": "laplacian(u) = 0",
        "exact": {"u": "(x^2 + y^2)^(1/3)*sin(pi/2 + 2*atan2(-x - y, y - x)/3)"},
    }
    corner = {"shapes": {"corner": {"box": {"lower": [0, -1], "upper": [1, 0]}}}, "domain": "box - corner"}

    def doubts(**shapes):
        return [one.message for one in check(Problem(**words, **shapes)).warnings if one.key == "exact.u"]

    assert ["jumps" in one for one in doubts()] == [True]
    assert doubts(**corner) == []
