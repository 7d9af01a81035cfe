from __future__ import annotations

import numpy as np
import pytest

from pinnkit.domains.box import Box
from pinnkit.sampling.adaptive import morton_order, resample_locally, select, spread
from pinnkit.sampling.redraw_region import Region
from pinnkit.sampling.settings import unit_points

POINTS = unit_points("sobol", 200, 2, seed=0, stream="pool")
RESIDUAL = np.array([0.1, -0.5, 1.0, -2.0, 4.0, 0.0, 0.3, 3.0] * 25)
"""200 candidates, 8 sizes of residual, both signs."""


def density(residual: np.ndarray, power: float, floor: float) -> np.ndarray:
    """RAD's formula as written in arXiv 2207.10289: |r|^k / mean |r|^k + c, normalised."""
    weights = np.abs(residual) ** power
    weights = weights / weights.mean() + floor
    return weights / weights.sum()


def frequency(residual: np.ndarray, power: float, floor: float, count: int, draws: int) -> np.ndarray:
    """How often each candidate is selected, as a share of all selections."""
    hits = np.zeros(len(residual))
    for draw in range(draws):
        hits[select(POINTS, residual, count, power, floor, seed=1, stream="equations", draw=draw)] += 1
    return hits / hits.sum()


@pytest.mark.parametrize(("power", "floor"), [(1.0, 1.0), (2.0, 0.5), (0.5, 0.0), (1.0, 0.0)])
def test_candidates_are_selected_in_proportion_to_the_density(power, floor):
    """One of 200 at a time; 8 groups of 25."""
    draws = 8000
    found = frequency(RESIDUAL, power, floor, 1, draws).reshape(25, 8).sum(axis=0)
    expected = density(RESIDUAL, power, floor).reshape(25, 8).sum(axis=0)
    deviation = np.sqrt(expected * (1 - expected) / draws)
    assert np.all(np.abs(found - expected) <= 4 * deviation + 1e-12)
    if floor == 0.0:
        assert found[5] == 0.0  # the residual is zero there


@pytest.mark.parametrize("count", [4, 40])
def test_several_at_a_time_keep_to_the_density(count):
    draws = 1500
    found = frequency(RESIDUAL, 1.0, 1.0, count, draws).reshape(25, 8).sum(axis=0)
    np.testing.assert_allclose(found, density(RESIDUAL, 1.0, 1.0).reshape(25, 8).sum(axis=0), atol=0.01)


def test_candidates_that_deserve_more_than_one_point_are_all_kept_and_the_others_share_the_rest():
    """1000 on ten of 200: their density is 20 times the mean, and of 60 points each would get 6."""
    residual = np.where(np.arange(200) < 10, 1000.0, 1.0)
    hits = frequency(residual, 1.0, 0.0, 60, 500) * 60
    np.testing.assert_allclose(hits[:10], 1.0)
    np.testing.assert_allclose(hits[10:].reshape(10, 19).mean(axis=1), 50 / 190, rtol=0.1)


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_every_cell_gets_its_points_to_within_one(dimension):
    """The halves, quarters, ... of the domain: the sum of the probabilities there, rounded up or down."""
    points = unit_points("sobol", 4096, dimension, seed=0, stream="pool")
    residual = np.exp(-20 * (points[:, 0] - 0.3) ** 2)
    weights = residual / residual.mean() + 1
    probability = 512 * weights / weights.sum()
    assert probability.max() < 1.0
    chosen = np.zeros(4096)
    chosen[select(points, residual, 512, 1.0, 1.0, 0, "a", 0)] = 1.0
    low, high = points.min(axis=0), points.max(axis=0)
    cells = ((points - low) / (high - low) * (1 - 1e-12) * 4).astype(int) @ 4 ** np.arange(dimension)
    difference = np.bincount(cells, chosen) - np.bincount(cells, probability)
    assert np.abs(difference).max() < 1.0 + 1e-9


