"""The parts of jets, and the combinatorics of chain and product rule against known counts."""

from collections import Counter
from math import comb

import pytest

from pinnkit.operators.jet_structure import (
    ChainTerm,
    DirectionalPart,
    DirectionBundle,
    ProductTerm,
    jet_structure,
    lower_derivatives,
    partitions,
    product_splits,
)
from pinnkit.operators.linear_operators import LinearCombination, SampledLaplacian

BELL = [1, 1, 2, 5, 15, 52, 203]


def laplacian(axes, slot=0):
    return LinearCombination(tuple(((axis, axis), slot) for axis in axes))


@pytest.mark.parametrize("order", range(7))
@pytest.mark.parametrize("distinct", [False, True])
def test_partitions_are_as_many_as_bells_number(order, distinct):
    axes = tuple(range(order)) if distinct else (0,) * order
    found = partitions(axes)
    assert sum(found.values()) == BELL[order]
    assert not distinct or set(found.values()) == {1}
    for blocks in found:
        assert sorted(axis for block in blocks for axis in block) == list(axes)


@pytest.mark.parametrize(
    ("axes", "known"),
    [
        # (f o u)'''' = f'''' u'^4 + 6 f''' u'^2 u'' + f'' (4 u' u''' + 3 u''^2) + f' u''''
        (
            (0, 0, 0, 0),
            {
                ((0,), (0,), (0,), (0,)): 1,
                ((0,), (0,), (0, 0)): 6,
                ((0,), (0, 0, 0)): 4,
                ((0, 0), (0, 0)): 3,
                ((0, 0, 0, 0),): 1,
            },
        ),
        # (f o u)_xxy = f''' u_x^2 u_y + f'' (u_xx u_y + 2 u_x u_xy) + f' u_xxy
        (
            (0, 0, 1),
            {((0,), (0,), (1,)): 1, ((0, 0), (1,)): 1, ((0,), (0, 1)): 2, ((0, 0, 1),): 1},
        ),
        # (f o u)_xxyy, with its nine terms
        (
            (0, 0, 1, 1),
            {
                ((0,), (0,), (1,), (1,)): 1,
                ((0, 0), (1,), (1,)): 1,
                ((0,), (0,), (1, 1)): 1,
                ((0,), (0, 1), (1,)): 4,
                ((0, 0), (1, 1)): 1,
                ((0, 1), (0, 1)): 2,
                ((0, 0, 1), (1,)): 2,
                ((0,), (0, 1, 1)): 2,
                ((0, 0, 1, 1),): 1,
            },
        ),
    ],
)
def test_partitions_give_the_coefficients_of_faa_di_bruno(axes, known):
    assert partitions(axes) == Counter(known)


@pytest.mark.parametrize(("first", "second"), [(0, 0), (1, 0), (4, 0), (6, 0), (2, 1), (2, 2), (3, 2)])
def test_splits_count_by_binomials(first, second):
    known = {
        ((0,) * i + (1,) * j, (0,) * (first - i) + (1,) * (second - j)): comb(first, i) * comb(second, j)
        for i in range(first + 1)
        for j in range(second + 1)
    }
    assert product_splits((0,) * first + (1,) * second) == Counter(known)


def test_below_are_the_lower_derivatives():
    assert lower_derivatives((0, 0, 1, 1)) == {(0,), (1,), (0, 0), (0, 1), (1, 1), (0, 0, 1), (0, 1, 1)}
    assert lower_derivatives((2,)) == set()


def test_the_heat_operator_carries_the_slope_in_space_and_the_sum_alone():
    heat = LinearCombination((((1,), 0), ((0, 0), 1)))
    found = jet_structure(frozenset({(), heat}))
    assert found.keys == ((0,), heat)
    assert found.bundles == ()
    assert found.chain[heat] == {1: (ChainTerm(1, (heat,)),), 2: (ChainTerm(1, ((0,), (0,)), 1),)}
    assert found.products[heat] == (
        ProductTerm(1, heat, None),
        ProductTerm(1, None, heat),
        ProductTerm(2, (0,), (0,), 1),
    )


def test_the_value_alone_carries_nothing():
    assert jet_structure(frozenset({()})).keys == ()


def test_the_plate_operator_carries_no_fourth_derivative_of_its_own():
    plate = LinearCombination((((0, 0, 0, 0), 0), ((0, 0, 1, 1), 1), ((1, 1, 1, 1), 0)))
    found = jet_structure(frozenset({plate}))
    thirds = {(0, 0, 0), (0, 0, 1), (0, 1, 1), (1, 1, 1)}
    assert set(found.keys) == {(0,), (1,), (0, 0), (0, 1), (1, 1), *thirds, plate}
    terms = {(one.factors, one.coefficient): one.count for one in found.chain[plate][2]}
    assert terms[((0, 0), (0, 0)), 0] == 3
    assert terms[((0,), (0, 0, 0)), 0] == 4
    assert terms[((0, 1), (0, 1)), 1] == 2
    assert terms[((0, 0), (1, 1)), 1] == 1


def test_lower_derivatives_come_before_those_that_need_them():
    found = jet_structure(frozenset({(0, 0, 1), (2,)}))
    assert found.keys == ((0,), (1,), (2,), (0, 0), (0, 1), (0, 0, 1))


def test_a_laplacian_in_many_axes_is_one_bundle():
    operator = laplacian(range(10), slot=3)
    found = jet_structure(frozenset({(), operator}))
    bundle = DirectionBundle(tuple(range(10)), 2)
    slope = DirectionalPart(bundle, 1)
    assert found.bundles == (bundle,)
    assert found.keys == (slope, operator)
    assert found.chain[operator] == {1: (ChainTerm(1, (operator,)),), 2: (ChainTerm(1, (slope, slope), 3, bundle),)}
    assert found.products[operator][2:] == (ProductTerm(2, slope, slope, 3, bundle),)


