"""Residuals of all terms, and their derivatives by the coefficients of features and by learned numbers.

A residual at a point depends on partial derivatives d^a u_k of the fields at a few places. With u_k a function of the
network's output z_k, and z_k = ... + sum over j of c_jk phi_j, its derivative by c_jk is

    dr/dc_jk = sum over a of (dr / d(d^a u_k)) d^a (g_k phi_j),    g_k = du_k / dz_k,

where d^a (g phi) is Leibniz' rule and d^b phi_j = phi^(|b|)(w_j . p + b_j) w_j^b. So a row of the Jacobian is a sum of
few products of matrices, whatever the equation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sympy
import torch
from torch import Tensor

from pinnkit.features.chain_rule import Axes, all_states
from pinnkit.features.expansions import (
    Derivative,
    Expansion,
    IntegralLeaf,
    Other,
    Place,
    combined,
    evaluated,
)
from pinnkit.losses.places import moved
from pinnkit.losses.residuals import TermGroup
from pinnkit.networks.fields import FieldNetworks
from pinnkit.operators.derivatives import derivatives
from pinnkit.operators.jet_structure import product_splits
from pinnkit.sampling.point_set import PointSet


@dataclass(frozen=True)
class Rows:
    """Residuals (n,) of each term, and their derivatives (n, unknowns)."""

    residuals: dict[str, Tensor]
    jacobians: dict[str, Tensor]


class Linearisation:
    """The residuals near the present state of a network, as functions of features' coefficients and learned numbers.

    Args:
        network: whose outputs the features are added to.
        expansions: whose coefficients are the unknowns, field by field, followed by
        learned: the names of learned numbers.
    """

    def __init__(
        self,
        network: FieldNetworks,
        groups: Mapping[str, TermGroup],
        expansions: Sequence[Expansion],
        learned: Sequence[str] = (),
    ) -> None:
        self.network, self.groups, self.expansions, self.learned = network, groups, expansions, tuple(learned)
        self.size = sum(one.size for one in expansions) + len(self.learned)

    def rows(self, name: str, batch: PointSet, parameters: Mapping[str, Tensor], jacobian: bool = True) -> Rows:
        """Residuals and derivatives of a group's terms at points."""
        group = self.groups[name]
        count = len(batch)
        known = dict(parameters)
        numbers = {one: known[one].detach().expand(count, 1).clone().requires_grad_() for one in self.learned}
        known |= numbers
        values: dict[sympy.Basic, Any] = group.values(batch, known)
        with torch.enable_grad():
            places, integrals = self._leaves(group, batch, values)
            known_partials = len(group.extra_partials)
            residuals = group.evaluated(self.network, batch, values)
            if len(group.extra_partials) > known_partials:  # a residual in Python has read others for the first time
                return self.rows(name, batch, parameters, jacobian)
        found = {term: one.detach()[:, 0] for term, one in residuals.items()}
        if not jacobian:
            return Rows(found, {})
        return Rows(
            found, {term: self._gradient(one, places, integrals, numbers, count) for term, one in residuals.items()}
        )

    def _leaves(
        self, group: TermGroup, batch: PointSet, values: dict[sympy.Basic, Any]
    ) -> tuple[list[Place], list[IntegralLeaf]]:
        """The partial derivatives at each place, and integrals, as leaves that residuals are differentiated by."""
        places = []
        for place in group.places(group.wanted):
            points = moved(batch.coordinates, place, values).detach()
            at = self._at(points, list(place.derivatives))
            values |= {partial: at.leaves[key] for key, partial in place.derivatives.items()}
            places.append(at)
        integrals = []
        for one in group.integrals:
            inner = [self._at(points.detach(), wanted) for points, wanted in one.requests(batch.coordinates, values)]
            terms = one.terms(batch.coordinates, values, [each.leaves for each in inner])
            leaf = terms.detach().sum(dim=1, keepdim=True).expand(len(batch), 1).clone().requires_grad_()
            values[one.integral] = leaf
            integrals.append(IntegralLeaf(leaf, terms, inner))
        return places, integrals

    def _at(self, points: Tensor, wanted: Sequence[Derivative]) -> Place:
        """The wanted derivatives at points, as leaves."""
        highest = max((len(axes) for _, axes in wanted), default=0)
        place = Place(points, {}, {})
        for number, one in enumerate(self.expansions):
            if any(field in one.fields for field, _ in wanted):
                if one.module.features.states and one.beneath not in place.states:
                    found = all_states(self.network, one.module, points, one.fields, highest)
                    place.states[one.beneath] = found
                beneath = place.states.get(one.beneath, {})
                place.orders[number] = one.module.orders(points, highest, beneath.get(()))
        plain = [one for one in wanted if self.network.outputs[one[0]].affine]
        base = derivatives(self._base, points, plain)
        if len(plain) < len(wanted):
            base |= derivatives(self.network, points, [one for one in wanted if one not in plain])
        others = self._others(points, {field for field, _ in plain}, highest)
        for key in wanted:
            value = base[key].detach()
            if key in plain:
                value = value + self._added(place, *key, others)
            place.leaves[key] = value.clone().requires_grad_()
        return place

    def _others(self, points: Tensor, fields: set[int], highest: int) -> list[Other]:
        """The expansions that are no unknowns, where they are not zero."""
        own = {id(one.module) for one in self.expansions}
        if len(self.network.expansions) == len(own):
            return []
        spans = list(zip(points.amin(dim=0).tolist(), points.amax(dim=0).tolist(), strict=True)) if len(points) else []
        found = []
        for module, group in self.network.added:
            members = tuple(self.network.members[group])
            if id(module) in own or not fields.intersection(members):
                continue
            interval = module.features.interval
            if interval is None:
                index = torch.arange(len(points), device=points.device)
            elif not spans or spans[interval[0]][1] < interval[1] or spans[interval[0]][0] >= interval[2]:
                continue
            else:
                index = ((points[:, interval[0]] >= interval[1]) & (points[:, interval[0]] < interval[2])).nonzero()[
                    :, 0
                ]
            if len(index):
                few = points[index]
                states = None
                if module.features.states:
                    states = all_states(self.network, module, few, members, highest)
                orders = module.orders(few, highest, None if states is None else states[()])
                found.append(Other(Expansion(module, members), index, orders, states))
        return found

    def _base(self, points: Tensor) -> Tensor:
        return self.network(points, expanded=False)

    def _added(self, place: Place, field: int, axes: Axes, others: Sequence[Other]) -> Tensor:
        """A derivative of what the features add to a field that is an affine function of the network's output."""
        total = torch.zeros_like(place.points[:, :1])
        slope = self._by_output(place, field, {axes: torch.ones_like(total)})
        for number, one in enumerate(self.expansions):
            if field in one.fields:
                states = place.states.get(one.beneath)
                part = evaluated(one, field, place.orders[number], slope, states)
                inside = one.module.inside(place.points)
                total = total + (part if inside is None else part * inside[:, None])
        for other in others:
            if field in other.expansion.fields:
                slopes = {inner: factor[other.index] for inner, factor in slope.items()}
                values = evaluated(other.expansion, field, other.orders, slopes, other.states)
                total = total.index_add(0, other.index, values)
        return total

    def _gradient(
        self,
        residual: Tensor,
        places: Sequence[Place],
        integrals: Sequence[IntegralLeaf],
        numbers: Mapping[str, Tensor],
        count: int,
    ) -> Tensor:
        leaves = [leaf for place in places for leaf in place.leaves.values()]
        leaves += [one.leaf for one in integrals] + list(numbers.values())
        if residual.requires_grad:
            slopes = list(
                torch.autograd.grad(
                    residual, leaves, torch.ones_like(residual), retain_graph=True, materialize_grads=True
                )
            )
        else:
            slopes = [torch.zeros_like(one) for one in leaves]
        jacobian = residual.new_zeros(count, self.size)
        for place in places:
            own, slopes = slopes[: len(place.leaves)], slopes[len(place.leaves) :]
            self._add(jacobian, place, dict(zip(place.leaves, own, strict=True)))
        for one in integrals:
            factor, slopes = slopes[0], slopes[1:]
            if bool(factor.any()):
                jacobian += factor * self._integral(one, count)
        for number, slope in enumerate(slopes):
            jacobian[:, self.size - len(self.learned) + number] += slope[:, 0]
        return jacobian

    def _integral(self, one: IntegralLeaf, count: int) -> Tensor:
        """The derivative of an integral at each point, (n, unknowns) or (1, unknowns)."""
        rows, nodes = one.terms.shape
        found = one.terms.new_zeros(rows, self.size)
        for place in one.inner:
            slopes = torch.autograd.grad(
                one.terms,
                list(place.leaves.values()),
                torch.ones_like(one.terms),
                retain_graph=True,
                materialize_grads=True,
            )
            inner = found.new_zeros(rows * nodes, self.size)
            self._add(inner, place, dict(zip(place.leaves, slopes, strict=True)))
            found += inner.view(rows, nodes, self.size).sum(dim=1)
        return found

    def _add(self, jacobian: Tensor, place: Place, slopes: Mapping[Derivative, Tensor]) -> None:
        """Add the part of the derivatives of one place, by which the residual has these slopes."""
        wanted: dict[int, dict[Axes, Tensor]] = {}
        for (index, axes), slope in slopes.items():
            if bool(slope.any()):
                wanted.setdefault(index, {})[axes] = slope
        by_output = {index: self._by_output(place, index, own) for index, own in wanted.items()}
        begin = 0
        for number, one in enumerate(self.expansions):
            inside = one.module.inside(place.points)
            count = one.module.features.count
            for index in one.fields:
                if index in by_output:
                    states = place.states.get(one.beneath)
                    part = combined(one.module, place.orders[number], by_output[index], states)
                    jacobian[:, begin : begin + count] += part if inside is None else part * inside[:, None]
                begin += count

    def _by_output(self, place: Place, field: int, slopes: Mapping[Axes, Tensor]) -> dict[Axes, Tensor]:
        """Slopes by the derivatives of the field, as those by the derivatives of the network's output."""
        scale = self.network.constant_factor(field)
        if scale is not None:
            return {axes: scale * slope for axes, slope in slopes.items()}
        lower = {(field, left) for axes in slopes for left, _ in product_splits(axes)}
        missing = [one for one in lower if one not in place.factors]
        if missing:
            found = derivatives(self.network.factors, place.points, missing)
            place.factors.update({key: value.detach() for key, value in found.items()})
        by_output: dict[Axes, Tensor] = {}
        for axes, slope in slopes.items():
            for (left, right), times in product_splits(axes).items():
                part = times * slope * place.factors[field, left]
                by_output[right] = by_output[right] + part if right in by_output else part
        return by_output
