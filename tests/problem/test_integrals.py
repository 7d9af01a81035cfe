"""Integrals in problems: where conditions of them hold, what the checks find, sources, and the order of quadrature."""

import re

import numpy as np
import pytest
import sympy

from pinnkit.language.calculus import symbol
from pinnkit.language.errors import ProblemError
from pinnkit.language.integral import integrals
from pinnkit.problem.checks import check
from pinnkit.problem.integrals import Quadrature, described_integrals, integral_value, known_values, precise_value
from pinnkit.problem.problem import Problem
from pinnkit.problem.scales import scales_of
from pinnkit.references.evolution_system import read_evolution_system
from pinnkit.references.manufactured import manufacture
from pinnkit.references.unsupported import UnsupportedProblem
from tests.problem.two_materials import ROD


def volterra(**changes):
    config = {
        "coordinates": {"t": [0, 5]},
        "fields": ["v"],
        "equations": "v_t + v = integral(exp(s - t)*v(t=s), s, 0, t)",
        "conditions": {"start": {"at": "t = 0", "equations": "v = 1"}},
        "exact": {"v": "exp(-t)*cosh(t)"},
    }
    return {key: value for key, value in (config | changes).items() if value is not None}


def heat(**conditions):
    return {
        "coordinates": {"x": [0, 1], "t": [0, 1]},
        "fields": ["u"],
        "equations": "u_t = u_xx",
        "conditions": {"start": {"at": "t = 0", "equations": "u = 1 + cos(pi*x)"}, **conditions},
        "exact": {"u": "1 + cos(pi*x)*exp(-pi^2*t)"},
    }


def holed(**conditions):
    """log r about a hole: the flux through each closed curve around it is 2 pi."""
    return {
        "coordinates": {"x": [-1, 1], "y": [-1, 1], "t": [0, 1]},
        "shapes": {"hole": {"disk": {"center": [0.1, 0], "radius": 0.3}}},
        "domain": "box - hole",
        "fields": ["u"],
        "equations": "u_t = laplacian(u)",
        "conditions": {"edge": {"at": "hole", "equations": "u = log(0.3)"}, **conditions},
        "exact": {"u": "log((x - 0.1)^2 + y^2)/2"},
    }


def told(config):
    """The mistakes of reading and of the checks."""
    try:
        return [str(one) for one in check(Problem(**config)).mistakes]
    except ProblemError as error:
        return [str(one) for one in error.mistakes]


def warned(config):
    return [one.message for one in check(Problem(**config)).warnings]


def test_an_exact_solution_is_checked_through_integrals():
    assert told(volterra()) == []
    assert warned(volterra()) == []
    (message,) = told(volterra(exact={"v": "exp(-t)*cosh(1.01*t)"}))
    assert "does not satisfy the equation 'equation'" in message


def test_fluxes_and_means_of_shapes_are_those_of_closed_forms():
    right = holed(
        inner={"equations": "integral(u_n, hole) = -2*pi"},
        outer={"equations": "integral(u_n, box) = 2*pi"},
        whole={"equations": "integral(u_n, boundary) = 0"},
        rim={"equations": "integral(u, hole) = 0.6*pi*log(0.3)"},
    )
    assert told(right) == []
    (message,) = told(holed(inner={"equations": "integral(u_n, hole) = 2*pi"}))
    assert "does not satisfy the condition 'inner': the residual is 12.6" in message


def test_the_mean_over_a_domain_with_a_hole_is_that_of_its_parts():
    problem = Problem(**holed(mean={"equations": "integral(x^2, domain) = integral(u, hole)"}))
    whole = next(one for one in integrals(problem.conditions[1].equations[0].residual) if one.region == "domain")
    value, _ = integral_value(problem, whole, problem.values)
    assert value == pytest.approx(4 / 3 - np.pi * (0.09 * 0.01 + 0.3**4 / 4), rel=1e-8)


def test_a_condition_of_integrals_needs_no_place():
    def place(condition):
        return Problem(**heat(mean=condition)).conditions[1].places[0]

    assert place({"equations": "integral(u, domain) = 1"}).fixed == {"x": 0.5}
    assert place({"at": "t = 0", "equations": "integral(u, domain) = 1"}).fixed == {"x": 0.5, "t": 0.0}
    assert place({"at": "t = 0", "equations": "integral(u, x, 0, x) = x + sin(pi*x)/pi"}).fixed == {"t": 0.0}
    assert place({"at": "t = 0", "equations": ["integral(u, domain) = 1", "u = 1 + cos(pi*x)"]}).fixed == {"t": 0.0}
    assert told(heat(mean={"equations": ["integral(u, domain) = 1", "integral(u_n, boundary) = 0"]})) == []
    (message,) = told(heat(mean={"equations": ["integral(u, domain) = 1", "u = 1"]}))
    assert message.startswith(
        "conditions.mean: says neither 'at' nor 'data', and not all of its equations have integrals"
    )


def test_a_steady_one_is_asked_once():
    disk = {
        "coordinates": {"x": [-1, 1], "y": [-1, 1]},
        "shapes": {"plate": {"disk": {"center": [0, 0], "radius": 1}}},
        "domain": "plate",
        "fields": ["u"],
        "equations": "laplacian(u) = 4",
        "conditions": {"mean": {"equations": ["integral(u, plate) = pi/2", "integral(u_n, plate) = 4*pi"]}},
        "exact": {"u": "x^2 + y^2"},
    }
    problem = Problem(**disk)
    assert problem.conditions[0].places[0].dimension == 0
    assert told(disk) == []
    assert list(described_integrals(problem)) == [
        "integral(u, plate): 288 nodes, once",
        "integral(n_x*u_x + n_y*u_y, plate): 40 nodes, once",
    ]


