from __future__ import annotations

import numpy as np
import pytest

from pinnkit.sampling.adaptive import select

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
        hits[select(residual, count, power, floor, seed=1, stream="equations", draw=draw)] += 1
    return hits / hits.sum()


@pytest.mark.parametrize(("power", "floor"), [(1.0, 1.0), (2.0, 0.5), (0.5, 0.0), (1.0, 0.0)])
def test_candidates_are_selected_in_proportion_to_the_density(power, floor):
    """One of 200 at a time, where selection without replacement is exactly proportional; 8 groups of 25."""
    draws = 8000
    found = frequency(RESIDUAL, power, floor, 1, draws).reshape(25, 8).sum(axis=0)
    expected = density(RESIDUAL, power, floor).reshape(25, 8).sum(axis=0)
    deviation = np.sqrt(expected * (1 - expected) / draws)
    assert np.all(np.abs(found - expected) <= 4 * deviation + 1e-12)
    if floor == 0.0:
        assert found[5] == 0.0  # the residual is zero there


def test_several_at_a_time_stay_close_to_the_density():
    draws, count = 1500, 4
    found = frequency(RESIDUAL, 1.0, 1.0, count, draws).reshape(25, 8).sum(axis=0)
    expected = density(RESIDUAL, 1.0, 1.0).reshape(25, 8).sum(axis=0)
    assert np.max(np.abs(found - expected)) < 0.02
    assert np.corrcoef(found, expected)[0, 1] > 0.995


def test_power_zero_selects_evenly():
    draws = 8000
    found = frequency(RESIDUAL, 0.0, 1.0, 1, draws).reshape(25, 8).sum(axis=0)
    assert np.all(np.abs(found - 1 / 8) <= 4 * np.sqrt(1 / 8 * 7 / 8 / draws))
    np.testing.assert_array_equal(
        select(RESIDUAL, 20, 0.0, 1.0, 3, "a", 2), select(np.ones(200), 20, 1.0, 1.0, 3, "a", 2)
    )


def test_only_the_ratios_of_residuals_matter():
    """Also where a power of the residual would underflow or overflow."""
    chosen = select(RESIDUAL, 20, 4.0, 1.0, 0, "a", 0)
    for scale in (1e-200, 1e150, -1.0):
        np.testing.assert_array_equal(select(scale * RESIDUAL, 20, 4.0, 1.0, 0, "a", 0), chosen)


def test_a_residual_that_is_zero_everywhere_selects_evenly():
    np.testing.assert_array_equal(
        select(np.zeros(200), 20, 1.0, 0.0, 0, "a", 0), select(np.ones(200), 20, 1.0, 0.0, 0, "a", 0)
    )


def test_the_selection_is_a_pure_function_of_scores_and_key():
    def chosen(seed: int = 0, stream: str = "a", draw: int = 0) -> tuple[int, ...]:
        return tuple(select(RESIDUAL, 20, 1.0, 1.0, seed, stream, draw))

    assert chosen() == chosen()
    assert len({chosen(), chosen(seed=1), chosen(stream="b"), chosen(draw=1)}) == 4


@pytest.mark.parametrize("count", [1, 50, 199, 200])
def test_indices_are_distinct_and_in_order(count):
    index = select(RESIDUAL, count, 1.0, 1.0, 0, "a", 0)
    assert len(index) == count
    assert np.all(np.diff(index) > 0)
    assert index[0] >= 0
    assert index[-1] < 200


def test_too_few_candidates_and_broken_residuals_are_refused():
    with pytest.raises(ValueError, match=r"3 candidates for 4 points: sampling\.pool"):
        select(np.ones(3), 4, 1.0, 1.0, 0, "a", 0)
    with pytest.raises(ValueError, match="not finite"):
        select(np.array([1.0, np.nan]), 1, 1.0, 1.0, 0, "a", 0)
