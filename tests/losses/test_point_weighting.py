"""Factors of single points on cases done by hand, and how they follow points."""

import math

import numpy as np
import pytest

from pinnkit.losses.point_weighting import Attention, PointGroup, PointWeighting
from pinnkit.losses.settings import WEIGHTINGS
from pinnkit.losses.weighting.causal import Causal

FIRST = np.array([[0.0, 0.1], [0.5, 0.3], [1.0, 0.9]])
SIZES = np.array([1.0, 4.0, 2.0])


def group(coordinates=FIRST, sizes=SIZES, equations=True):
    coordinates = np.asarray(coordinates)
    return PointGroup(coordinates, None if sizes is None else np.asarray(sizes), coordinates[:, -1], equations)


POINTWISE = [name for name in WEIGHTINGS if issubclass(WEIGHTINGS[name], PointWeighting)]


def test_there_are_four_strategies_for_points():
    assert POINTWISE == ["causal", "residual_attention", "self_adaptive", "variational_attention"]


def test_residual_attention_in_one_update_is_that_of_its_steps():
    weighting, memory = WEIGHTINGS["residual_attention"](decay=0.9, rate=0.05), {}
    weighting.observe(memory, {"equations": group()}, 3, 3)
    expected = np.ones(3)
    for _ in range(3):
        expected = 0.9 * expected + 0.05 * SIZES / 4.0
    assert weighting.factors(memory, {"equations": group()})["equations"] == pytest.approx(expected**2, rel=1e-12)
    weighting.observe(memory, {"equations": group()}, 10_000, 9997)
    assert weighting.factors(memory, {"equations": group()})["equations"].max() == pytest.approx(0.05**2 / 0.1**2)


def test_variational_attention_is_its_formula():
    weighting, memory = WEIGHTINGS["variational_attention"](decay=0.0, rate=1.0, sharpness=2.0, share=0.75), {}
    weighting.observe(memory, {"equations": group()}, 14, 1)
    beta = math.log(16) / (2.0 * 4.0)
    expected = 0.75 * np.exp(beta * SIZES) / np.exp(beta * 4.0) + 0.25
    assert memory["equations.attention"] == pytest.approx(expected, rel=1e-12)


def test_self_adaptive_weights_rise_along_the_gradient_up_to_their_bound():
    weighting, memory = WEIGHTINGS["self_adaptive"](rate=0.1, power=2.0, largest=1.9), {}
    groups = {"equations": group(), "ends": group([[0.2, 0.2]], [1.0], False)}
    weighting.observe(memory, groups, 50, 50)
    scale = ((1 + 16 + 4) / 3 + 1) / 2  # the mean over both groups of the mean square
    assert memory["equations.attention"] == pytest.approx(np.minimum(1 + 0.2 * SIZES**2 / scale, 1.9))
    assert memory["ends.attention"] == pytest.approx([1 + 0.2 / scale])
    weighting.observe(memory, groups, 100, 50)
    assert memory["ends.attention"] == pytest.approx([(1 + 0.2 / scale) ** 2])  # d(l^2)/dl = 2 l
    assert weighting.factors(memory, groups)["equations"].max() == pytest.approx(1.9**2)


def test_points_of_another_draw_take_over_the_attention_of_the_nearest():
    weighting, memory = WEIGHTINGS["residual_attention"](decay=0.0, rate=1.0), {}
    weighting.observe(memory, {"equations": group()}, 1, 1)
    drawn = group([[0.9, 0.8], [0.5, 0.3], [0.1, 0.1], [0.6, 0.4]], None)
    found = weighting.factors(memory, {"equations": drawn, "ends": drawn})
    assert found.keys() == {"equations"}  # of the ends nothing is known
    assert found["equations"] == pytest.approx(np.array([0.5, 1.0, 0.25, 1.0]) ** 2)


def test_causal_factors_are_its_formula_and_epsilon_rises_where_all_are_near_one():
    weighting = Causal(slabs=4, epsilons=(0.1, 3.0), threshold=0.5)
    times = [[0.1], [0.2], [0.3], [1.0]]  # two in the first slab, one in the second and in the last
    groups = {"equations": group(times, [1.0, 3.0, 2.0, 7.0]), "initial": group([[0.0]], [9.0], False)}
    memory = {}
    weighting.observe(memory, groups, 0, 0)
    assert memory["epsilon"] == [0.0]
    assert memory["slabs"] == pytest.approx(np.exp(-0.1 * np.array([0.0, 5.0, 9.0, 9.0])))  # 0.41 at the end
    found = weighting.factors(memory, {"equations": group([[0.0], [0.26], [0.99]], None), "initial": groups["initial"]})
    assert found.keys() == {"equations"}
    assert found["equations"] == pytest.approx(np.exp([0.0, -0.5, -0.9]))
    weighting.observe(memory, {"equations": group(times, [0.1, 0.3, 0.2, 0.7])}, 50, 50)
    assert memory["epsilon"] == [1.0]
    assert memory["slabs"] == pytest.approx(np.exp(-3.0 * np.array([0.0, 0.05, 0.09, 0.09])))
    assert weighting.summary(memory) == {"causal.epsilon": 3.0, "causal.least": pytest.approx(math.exp(-0.27))}


def test_regions_share_the_slabs_of_time():
    weighting, memory = Causal(slabs=2, epsilons=(1.0,)), {}
    weighting.observe(memory, {"a": group([[0.1]], [1.0]), "b": group([[0.2], [0.3]], [2.0, 1.0])}, 0, 0)
    assert memory["slabs"] == pytest.approx([1.0, math.exp(-2.0)])


@pytest.mark.parametrize("name", [one for one in POINTWISE if issubclass(WEIGHTINGS[one], Attention)])
def test_residuals_of_zero_leave_finite_factors(name):
    memory = {}
    WEIGHTINGS[name]().observe(memory, {"equations": group(sizes=np.zeros(3))}, 50, 50)
    factors = WEIGHTINGS[name]().factors(memory, {"equations": group()})["equations"]
    assert np.isfinite(factors).all()
    assert (factors > 0).all()
