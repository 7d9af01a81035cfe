"""Structure of truncated Taylor jets: their parts, and the chain and product rule for each.

The part of a jet for axes a is the partial derivative d^a z. The chain rule of any order is Faa di Bruno's formula

    d^a f(z) = sum over the partitions P of a into blocks of  f^(|P|)(z)  *  product over B in P of  d^B z,

and the product rule is Leibniz': d^a (y z) = sum over b <= a of binom(a, b) d^b y d^(a-b) z. In both the part itself
enters linearly, with the factor f'(z) (or z): so a sum S = sum_i c_i d^(a_i) obeys

    S f(z) = f'(z) S z + sum_i c_i [the other terms of d^(a_i) f(z)],

and is propagated as one part, in the place of one for each a_i: the collapsed Taylor mode of Dangel et al. 2025
(arXiv 2505.13644), here for any linear combination. Many pure derivatives of one order along different directions
form a bundle, whose lower orders are kept in one tensor with the directions as its first dimension.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, product
from typing import cast

from pinnkit.operators.linear_operators import Axes, LinearCombination, SampledLaplacian

BUNDLED = 4
"""Least number of directions of a bundle; fewer are kept apart."""


@dataclass(frozen=True)
class DirectionBundle:
    """Directions whose pure derivatives of orders 1 ... order - 1 are kept together.

    `directions` are axes, or the index of a sample of directions.
    """

    directions: Axes | int
    order: int


@dataclass(frozen=True)
class DirectionalPart:
    """The part of a bundle of one order: (k, n, ...), d^order/dv_k^order."""

    bundle: DirectionBundle
    order: int


PartKey = Axes | LinearCombination | SampledLaplacian | DirectionalPart


@dataclass(frozen=True)
class ChainTerm:
    """count * c * product of parts; summed over the directions of the bundle `over`, where there is one.

    `coefficient` is the index of c in the list of coefficients, None for 1.
    """

    count: int
    factors: tuple[PartKey, ...]
    coefficient: int | None = None
    over: DirectionBundle | None = None


@dataclass(frozen=True)
class ProductTerm:
    """count * c * (part of y) * (part of z); None stands for the value."""

    count: int
    left: PartKey | None
    right: PartKey | None
    coefficient: int | None = None
    over: DirectionBundle | None = None


@dataclass(frozen=True)
class JetStructure:
    """The parts of a jet, and for each the terms of the chain rule, by the order of f, and of the product rule."""

    keys: tuple[PartKey, ...]
    chain: dict[PartKey, dict[int, tuple[ChainTerm, ...]]]
    products: dict[PartKey, tuple[ProductTerm, ...]]
    bundles: tuple[DirectionBundle, ...]

    def find(self, axes: Axes) -> tuple[PartKey, int | None]:
        """The key of the derivative by axes, and the index of its direction if it is part of a bundle."""
        if axes in self.chain:
            return axes, None
        for bundle in self.bundles:
            if not isinstance(bundle.directions, int) and axes[0] in bundle.directions and len(set(axes)) == 1:
                return DirectionalPart(bundle, len(axes)), bundle.directions.index(axes[0])
        raise KeyError(f"the scheme has no part for {axes}")


def lower_derivatives(axes: Axes) -> set[Axes]:
    """The derivatives of lower order that divide this one, without ().

    >>> sorted(lower_derivatives((0, 0, 1)))
    [(0,), (0, 0), (0, 1), (1,)]
    """
    return {part for size in range(1, len(axes)) for part in combinations(axes, size)}


def partitions(axes: Axes) -> Counter[tuple[Axes, ...]]:
    """The partitions of a derivative into blocks, with their multiplicities.

    >>> partitions((0, 0, 0))[((0,), (0, 0))]
    3
    """
    found: Counter[tuple[Axes, ...]] = Counter()
    for blocks in _set_partitions(list(range(len(axes)))):
        found[tuple(sorted(tuple(axes[place] for place in block) for block in blocks))] += 1
    return found


def _set_partitions(places: list[int]) -> Iterable[list[list[int]]]:
    if not places:
        yield []
        return
    first, rest = places[0], places[1:]
    for smaller in _set_partitions(rest):
        yield [[first], *smaller]
        for number, block in enumerate(smaller):
            yield [*smaller[:number], [first, *block], *smaller[number + 1 :]]


def product_splits(axes: Axes) -> Counter[tuple[Axes, Axes]]:
    """The pairs of derivatives of both factors in Leibniz' rule, with their multiplicities."""
    found: Counter[tuple[Axes, Axes]] = Counter()
    for sides in product((True, False), repeat=len(axes)):
        left = tuple(axis for axis, side in zip(axes, sides, strict=True) if side)
        right = tuple(axis for axis, side in zip(axes, sides, strict=True) if not side)
        found[left, right] += 1
    return found