def test_means_over_the_selection_scatter_less_than_over_independent_draws():
    """The mean of a smooth function, of which 64 points are kept: a third of the scatter."""
    points = unit_points("sobol", 1024, 2, seed=0, stream="pool")
    function = np.sin(7 * points[:, 0]) * np.cos(5 * points[:, 1])
    chance = np.random.default_rng(0)
    kept = [function[select(points, np.ones(1024), 64, 1.0, 1.0, 0, "a", draw)].mean() for draw in range(200)]
    independent = [function[chance.permutation(1024)[:64]].mean() for _ in range(200)]
    assert np.std(kept) < np.std(independent) / 3


def test_the_curve_ends_a_quarter_before_it_enters_the_next():
    points = unit_points("sobol", 256, 2, seed=0, stream="pool")
    low, high = points.min(axis=0), points.max(axis=0)
    for parts in (2, 4, 8):
        cells = ((points - low) / (high - low) * (1 - 1e-12) * parts).astype(int) @ np.array([1, parts])
        row = cells[morton_order(points)]
        assert np.count_nonzero(np.diff(row)) == parts**2 - 1


def test_points_in_more_coordinates_than_a_number_has_bits_are_ordered_by_the_first_of_them():
    points = unit_points("uniform", 50, 70, seed=0, stream="pool")
    np.testing.assert_array_equal(morton_order(points), morton_order(points[:, :62]))
    halves = (points[:, :62] > (points.min(axis=0) + points.max(axis=0))[:62] / 2) @ 2 ** np.arange(62)
    np.testing.assert_array_equal(halves[morton_order(points)], np.sort(halves))
    np.testing.assert_array_equal(morton_order(np.zeros((5, 2))), np.arange(5))


def test_power_zero_selects_evenly():
    draws = 8000
    found = frequency(RESIDUAL, 0.0, 1.0, 1, draws).reshape(25, 8).sum(axis=0)
    assert np.all(np.abs(found - 1 / 8) <= 4 * np.sqrt(1 / 8 * 7 / 8 / draws))
    np.testing.assert_array_equal(
        select(POINTS, RESIDUAL, 20, 0.0, 1.0, 3, "a", 2), select(POINTS, np.ones(200), 20, 1.0, 1.0, 3, "a", 2)
    )


def test_only_the_ratios_of_residuals_matter():
    """Also where a power of the residual would underflow or overflow."""
    chosen = select(POINTS, RESIDUAL, 20, 4.0, 1.0, 0, "a", 0)
    for scale in (1e-200, 1e150, -1.0):
        np.testing.assert_array_equal(select(POINTS, scale * RESIDUAL, 20, 4.0, 1.0, 0, "a", 0), chosen)


def test_a_residual_that_is_zero_everywhere_selects_evenly():
    np.testing.assert_array_equal(
        select(POINTS, np.zeros(200), 20, 1.0, 0.0, 0, "a", 0), select(POINTS, np.ones(200), 20, 1.0, 0.0, 0, "a", 0)
    )


def test_the_selection_is_a_pure_function_of_scores_and_key():
    def chosen(seed: int = 0, stream: str = "a", draw: int = 0) -> tuple[int, ...]:
        return tuple(select(POINTS, RESIDUAL, 20, 1.0, 1.0, seed, stream, draw))

    assert chosen() == chosen()
    assert len({chosen(), chosen(seed=1), chosen(stream="b"), chosen(draw=1)}) == 4


@pytest.mark.parametrize("count", [1, 50, 199, 200])
def test_indices_are_distinct_and_in_order(count):
    index = select(POINTS, RESIDUAL, count, 1.0, 1.0, 0, "a", 0)
    assert len(index) == count
    assert np.all(np.diff(index) > 0)
    assert index[0] >= 0
    assert index[-1] < 200


def test_too_few_candidates_and_broken_residuals_are_refused():
    with pytest.raises(ValueError, match=r"3 candidates for 4 points: sampling\.pool"):
        select(POINTS[:3], np.ones(3), 4, 1.0, 1.0, 0, "a", 0)
    with pytest.raises(ValueError, match="not finite"):
        select(POINTS[:2], np.array([1.0, np.nan]), 1, 1.0, 1.0, 0, "a", 0)