@pytest.mark.parametrize(
    ("equation", "message"),
    [
        ("v_t = integral(v, t, 0, t + 1)", "leaves the domain: at t ="),
        ("v_t = integral(v(t=s - 1), s, 0, t)", "leaves the domain: at t ="),
        ("v_t = integral(v, t)", "reaches into the future: at t ="),
        ("v_t = integral(v, t, t, 5)", "reaches into the future: at t ="),
        ("v_t = integral(v, t, 0, log(t - 1))", "has a bound that is no finite number at t ="),
        ("v_t = integral(v, t, 0, c*t)", "has a bound with c, which is learned: bounds must be known"),
    ],
)
def test_bounds_that_no_training_could_meet_are_refused(equation, message):
    found = told(volterra(equations=equation, exact=None, parameters={"c": {"learn": 0.5}}))
    assert any(one.startswith("equations.equation: ") and message in one for one in found)


def test_a_condition_may_ask_for_all_of_time():
    assert not any("future" in one for one in told(volterra(conditions={"mean": {"equations": "integral(v, t) = 3"}})))


def test_words_that_shapes_do_not_have():
    (message,) = told(heat(mean={"equations": "integral(u, plate) = 1"}))
    assert "there is no coordinate and no shape 'plate'" in message
    (message,) = told(volterra(equations="v_t = integral(v, domain)"))  # no space
    assert "there is no coordinate and no shape 'domain'" in message
    (message,) = told(holed() | {"equations": "u_t = integral(u_n, domain)"})
    assert "'u_n' uses the outward normal" in message
    (message,) = told(volterra(quadrature=1))
    assert message == "quadrature: 1 is no number of nodes: write a whole number from 2 to 200"
    (message,) = told(volterra(equations={"one": {"equation": "v_t = v", "weight": "integral(v, t)"}}))
    assert "a weight holds no integral" in message


def test_the_order_is_checked_before_training():
    (message,) = warned(volterra(quadrature=3))
    assert "by 3 nodes is off by about 0.004 of its size for the exact solution" in message
    assert message.endswith("quadrature: 6")
    (message,) = warned(volterra(exact=None, equations="v_t = integral(cos(200*s)*v(t=s), s, 0, t)"))
    assert "for a smooth function" in message
    assert Quadrature(Problem(**volterra(quadrature=7)), *_integrals(volterra())).count == 7


def _integrals(config):
    return integrals(Problem(**config).equations[0].residual)


def test_values_have_an_estimate_of_their_error():
    problem = Problem(**volterra())
    (one,) = _integrals(volterra())
    closed = one.of(sympy.exp(2 * one.variables[0] - symbol("t")))
    read = {symbol("t"): np.linspace(0.0, 5.0, 6)}
    value, error = precise_value(problem, closed, read)
    truth = (np.exp(read[symbol("t")]) - np.exp(-read[symbol("t")])) / 2
    assert np.all(np.abs(value - truth) <= 4 * error)
    assert np.all(error <= 1e-10)
    assert known_values(problem, 2 * closed, read)[closed] == pytest.approx(truth, rel=1e-12)


def test_a_manufactured_source_has_the_integral_of_the_solution():
    made = manufacture(Problem(**volterra(exact=None)), {"v": "sin(t)"})
    assert check(made).mistakes == []
    assert len(integrals(made.equations[0].residual)) == 2


def test_what_knows_no_integrals_says_so():
    with pytest.raises(UnsupportedProblem, match=r"the equation 'equation' holds an integral, integral\(v\(t=s\)"):
        read_evolution_system(Problem(**volterra()))
    assert scales_of(Problem(**volterra(conditions={"mean": {"equations": "integral(v, t) = 100"}})), False).fields == {
        "v": 1.0
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("integral(u.left, x, -1, 1)", "leaves left: at .* it evaluates u.left at x = 0.1"),
        ("integral(u.left, right)", "leaves left: at .* it evaluates u.left at x = "),
        ("integral(u*u(x=-1), domain)", "leaves right: at .* it evaluates u.right at x = -1"),
        ("integral(u(x=x - 3), domain)", "leaves left: at .* it evaluates u.left at x = "),
        ("integral(u.left, x, -1, 0) + integral(u, right)", ""),
        ("integral(where(x < 0, u.left, u.right), x)", ""),
    ],
)
def test_an_integral_reads_a_function_of_a_part_within_this_part(text, message):
    config = {**ROD, "exact": {}, "equations": f"u_xx = {text}"}
    config["shapes"] = {**ROD["shapes"], "right": "box - left"}
    found = [str(one) for one in check(Problem(**config)).mistakes]
    assert bool(found) == bool(message)
    assert not found or re.search(f"equations.equation: .*{message}.*, where nothing trains", found[0])


def test_a_place_in_the_body_that_the_integral_does_not_move_lies_in_the_domain():
    config = heat(late={"at": "x = 0", "equations": "u = integral(u(t=t + 2), x)"})
    (mistake,) = check(Problem(**{**config, "exact": {}})).mistakes
    assert "leaves the domain" in str(mistake)
    assert "evaluates u at x = 0, t = 2.637" in str(mistake)
