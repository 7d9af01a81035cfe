from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pinnkit.problem.problem import Problem
from pinnkit.sampling.point_set import PointSet
from pinnkit.sampling.points import (
    EQUATIONS,
    batch_index,
    condition_points,
    equation_points,
    generator,
)
from pinnkit.sampling.sequences.sobol import Sobol as Sampling
from pinnkit.sampling.settings import SAMPLERS, draw_interval, unit_points

RANDOM = ("sobol", "uniform", "latin_hypercube")


def problem(**conditions) -> Problem:
    return Problem(
        coordinates={"x": [-1, 2], "y": [0, 1], "t": [0, 4]},
        fields=["u"],
        parameters={"edge": 0.5},
        equations="u_t = laplacian(u)",
        conditions={"start": {"at": "t = 0", "equations": "u = 0"}, **conditions},
    )


def points_of(settings: Sampling, seed: int = 0, draw: int = 0, **condition) -> PointSet:
    posed = problem(tested={"equations": "u = 0", **condition})
    return condition_points(posed, posed.conditions[1], settings, seed, draw)


# The key


@pytest.mark.parametrize("method", SAMPLERS)
@pytest.mark.parametrize("count", [1, 7, 64, 100])
def test_points_are_a_pure_function_of_their_key(method, count):
    first = unit_points(method, count, 2, seed=3, stream="a", draw=5)
    np.random.seed(0)  # no hidden state has a say
    np.testing.assert_array_equal(first, unit_points(method, count, 2, seed=3, stream="a", draw=5))
    assert first.shape == (count, 2)
    assert np.all((first >= 0) & (first <= 1))


@pytest.mark.parametrize("method", RANDOM)
def test_seed_stream_and_draw_all_change_the_points(method):
    key = {"seed": 3, "stream": "a", "draw": 5}
    sets = [
        unit_points(method, 32, 2, **{**key, **change}) for change in ({}, {"seed": 4}, {"stream": "b"}, {"draw": 6})
    ]
    for index, one in enumerate(sets):
        for other in sets[index + 1 :]:
            assert np.min(np.abs(one - other).max(axis=1)) > 0  # no point is shared


def test_neighbouring_keys_are_not_correlated():
    columns = [generator(seed, "a", draw).random(4000) for seed in (0, 1) for draw in (0, 1)]
    correlation = np.corrcoef(columns) - np.eye(4)
    assert np.max(np.abs(correlation)) < 4 / np.sqrt(4000)


@pytest.mark.parametrize(("short", "long"), [(5, 8), (64, 1000), (100, 128), (1, 2)])
def test_the_first_sobol_points_of_a_longer_set_are_the_shorter_set(short, long):
    np.testing.assert_array_equal(unit_points("sobol", long, 3, 0, "a")[:short], unit_points("sobol", short, 3, 0, "a"))


def test_an_unknown_method_is_refused():
    with pytest.raises(KeyError, match=f"unknown sampler 'nothing': one of {', '.join(SAMPLERS)} is needed"):
        unit_points("nothing", 4, 2, 0, "a")


# The methods


def rate(method: str) -> float:
    """The power p in error ~ n^-p, of the mean of sin(pi x) y^2 e^z over the unit cube."""
    exact = 2 / np.pi / 3 * (np.e - 1)
    counts = 2 ** np.arange(5, 14)
    errors = []
    for count in counts:
        squares = []
        for draw in range(12):
            x, y, z = unit_points(method, int(count), 3, 0, "a", draw).T
            squares.append((np.mean(np.sin(np.pi * x) * y**2 * np.exp(z)) - exact) ** 2)
        errors.append(np.sqrt(np.mean(squares)))
    return -np.polyfit(np.log(counts), np.log(errors), 1)[0]


def test_sobol_points_integrate_at_a_better_rate_than_independent_ones():
    """n^-1/2 for independent points; near n^-3/2 for a scrambled net on a smooth function (Owen 1997)."""
    assert rate("uniform") == pytest.approx(0.5, abs=0.1)
    assert rate("sobol") > 1.2


def test_a_latin_hypercube_has_one_point_in_each_slice_of_each_axis():
    points = unit_points("latin_hypercube", 50, 3, 0, "a")
    for column in points.T:
        np.testing.assert_array_equal(np.sort(np.floor(column * 50)), np.arange(50))


def test_a_grid_is_the_midpoints_of_equal_cells():
    axis = (np.arange(4) + 0.5) / 4
    expected = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    np.testing.assert_allclose(unit_points("grid", 64, 3, 0, "a"), expected, rtol=0, atol=1e-15)
    np.testing.assert_allclose(unit_points("grid", 5, 1, 0, "a")[:, 0], [0.1, 0.3, 0.5, 0.7, 0.9])