def zoomed(points, score, *, power=1.0, lower=0.0, upper=1.0, allowed=None, count=None, draw=0):
    """Candidates near `points` (m, d) by score(points) in a box, all allowed by default."""
    ends = zip(*(np.broadcast_to(one, points.shape[1]).tolist() for one in (lower, upper)), strict=True)
    box = Box({f"x{index}": pair for index, pair in enumerate(ends)})
    return resample_locally(
        points,
        score(points),
        count or len(points),
        power,
        Region((box,), allowed and (lambda moved, place: allowed(moved))),
        lambda moved, origin: score(moved),
        0,
        "a",
        draw,
    )


@pytest.mark.parametrize(("power", "share"), [(1.0, 0.5), (0.5, np.arcsinh(1) * 2 / np.arcsinh([300, 700]).sum())])
def test_points_near_a_layer_thinner_than_the_candidates_distance_have_the_right_density(power, share):
    """1 / (1 + z^2), z = (x - 0.3) / 0.001, with candidates 0.004 apart: the share of its power at |z| < 1 is
    2 atan(1) / pi, and 2 asinh(1) / (asinh(300) + asinh(700)) of its root."""

    def layer(points):
        return 1 / (1 + ((points[:, 0] - 0.3) / 0.001) ** 2)

    near, few = [], []
    for draw in range(200):
        points = unit_points("sobol", 256, 1, 0, "pool", draw)
        found = zoomed(points, layer, power=power, draw=draw)
        chosen = found.points[select(found.points, found.weight, 64, 1.0, 0.0, 0, "a", draw), 0]
        near.append(np.mean(np.abs(chosen - 0.3) < 0.001))
        few.append(
            np.mean(np.abs(points[select(points, layer(points), 64, power, 0.0, 0, "a", draw), 0] - 0.3) < 0.001)
        )
    assert np.mean(near) == pytest.approx(share, rel=0.1)
    assert np.mean(few) < share / 3  # of the candidates themselves there is hardly one


def test_candidates_stay_in_their_boxes_where_they_may_be_and_remember_where_they_come_from():
    """On the face y = 1 of [0, 2] x [0, 1], without the strip 0.5 < x < 0.6, towards the corner x = 0."""
    points = np.column_stack([np.linspace(0.01, 1.99, 100), np.ones(100)])
    points = points[(points[:, 0] <= 0.5) | (points[:, 0] >= 0.6)]
    found = zoomed(
        points,
        lambda moved: 1 / (0.01 + np.minimum(moved[:, 0], np.abs(moved[:, 0] - 0.55))),
        lower=[0.0, 1.0],
        upper=[2.0, 1.0],
        allowed=lambda moved: (moved[:, 0] <= 0.5) | (moved[:, 0] >= 0.6),
        count=500,
    )
    assert found.points.shape == (500, 2)
    x = found.points[:, 0]
    assert 0 <= x.min() < 0.001
    assert not np.any((x > 0.5) & (x < 0.6))
    assert np.any(np.abs(x - 0.55) < 0.055)
    np.testing.assert_array_equal(found.points[:, 1], 1.0)
    cell = 2 / len(points)
    assert np.abs(x - points[found.origin, 0]).max() < cell * (1 + 1 / 2 + 1 / 4 + 1 / 8) / 2
    assert len(np.unique(x)) > 300


def test_candidates_are_a_pure_function_of_scores_and_key_and_a_zero_residual_leaves_them():
    points = unit_points("sobol", 64, 2, 0, "pool")
    first, again, other = (zoomed(points, lambda moved: moved[:, 0], draw=draw) for draw in (0, 0, 1))
    np.testing.assert_array_equal(first.points, again.points)
    assert not np.array_equal(first.points, other.points)
    still = zoomed(points, lambda moved: np.zeros(len(moved)))
    np.testing.assert_array_equal(still.points, points)
    np.testing.assert_array_equal(still.weight, np.ones(64))


def test_an_even_share_is_spread_and_may_be_none():
    assert len(spread(POINTS, 0, 0, "a", 0)) == 0
    chosen = POINTS[spread(POINTS, 50, 0, "a", 0)]
    assert np.abs(np.mean(chosen < 0.5, axis=0) - 0.5).max() < 0.07
