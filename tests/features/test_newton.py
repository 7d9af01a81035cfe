"""Newton's method on features: its order, several processes, and repetition."""

import logging
import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

import pinnkit
from pinnkit.features import newton as tested
from pinnkit.features.continuation import continued
from pinnkit.features.newton import newton
from pinnkit.features.solver import Choice
from tests.features.shares import on_ranks
from tests.features.solvers import LOGISTIC, PENDULUM, error, logistic, solve, solver

BRATU = {
    "coordinates": {"x": [0, 1], "y": [0, 1]},
    "fields": ["u"],
    "equations": "div(grad(u)) + exp(u) = 1 + x*y",
    "conditions": {"sides": {"at": "boundary", "equations": "u = x*y"}},
}
"""A nonlinear problem without time."""
STEADY = {
    "coordinates": {"x": [0, 1]},
    "fields": ["u"],
    "equations": "u_xx = u^3 - x^3",
    "conditions": {"ends": {"at": "boundary", "equations": "u = x"}},
}
"""u = x."""


def started(words, choice, ranks=None):
    found = solver(words, ranks=ranks)
    found.add(choice)
    unknown = found.attached.expansions
    return found, unknown, found.system(sum(one.size for one in unknown), 0)


def test_newton_converges_quadratically(monkeypatch):
    monkeypatch.setattr(tested, "CHORDS", 0)
    found, unknown, system = started(STEADY, Choice("tanh", (2.0,), 20))
    errors = []
    points = np.linspace(0, 1, 11)[:, None]
    with torch.no_grad():
        unknown[0].module.coefficients += 0.5 * torch.sin(torch.arange(20.0, dtype=torch.float64))[:, None]
        for _ in range(6):
            newton(system, unknown, 1, linear=False)
            errors.append(error(found, lambda p: p[:, 0], points))
    errors = [one for one in errors if 1e-11 < one < 0.3]
    assert len(errors) >= 2
    for one, other in pairwise(errors):
        assert other < 5 * one**2 + 1e-11


def test_steps_with_the_same_factor_lower_the_residual(monkeypatch):
    left = []
    for chords in (0, 8):
        monkeypatch.setattr(tested, "CHORDS", chords)
        _, unknown, system = started(BRATU, Choice("tanh", (2.0, 2.0), 60))
        with torch.no_grad():
            left.append(newton(system, unknown, 1, linear=False))
    assert left[1] < 0.5 * left[0]


@pytest.mark.parametrize("numbers", [0, math.inf], ids=["four parts", "one part"])
@pytest.mark.parametrize("words", [LOGISTIC, BRATU], ids=["logistic", "bratu"])
def test_ranks_take_the_steps_of_one_to_the_bit(words, numbers, monkeypatch):
    monkeypatch.setattr("pinnkit.features.parts.LARGE", numbers)
    choice = Choice("tanh", (2.0,) * len(words["coordinates"]), 25)
    answers = []
    for count in (1, 2, 3, 4):
        built = [started(words, choice) for _ in range(count)]

        def call(ranks, built=built):
            _, unknown, system = built[ranks.rank]
            residual = newton(replace(system, ranks=ranks), unknown, 4, linear=False)
            return residual, unknown[0].module.coefficients.detach().clone()

        answers += on_ranks(count, call)
    (residual, coefficients), *others = answers
    assert bool(coefficients.any())
    assert all(one == residual and torch.equal(values, coefficients) for one, values in others)


def test_the_solver_repeats_itself_to_the_bit():
    first, second = (solve(PENDULUM, windows=3, kind="tanh", range=2.0, count=20) for _ in range(2))
    states = [{name: one.clone() for name, one in found.network.state_dict().items()} for found in (first, second)]
    assert states[0].keys() == states[1].keys()
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert [one.residual for one in first.found] == [one.residual for one in second.found]


def test_a_number_is_learned_with_the_coefficients():
    times = np.linspace(0, 4, 21)
    words = LOGISTIC | {"parameters": {"k": {"learn": 0.5, "positive": True}}, "equations": "u_t = k*u*(1 - u)"}
    data = {"t": times, "value": (1 / (1 + 9 * np.exp(-times)))}
    words["conditions"] = words["conditions"] | {"measured": {"data": data, "equations": "u = value"}}
    found = solve(words, kind="tanh", range=4.0, count=40)
    assert found.numbers()["k"] == pytest.approx(1.0, abs=1e-8)
    assert error(found, logistic, times[:, None]) < 1e-8


def test_a_residual_that_mixes_points_is_refused():
    words = LOGISTIC | {"equations": {"mean": lambda p: p.u_t - p.u.mean()}}
    text = "method: features cannot solve for 'mean', whose value at a point depends on the other points"
    with pytest.raises(pinnkit.ProblemError, match=text):
        solve(words)


def test_a_function_of_another_field_is_refused():
    words = LOGISTIC | {"fields": {"u": ["t"], "k": ["u"]}, "equations": "u_t = k*u"}
    with pytest.raises(pinnkit.ProblemError, match=r"method: .*make k a function of u"):
        solver(words)


LAYER = {
    "coordinates": {"x": [0, 1]},
    "fields": ["u"],
    "equations": "u_xx = 2*u_x*u^3",
    "conditions": {"left": {"at": "x = 0", "equations": "u = 3"}, "right": {"at": "x = 1", "equations": "u = -2"}},
}
"""A layer, where Newton's method fails from zero."""


def test_continuation_comes_where_newton_does_not():
    _, unknown, system = started(LAYER, Choice("tanh", (6.0,), 60))
    with torch.no_grad():
        plain = newton(system, unknown, 40, linear=False)
        unknown[0].module.coefficients.zero_()
        assert continued(system, unknown)
        assert system.norm() < 0.02 * plain


def test_the_solver_goes_on_by_continuation(caplog):
    with caplog.at_level(logging.INFO):
        found = solve(LAYER, kind="tanh", range=6.0, count=100)
    assert "by continuation the residual is" in caplog.text
    assert found.found[-1].residual < 1e-2 * found.size