def test_a_thinned_grid_has_distinct_points_all_over():
    points = unit_points("grid", 200, 2, 0, "a")  # of 15 * 15 cells
    assert len(np.unique(points, axis=0)) == 200
    for column in points.T:
        assert np.ptp(column) == pytest.approx(14 / 15)
        assert np.mean(column) == pytest.approx(0.5, abs=0.02)


# Points of the equations


@pytest.mark.parametrize("method", SAMPLERS)
def test_equation_points_fill_the_domain(method):
    posed = problem()
    points = equation_points(posed, SAMPLERS[method](equations=600), seed=0, draw=0)
    assert points.coordinates.shape == (600, 3)
    assert len(points) == 600
    assert posed.domain.contains(points.coordinates).all()
    np.testing.assert_allclose(points.coordinates.mean(axis=0), [0.5, 0.5, 2.0], atol=0.2)
    np.testing.assert_allclose(np.ptp(points.coordinates, axis=0), [3.0, 1.0, 4.0], rtol=0.15)


def test_equation_points_follow_seed_draw_and_count():
    posed, settings = problem(), Sampling(equations=32)
    points = equation_points(posed, settings, 0, 0).coordinates
    expected = posed.domain.sample(unit_points("sobol", 32, 3, 0, EQUATIONS, 0))
    np.testing.assert_array_equal(points, expected)
    assert len(equation_points(posed, settings, 0, 0, count=256)) == 256
    assert not np.any(equation_points(posed, settings, 0, 1).coordinates == points)
    assert not np.any(equation_points(posed, settings, 1, 0).coordinates == points)


def test_default_counts_grow_with_the_dimension():
    assert [Sampling().count(dimension) for dimension in (1, 2, 3, 4, 9)] == [512, 2048, 4096, 4096, 4096]
    assert [Sampling().count_by_residual(dimension, 1) for dimension in (1, 2, 9)] == [1024, 4096, 8192]
    assert [Sampling().count_by_residual(2, draw) for draw in (39, 40, 79, 80, 999)] == [4096, 8192, 8192, 16384, 16384]
    assert Sampling(equations=70).count_by_residual(2, 99) == 70
    assert (Sampling().of_condition, Sampling(conditions=7).of_condition) == (400, 7)
    assert Sampling(equations=7).count(4) == 7
    assert len(equation_points(problem(), Sampling(), 0, 0)) == 4096


