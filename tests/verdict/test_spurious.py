"""Signs of an answer that solves nothing."""

import math

import pytest

from pinnkit.verdict.balance import Balance, Slab
from pinnkit.verdict.spurious import misfit, spurious

FINE = Balance(1e-4, 1.0, 1e-4)
FLAT = [("u", "t")]


@pytest.mark.parametrize(
    ("equation", "condition", "flat", "told"),
    [
        (FINE, FINE, FLAT, None),
        (Balance(0.2, 1.0, 0.2), FINE, FLAT, None),  # not met, and not as large as its terms
        (Balance(0.6, 1.0, 0.6), FINE, [], "the residual of e is 60 % of the size of its terms"),
        (
            Balance(0.2, 1.0, 0.2, Slab("t", 2.0, 4.0, 0.89)),
            FINE,
            [],
            "the residual of e is 20 % of the size of its terms (89 % where 2 <= t <= 4)",
        ),
        (FINE, Balance(1.0, 1.0, 1.0), [], None),
        (
            FINE,
            Balance(1.0, 1.0, 1.0),
            FLAT,
            "u is constant along t, and the condition c is violated by 100 % of the size of its terms",
        ),
        (FINE, Balance(0.3, 1.0, 0.3, measured=True), FLAT, None),  # noise
    ],
)
def test_an_answer_solves_nothing_by_its_residuals_or_as_a_constant(equation, condition, flat, told):
    assert spurious({"e": equation}, {"c": condition}, flat) == told


def test_answers_are_compared_by_their_largest_ratio():
    slab = Balance(0.2, 1.0, 0.2, Slab("t", 2.0, 4.0, 0.89))
    assert misfit({"e": FINE}, {"c": Balance(0.3, 1.0, 0.3)}) == 0.3
    assert misfit({"e": slab}, {"c": Balance(9.0, 1.0, 9.0, measured=True)}) == 0.89
    assert misfit({"e": Balance(math.nan, 1.0, math.nan)}, {}) == math.inf
