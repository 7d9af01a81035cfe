"""Slabs of time: where features begin, what they agree with, and which problems have them."""

import logging
import math

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

from pinnkit.features.error import estimate
from pinnkit.features.slab import Slab, initial_value_problem, time_orders
from pinnkit.features.start import start_of
from pinnkit.features.tangent import extended, tangent
from pinnkit.problem.problem import Problem
from tests.features.solvers import LOGISTIC, PENDULUM, error, logistic, solve, solver

TIMES = np.linspace(0, 4, 201)[:, None]


@pytest.fixture(scope="module")
def slabs():
    return solve(LOGISTIC, windows=4, kind="tanh", range=2.0, count=30)


def test_slabs_are_as_good_as_one_window(slabs):
    one = solve(LOGISTIC, windows=1, kind="tanh", range=4.0, count=60)
    assert error(slabs, logistic, TIMES) < 1e-10
    assert error(one, logistic, TIMES) < 1e-10


def test_features_are_zero_outside_their_slab_and_the_ends_are_open(slabs):
    assert [one.features.interval for one in slabs.network.expansions] == [
        (0, -math.inf, 1.0),
        (0, 1.0, 2.0),
        (0, 2.0, 3.0),
        (0, 3.0, math.inf),
    ]
    points = torch.tensor([[0.0], [1.0], [2.999], [4.0]], dtype=torch.float64)
    inside = torch.stack([one.inside(points) for one in slabs.network.expansions])
    assert inside.int().tolist() == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    assert [level.text.split(":")[0] for level in slabs.found] == [f"slab {n}, t to {n}" for n in (1, 2, 3, 4)]
    assert slabs.reason.startswith("4 slabs of time are solved, with residuals up to ")
    assert slabs.found[-1].unknowns == 4 * 30


def test_a_slab_continues_values_and_slopes():
    found = solve(PENDULUM, windows=3, kind="tanh", range=2.0, count=30)
    assert time_orders(found.problem) == [2]
    for edge in (2.0, 4.0):
        (before, slope), (behind, other) = (with_slope(found, edge + side * 1e-9) for side in (-1, 1))
        assert abs(before - behind) < 1e-8
        assert abs(slope - other) < 1e-8
    end, slope = with_slope(found, 6.0)
    assert slope**2 / 2 - math.cos(end) == pytest.approx(-math.cos(1.0), abs=1e-9)


def with_slope(found, time):
    """The first field and its derivative at a time."""
    at = torch.tensor([[time]], dtype=torch.float64, requires_grad=True)
    value = found.network(at)
    return float(value.detach()), float(torch.autograd.grad(value, at)[0])


@pytest.fixture(scope="module")
def van_der_pol():
    words = {
        "coordinates": {"t": [0, 5]},
        "fields": ["u"],
        "equations": "u_tt - 3*(1 - u^2)*u_t + u = 0",
        "conditions": {"start": {"at": "t = 0", "equations": ["u = 2", "u_t = 0"]}},
    }
    return solve(words)


def of_van_der_pol(found):
    """Its solution and the relative error of what was found."""
    times = np.linspace(0, 5, 251)
    start, limits = [2, 0], {"rtol": 3e-14, "atol": 1e-15}
    exact = solve_ivp(lambda t, y: [y[1], 3 * (1 - y[0] ** 2) * y[1] - y[0]], (0, 5), start, "DOP853", times, **limits)
    with torch.no_grad():
        values = found.network(torch.as_tensor(times[:, None])).numpy()[:, 0]
    return np.linalg.norm(values - exact.y[0]) / np.linalg.norm(exact.y[0])


def test_width_and_features_are_found_by_the_run(van_der_pol):
    intervals = [slab.interval for slab, _, _ in van_der_pol.slabs]
    assert intervals == [one.features.interval for one in van_der_pol.network.expansions]
    assert len(intervals) > 1
    assert len({choice.ranges for _, choice, _ in van_der_pol.slabs}) > 1
    assert of_van_der_pol(van_der_pol) < 1e-9


@pytest.mark.parametrize("count", [8, 10])
def test_the_error_of_slabs_is_known(count):
    found = solve(LOGISTIC, windows=4, kind="tanh", range=2.0, count=count)
    before = [(one, one.coefficients.clone()) for one in found.network.expansions]
    estimated = estimate(found, found.choice, own=True)
    points = torch.as_tensor(TIMES)
    with torch.no_grad():
        true = (found.network(points)[:, 0] - logistic(points)).norm() / logistic(points).norm()
    assert 1e-9 < float(true) < 1e-3
    assert 0.5 < estimated.fields["u"] / float(true) < 2.0
    for (former, coefficients), one in zip(before, found.network.expansions, strict=True):
        assert one is former
        assert torch.equal(one.coefficients, coefficients)