@lru_cache(maxsize=256)
def jet_structure(wanted: frozenset[Axes | LinearCombination | SampledLaplacian]) -> JetStructure:
    """The parts of a jet for these operators, and their rules."""
    plain = {one for one in wanted if isinstance(one, tuple) and one}
    sums = [one for one in wanted if isinstance(one, LinearCombination)]
    samples = [one for one in wanted if isinstance(one, SampledLaplacian)]
    bundled = {one: _bundled(one, plain, [other for other in sums if other is not one]) for one in sums}
    bundles = {bundle for bundle, _ in bundled.values() if bundle is not None}
    bundles |= {DirectionBundle(one.sample, 2) for one in samples}

    apart = set(plain)
    for one in sums:
        bundle, slot = bundled[one]
        for axes, _ in _apart(one, bundle):
            apart |= lower_derivatives(axes)
    for axes in plain:
        apart |= lower_derivatives(axes)
    covered = {
        (axis,) * order
        for bundle in bundles
        if not isinstance(bundle.directions, int)
        for axis in bundle.directions
        for order in range(1, bundle.order)
    }
    apart -= covered

    chain: dict[PartKey, dict[int, tuple[ChainTerm, ...]]] = {}
    products: dict[PartKey, tuple[ProductTerm, ...]] = {}

    def add(key: PartKey, monomials: Iterable[ChainTerm], splitting: Iterable[ProductTerm]) -> None:
        orders: dict[int, list[ChainTerm]] = {1: [ChainTerm(1, (key,))]}
        for one in monomials:
            orders.setdefault(len(one.factors), []).append(one)
        chain[key] = {order: tuple(ones) for order, ones in sorted(orders.items())}
        products[key] = (ProductTerm(1, key, None), ProductTerm(1, None, key), *splitting)

    for axes in sorted(apart, key=lambda one: (len(one), one)):
        add(axes, _chain(axes), _products(axes))
    for bundle in sorted(bundles, key=str):
        for order in range(1, bundle.order):
            add(DirectionalPart(bundle, order), _ray_chain(bundle, order), _ray_products(bundle, order))
    for drawn in samples:
        bundle = DirectionBundle(drawn.sample, 2)
        add(drawn, _ray_chain(bundle, 2, over=bundle), _ray_products(bundle, 2, over=bundle))
    for one in sorted(sums, key=lambda one: one.terms):
        bundle, slot = bundled[one]
        monomials = [m for axes, place in _apart(one, bundle) for m in _chain(axes, place)]
        splitting = [m for axes, place in _apart(one, bundle) for m in _products(axes, place)]
        if bundle is not None:
            monomials += _ray_chain(bundle, bundle.order, slot, bundle)
            splitting += _ray_products(bundle, bundle.order, slot, bundle)
        add(one, monomials, splitting)
    return JetStructure(tuple(chain), chain, products, tuple(sorted(bundles, key=str)))


def _bundled(
    one: LinearCombination, plain: set[Axes], others: list[LinearCombination]
) -> tuple[DirectionBundle | None, int | None]:
    """The bundle of the pure derivatives in a sum, if there are enough of one order and coefficient, and that one."""
    pure: dict[tuple[int, int], list[int]] = {}
    for axes, slot in one.terms:
        if len(axes) > 1 and len(set(axes)) == 1:
            pure.setdefault((len(axes), slot), []).append(axes[0])
    if not pure:
        return None, None
    (order, slot), places = max(pure.items(), key=lambda item: len(item[1]))
    if len(places) < BUNDLED:
        return None, None
    bundle = DirectionBundle(tuple(sorted(places)), order)
    # a plain pure derivative of lower order is a ray itself; the term of a sum needs its slopes as factors of their own
    needed = {used for used in plain if len(set(used)) > 1 or len(used) >= order}
    needed |= {used for term in others for used, _ in term.terms if len(used) > 1}
    needed |= {used for used, _ in _apart(one, bundle) if len(used) > 1}
    if any(set(used) & set(places) for used in needed):
        return None, None
    return bundle, slot


def _apart(one: LinearCombination, bundle: DirectionBundle | None) -> list[tuple[Axes, int]]:
    """The terms of a sum outside its bundle."""
    if bundle is None:
        return list(one.terms)
    return [
        (axes, slot)
        for axes, slot in one.terms
        if not (len(axes) == bundle.order and len(set(axes)) == 1 and axes[0] in cast(Axes, bundle.directions))
    ]


def _chain(axes: Axes, coefficient: int | None = None) -> list[ChainTerm]:
    """All terms of the chain rule but the linear one."""
    return [
        ChainTerm(count, blocks, coefficient) for blocks, count in sorted(partitions(axes).items()) if len(blocks) > 1
    ]


def _products(axes: Axes, coefficient: int | None = None) -> list[ProductTerm]:
    """All terms of the product rule but the two in which one factor is not differentiated."""
    return [
        ProductTerm(count, left, right, coefficient)
        for (left, right), count in sorted(product_splits(axes).items())
        if left and right
    ]


def _ray_chain(
    bundle: DirectionBundle, order: int, coefficient: int | None = None, over: DirectionBundle | None = None
) -> list[ChainTerm]:
    return [
        ChainTerm(
            one.count,
            tuple(DirectionalPart(bundle, len(cast(Axes, block))) for block in one.factors),
            coefficient,
            over,
        )
        for one in _chain((0,) * order)
    ]


def _ray_products(
    bundle: DirectionBundle, order: int, coefficient: int | None = None, over: DirectionBundle | None = None
) -> list[ProductTerm]:
    return [
        ProductTerm(
            one.count,
            DirectionalPart(bundle, len(cast(Axes, one.left))),
            DirectionalPart(bundle, len(cast(Axes, one.right))),
            coefficient,
            over,
        )
        for one in _products((0,) * order)
    ]
