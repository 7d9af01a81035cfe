from __future__ import annotations

import numpy as np
import pytest

from pinnkit.sampling.adaptive import along_curve, select
from pinnkit.sampling.points import unit_points

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
        row = cells[along_curve(points)]
        assert np.count_nonzero(np.diff(row)) == parts**2 - 1


def test_points_in_more_coordinates_than_a_number_has_bits_are_ordered_by_the_first_of_them():
    points = unit_points("uniform", 50, 70, seed=0, stream="pool")
    np.testing.assert_array_equal(along_curve(points), along_curve(points[:, :62]))
    halves = (points[:, :62] > (points.min(axis=0) + points.max(axis=0))[:62] / 2) @ 2 ** np.arange(62)
    np.testing.assert_array_equal(halves[along_curve(points)], np.sort(halves))
    np.testing.assert_array_equal(along_curve(np.zeros((5, 2))), np.arange(5))


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
