from __future__ import annotations

import math

import numpy as np
import pytest

from pinnkit.reporting.error_norms import max_error, relative_l2, rms


def test_relative_l2_is_the_ratio_of_norms():
    reference = np.array([[1.0, 2.0], [2.0, 4.0]])
    prediction = reference + np.array([[0.3, 0.0], [0.0, 0.4]])
    assert relative_l2(prediction, reference) == pytest.approx(0.5 / 5.0, rel=1e-15)


def test_relative_l2_is_not_changed_by_the_scale():
    generator = np.random.default_rng(0)
    reference, noise = generator.standard_normal((2, 50))
    expected = relative_l2(reference + 1e-3 * noise, reference)
    for scale in (1e-200, 1e200):  # whose squares underflow and overflow
        assert relative_l2(scale * (reference + 1e-3 * noise), scale * reference) == pytest.approx(expected)


def test_relative_l2_of_a_zero_reference_is_the_rms():
    assert relative_l2(np.array([3.0, -4.0]), np.zeros(2)) == pytest.approx(math.sqrt(12.5))
    assert relative_l2(np.zeros(2), np.zeros(2)) == 0.0


def test_float32_is_compared_in_float64():
    reference = np.array([1.0, 1.0])
    assert relative_l2(np.array([1.0, 0.1], np.float32), np.array([1.0, 0.1])) > 1e-10
    assert relative_l2(reference.astype(np.float32), reference) == 0.0


def test_max_error_and_rms():
    assert max_error([1.0, -5.0], [1.5, -2.0]) == 3.0
    assert rms([1.0, -7.0]) == 5.0
    assert rms(np.zeros(3)) == 0.0
    assert rms([3e200, 4e200]) == pytest.approx(math.sqrt(12.5) * 1e200)


@pytest.mark.parametrize("figure", [relative_l2, max_error])
def test_nan_is_never_skipped(figure):
    assert math.isnan(figure([1.0, math.nan], [1.0, 2.0]))
    assert math.isnan(figure([1.0, 2.0], [1.0, math.nan]))
    assert math.isnan(figure([math.inf, 2.0], [math.inf, 2.0]))
    assert math.isnan(rms([1.0, math.nan]))


def test_an_infinite_prediction_is_an_infinite_error():
    assert relative_l2([math.inf, 1.0], [1.0, 1.0]) == math.inf
    assert max_error([math.inf, 1.0], [1.0, 1.0]) == math.inf


@pytest.mark.parametrize("figure", [relative_l2, max_error])
def test_shapes_are_not_broadcast(figure):
    with pytest.raises(ValueError, match=r"\(3,\).*\(3, 1\)"):
        figure(np.ones(3), np.ones((3, 1)))
    with pytest.raises(ValueError, match="nothing to compare"):
        figure(np.ones(0), np.ones(0))
    with pytest.raises(ValueError, match="nothing to average"):
        rms(np.ones((0, 1)))