def test_one_window_is_kept_where_it_leaves_less(caplog, monkeypatch):
    monkeypatch.setattr("pinnkit.features.solver.STUCK", 0.0)
    monkeypatch.setattr("pinnkit.features.windows.TOLERANCE", {1: 1e-6})
    with caplog.at_level(logging.INFO):
        found = solve(LOGISTIC, kind="tanh", range=2.0, count=40)
    assert "one window leaves less than slabs of time do" in caplog.text
    assert found.slabs == []
    assert [one.features.interval for one in found.network.expansions] == [None]
    assert error(found, logistic, TIMES) < 1e-6


def test_a_slab_begins_with_the_better_guess():
    found = solve(LOGISTIC, seconds=0.0, windows=4, kind="tanh", range=2.0, count=30)
    slab, previous = Slab(0, 1.0, 1.5, False, False), found.attached.expansions
    tangents, going_on = tangent(found.network, slab, previous), extended(found.network, slab, previous)
    part = found.part(
        slab, start_of(found.problem, slab, found.network, previous, 30.0, found.like, 0), [tangents, going_on]
    )
    part.measure()
    assert part.guess is going_on
    assert part.attached.expansions == []
    with torch.no_grad():
        for module, _ in going_on:
            module.coefficients.mul_(2.0)
    part.measure()
    assert part.guess is tangents


def test_time_that_is_over_is_said():
    found = solve(LOGISTIC, seconds=0.0, windows=4, kind="tanh", range=2.0, count=10)
    assert found.reason == "the time left ended at t = 1"
    assert len(found.network.expansions) == 1
    estimated = estimate(found, found.choice, own=True)
    assert estimated.fields == {"u": None}
    assert estimated.reasons == {"u": "only t up to 1 is solved"}


def test_only_points_of_a_slab_are_drawn():
    words = LOGISTIC | {"coordinates": {"x": [0, 1], "t": [0, 4]}, "equations": "u_t = u_xx"}
    words["conditions"] = words["conditions"] | {"sides": {"at": "boundary", "equations": "u = 0"}}
    found = solver(words, windows=2)
    found.slab = Slab(1, 1.0, 2.0, False, False)
    batches = found.system(200, 0).batches
    assert set(batches) == {"equations", "sides"}
    for one in batches.values():
        assert bool(((one.coordinates[:, 1] >= 1.0) & (one.coordinates[:, 1] < 2.0)).all())
        assert len(one) >= 80


def test_a_field_without_derivatives_by_time_starts_anew():
    words = {
        "coordinates": {"x": [0, 1], "t": [0, 1]},
        "fields": ["u", "p"],
        "equations": ["u_t = p_x", "p_xx = u"],
        "conditions": {"start": {"at": "t = 0", "equations": "u = x"}},
    }
    found = solve(words, windows=2, kind="tanh", range=2.0, count=20, seconds=0.0)
    slab = Slab(1, 0.5, 1.0, False, True)
    start = start_of(found.problem, slab, found.network, found.attached.expansions, 30.0, found.like, 0)
    assert [(one.field, one.order) for one in start.matches] == [(0, 0)]
    assert bool((start.points[:, 1] == 0.5).all())
    assert float(start.rows(found.attached.expansions, jacobian=False)[1].norm()) > 0


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({}, ""),
        ({"equations": "u_t = u*u(t=0)"}, ""),
        ({"equations": "u_t = -u + 0.1*u(t=t - 1)"}, ""),
        ({"equations": "u_t = integral(u, t, 0, t)"}, ""),
        ({"equations": "u_t = u*u(t=4)"}, "reads another time, 4"),
        ({"equations": "u_t = u + integral(u, t, 0, 4)"}, "reads another time, 4"),
        ({"conditions": {"end": {"at": "t = 4", "equations": "u = 1"}}}, "the condition 'end' holds at a later time"),
        ({"parameters": {"k": {"learn": 1}}, "equations": "u_t = k*u"}, "learned numbers belong to all times"),
        ({"periodic": ["t"], "conditions": {}}, "it is periodic in time"),
        ({"equations": {"python": lambda p: p.u_t - p.u}}, "is not known"),
        ({"equations": "u^2 = 1"}, "no equation has a derivative by time"),
        ({"coordinates": {"x": [0, 4]}, "equations": "u_x = u", "conditions": {}}, "it has no time"),
    ],
)
def test_which_problems_have_slabs(change, why):
    found = initial_value_problem(Problem(**(LOGISTIC | change)))
    assert (found == "") == (why == "")
    assert why in found