def test_draws_by_residual_go_on_for_a_twentieth_of_what_came_before_them():
    first, firsts = 0, []
    for draw in range(500):
        start, following = draw_interval(draw)
        assert start <= draw < following
        if draw == following - 1:
            assert start == first  # without a gap
            firsts.append(start)
            first = following
    lengths = np.diff(firsts)
    assert np.all(lengths[:40] == 1)
    np.testing.assert_array_equal(lengths[40:], np.array(firsts[40:-1]) // 20)


@pytest.mark.parametrize(
    ("given", "counts"),
    [({}, (350, 350)), ({"batch": 500}, (500, 400)), ({"equations": 60}, (60, 60)), ({"conditions": 9}, (350, 9))],
)
def test_steps_with_points_of_their_own_have_few_and_as_many_of_a_condition(given, counts):
    few = Sampling(**given).fresh_points()
    assert (few.equations, few.conditions) == counts


# Points of conditions


@pytest.mark.parametrize("method", SAMPLERS)
def test_boundary_points_lie_on_the_faces_in_proportion_to_their_measure_with_their_normals(method):
    points = points_of(SAMPLERS[method](conditions=400), at="boundary")
    x, y, t = points.coordinates.T
    assert np.all((t >= 0) & (t <= 4))
    faces = {(-1.0, None): 1 * 4, (2.0, None): 1 * 4, (None, 0.0): 3 * 4, (None, 1.0): 3 * 4}
    found = 0
    for (at_x, at_y), measure in faces.items():
        on = x == at_x if at_x is not None else y == at_y
        assert np.count_nonzero(on) == 400 * measure / sum(faces.values())
        found += np.count_nonzero(on)
        normal = np.array([{-1.0: -1, 2.0: 1}.get(at_x, 0), {0.0: -1, 1.0: 1}.get(at_y, 0), 0])
        np.testing.assert_array_equal(points.normals[on], np.tile(normal, (on.sum(), 1)))
    assert found == len(points) == 400


def test_each_face_has_its_own_points():
    points = points_of(Sampling(conditions=100), at=["x = -1", "x = 2"]).coordinates
    assert not np.any(points[:50, 1:] == points[50:, 1:])


def test_a_single_point_is_taken_once():
    points = points_of(Sampling(conditions=100), at={"x": 0, "y": 0.5, "t": 1})
    np.testing.assert_array_equal(points.coordinates, [[0.0, 0.5, 1.0]])
    mixed = points_of(Sampling(conditions=100), at=[{"x": 0, "y": 0.5, "t": 1}, "x = 2"])
    assert len(mixed) == 101


def test_normals_are_left_out_where_a_place_has_none():
    assert points_of(Sampling(conditions=10), at=["x = 2", "t = 0"]).normals is None


@pytest.mark.parametrize("method", SAMPLERS)
@pytest.mark.parametrize(("where", "lower", "upper"), [("x > edge and x < 1.4", 0.5, 1.4), ("x < 1.7", -1.0, 1.7)])
def test_where_is_respected_and_the_part_is_filled(method, where, lower, upper):
    points = points_of(SAMPLERS[method](conditions=150), at="t = 0", where=where).coordinates
    assert len(points) == 150
    assert np.all((points[:, 0] > lower) & (points[:, 0] < upper))
    assert np.all(points[:, 2] == 0)
    for column, (low, high) in ((0, (lower, upper)), (1, (0.0, 1.0))):
        share = (points[:, column] - low) / (high - low)
        assert np.mean(share) == pytest.approx(0.5, abs=0.12)
        assert share.min() < 0.15
        assert share.max() > 0.85


def test_where_keeps_the_points_of_the_sequence_that_satisfy_it():
    posed = problem(tested={"at": "t = 0", "where": "x > 0.5", "equations": "u = 0"})
    points = condition_points(posed, posed.conditions[1], Sampling(conditions=40), 0, 0).coordinates
    every = posed.conditions[1].places[0].sample(unit_points("sobol", 1024, 2, 0, "conditions.tested.0"))
    np.testing.assert_array_equal(points, every[every[:, 0] > 0.5][:40])


def test_where_leaves_out_the_faces_on_which_it_never_holds():
    points = points_of(Sampling(conditions=200), at="boundary", where="x > 0.5").coordinates
    assert np.all(points[:, 0] > 0.5)
    assert np.any(points[:, 0] == 2.0)
    assert np.any(points[:, 1] == 0.0)


def test_data_are_taken_row_by_row():
    data = {"x": [0.0, 1.0], "y": [0.5, 0.25], "t": [4.0, 0.0], "u": [7.0, 8.0], "flux": [1.0, 2.0]}
    points = points_of(Sampling(conditions=10), data=data)
    np.testing.assert_array_equal(points.coordinates, [[0.0, 0.5, 4.0], [1.0, 0.25, 0.0]])
    assert points.columns.keys() == {"u_data", "flux"}
    np.testing.assert_array_equal(points.columns["u_data"], [[7.0], [8.0]])
    np.testing.assert_array_equal(points.columns["flux"], [[1.0], [2.0]])


@pytest.mark.parametrize("change", [{"seed": 1}, {"draw": 1}])
def test_condition_points_follow_seed_and_draw(change):
    settings = Sampling(conditions=16)
    first = points_of(settings, at="t = 0").coordinates
    np.testing.assert_array_equal(first, points_of(replace(settings), at="t = 0").coordinates)
    assert not np.any(first[:, :2] == points_of(settings, at="t = 0", **change).coordinates[:, :2])


# Mini-batches


@pytest.mark.parametrize(("size", "batch"), [(12, 4), (10, 10), (7, 1), (5, 9)])
def test_a_round_of_batches_covers_every_point_once(size, batch):
    rounds = max(1, size // batch)
    for first in (0, rounds, 7 * rounds):
        index = np.concatenate([batch_index(size, batch, 0, "a", first + step) for step in range(rounds)])
        np.testing.assert_array_equal(np.sort(index), np.arange(size))


def test_points_that_no_full_batch_holds_come_in_other_rounds():
    rounds = [np.concatenate([batch_index(10, 4, 0, "a", 2 * turn + step) for step in (0, 1)]) for turn in range(12)]
    assert all(len(np.unique(index)) == 8 for index in rounds)
    assert set(np.concatenate(rounds)) == set(range(10))


def test_batches_are_pure_and_each_round_has_its_own_order():
    np.testing.assert_array_equal(batch_index(100, 10, 0, "a", 13), batch_index(100, 10, 0, "a", 13))
    orders = [
        tuple(np.concatenate([batch_index(100, 10, seed, stream, turn * 10 + step) for step in range(10)]))
        for seed, stream, turn in ((0, "a", 0), (0, "a", 1), (1, "a", 0), (0, "b", 0))
    ]
    assert len(set(orders)) == 4