@pytest.mark.parametrize(("count", "bundled"), [(3, False), (4, True)])
def test_few_directions_are_kept_apart(count, bundled):
    found = jet_structure(frozenset({laplacian(range(count))}))
    assert bool(found.bundles) == bundled
    assert len(found.keys) == (2 if bundled else count + 1)


def test_heat_in_many_axes_carries_no_derivative_in_time():
    heat = LinearCombination((((5,), 0), *laplacian(range(5), slot=1).terms))
    bundle = DirectionBundle((0, 1, 2, 3, 4), 2)
    assert jet_structure(frozenset({heat})).keys == (DirectionalPart(bundle, 1), heat)


def test_only_directions_with_one_coefficient_are_bundled():
    operator = LinearCombination((*laplacian(range(5), slot=1).terms, ((5, 5), 2)))
    found = jet_structure(frozenset({operator}))
    bundle = DirectionBundle((0, 1, 2, 3, 4), 2)
    assert found.keys == ((5,), DirectionalPart(bundle, 1), operator)
    assert set(found.chain[operator][2]) == {
        ChainTerm(1, ((5,), (5,)), 2),
        ChainTerm(1, (DirectionalPart(bundle, 1), DirectionalPart(bundle, 1)), 1, bundle),
    }
    different = LinearCombination(tuple(((axis, axis), axis) for axis in range(10)))
    assert jet_structure(frozenset({different})).bundles == ()


@pytest.mark.parametrize("other", [(0, 1), (3, 3), (2, 2, 2), (0, 11)])
def test_a_derivative_that_needs_a_slope_of_its_own_prevents_the_bundle(other):
    operator = laplacian(range(10))
    found = jet_structure(frozenset({operator, other}))
    assert found.bundles == ()
    assert set(found.keys) == {(axis,) for axis in [*range(10), *other]} | lower_derivatives(other) | {other, operator}


def test_a_derivative_by_other_axes_does_not_prevent_it():
    found = jet_structure(frozenset({laplacian(range(4)), (4, 5)}))
    assert set(found.keys) == {
        (4,),
        (5,),
        (4, 5),
        DirectionalPart(DirectionBundle((0, 1, 2, 3), 2), 1),
        laplacian(range(4)),
    }


def test_a_slope_that_is_wanted_is_found_in_the_bundle():
    operator = laplacian(range(2, 10))
    found = jet_structure(frozenset({operator, (4,), (0,)}))
    bundle = DirectionBundle(tuple(range(2, 10)), 2)
    assert set(found.keys) == {(0,), DirectionalPart(bundle, 1), operator}
    assert found.find((4,)) == (DirectionalPart(bundle, 1), 2)
    assert found.find((9,)) == (DirectionalPart(bundle, 1), 7)
    assert found.find((0,)) == ((0,), None)


def test_lower_pure_derivatives_are_found_in_a_bundle_of_order_four():
    operator = LinearCombination(tuple(((axis,) * 4, 0) for axis in range(5)))
    found = jet_structure(frozenset({operator, (1,), (2, 2), (3, 3, 3)}))
    bundle = DirectionBundle((0, 1, 2, 3, 4), 4)
    assert found.keys == (DirectionalPart(bundle, 1), DirectionalPart(bundle, 2), DirectionalPart(bundle, 3), operator)
    assert found.find((1,)) == (DirectionalPart(bundle, 1), 1)
    assert found.find((2, 2)) == (DirectionalPart(bundle, 2), 2)
    assert found.find((3, 3, 3)) == (DirectionalPart(bundle, 3), 3)
    over = {(one.count, tuple(ray.order for ray in one.factors)) for one in found.chain[operator][2]}
    assert over == {(4, (1, 3)), (3, (2, 2))}


def test_what_is_not_carried_is_not_found():
    with pytest.raises(KeyError, match=r"no part for \(0, 1\)"):
        jet_structure(frozenset({laplacian(range(10))})).find((0, 1))


def test_a_sample_carries_its_slopes_and_their_sum():
    found = jet_structure(frozenset({SampledLaplacian(1), ()}))
    bundle = DirectionBundle(1, 2)
    assert found.keys == (DirectionalPart(bundle, 1), SampledLaplacian(1))
    assert found.chain[SampledLaplacian(1)][2] == (
        ChainTerm(1, (DirectionalPart(bundle, 1), DirectionalPart(bundle, 1)), None, bundle),
    )


FOURTH = tuple(((axis,) * 4, 0) for axis in range(5))


@pytest.mark.parametrize(
    "sums",
    [
        pytest.param([LinearCombination(FOURTH), laplacian(range(5))]),
        pytest.param([LinearCombination(FOURTH), laplacian(range(2))]),
        pytest.param([LinearCombination((*FOURTH, *laplacian(range(5), slot=1).terms))]),
        pytest.param([LinearCombination(tuple(((axis,) * 3, 0) for axis in range(5))), laplacian(range(3, 8))]),
        [LinearCombination((*laplacian(range(5), slot=1).terms, *FOURTH))],
        [laplacian(range(5)), laplacian(range(5), slot=1)],
        [laplacian(range(5)), laplacian(range(5, 10), slot=1), SampledLaplacian(0)],
    ],
)
def test_every_factor_of_a_rule_is_carried(sums):
    """A factor that no part holds would be taken as zero."""
    found = jet_structure(frozenset(sums))
    monomials = [one for orders in found.chain.values() for ones in orders.values() for one in ones]
    factors = {key for one in monomials for key in one.factors}
    sides = {side for ones in found.products.values() for one in ones for side in (one.left, one.right)} - {None}
    assert factors | sides <= set(found.keys)
