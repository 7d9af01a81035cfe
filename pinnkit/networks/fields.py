"""The network of a problem: from coordinates to all fields."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from pinnkit.networks.ansatz import HardConstraints
from pinnkit.networks.bounded import bounded
from pinnkit.networks.embeddings import CoordinateEmbedding, RandomFourier
from pinnkit.networks.features import RandomFeatures
from pinnkit.networks.settings import Network

TRANSFORMS: dict[str, Callable[[Tensor], Tensor]] = {
    "softplus": nn.functional.softplus,
    "exp": torch.exp,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "square": torch.square,
}


@dataclass(frozen=True)
class Output:
    """A field.

    Attributes:
        columns: the indices of the coordinates that its network is given.
        transform: of the network's output.
        scale: the size that multiplies the output.
        bounds: the ends between which its values stay.
        arguments: the indices of other fields that the network is given in front of the coordinates.
        spans: the range by which each of these is scaled.
        periodic: the indices of the coordinates in which it is periodic.
        part: the part of the domain in which it is a field; "": all of it.
        box: that part's bounding box, the lower and the upper ends (d,) of the coordinates; None: that of the domain.
    """

    columns: tuple[int, ...]
    transform: str | None = None
    scale: float = 1.0
    bounds: tuple[float, float] = (-math.inf, math.inf)
    arguments: tuple[int, ...] = ()
    spans: tuple[tuple[float, float], ...] = ()
    periodic: tuple[int, ...] = ()
    part: str = ""
    box: tuple[Sequence[float], Sequence[float]] | None = None

    @property
    def affine(self) -> bool:
        """Whether it is a multiple of the network's output."""
        return not self.transform and not any(map(math.isfinite, self.bounds))

    def __call__(self, values: Tensor) -> Tensor:
        """scale * z, the transform of z, or what `bounded` makes of z, of shape (n,)."""
        if any(map(math.isfinite, self.bounds)):
            return bounded(values, *self.bounds, self.scale)
        if self.transform:
            return TRANSFORMS[self.transform](values)  # the transform sets the range: (0, 1), above zero ...
        return values if self.scale == 1.0 else self.scale * values


class FieldNetworks(nn.Module):
    """Several networks side by side, each from some of the coordinates to some of the fields.

    Features may be added to the outputs of each (`add`).

    Args:
        networks: one network for each group of fields, those whose fields are arguments of others first.
        members: for each network, the indices of its fields, in the order of its outputs.
        outputs: the fields.
        constraints: what the fields meet exactly, applied to the scaled outputs.
        custom: whether the one network is the user's own.

    Shape: (n, d) -> (n, fields).
    """

    def __init__(
        self,
        networks: Sequence[nn.Module],
        members: Sequence[Sequence[int]],
        outputs: Sequence[Output],
        constraints: HardConstraints | None = None,
        custom: bool = False,
    ) -> None:
        super().__init__()
        self.custom = custom
        self.networks = nn.ModuleList(networks)
        self.members = [list(fields) for fields in members]
        self.outputs = list(outputs)
        self.constraints = constraints
        self.expansions = nn.ModuleList()
        self.expanded: list[int] = []
        """The network whose outputs each of the expansions is added to."""

    @property
    def own(self) -> nn.Module | None:
        """The user's own network, where it has one."""
        return self.networks[0] if self.custom else None

    def add(self, features: RandomFeatures, group: int) -> None:
        """Add features to the outputs of one of the networks."""
        self.expansions.append(features)
        self.expanded.append(group)

    @property
    def added(self) -> list[tuple[RandomFeatures, int]]:
        """The features, each with the network whose outputs they are added to."""
        modules = cast(Sequence[RandomFeatures], list(self.expansions))
        return list(zip(modules, self.expanded, strict=True))

    def remove(self, features: Sequence[nn.Module]) -> None:
        """Take features away again."""
        kept = [pair for pair in zip(self.expansions, self.expanded, strict=True) if pair[0] not in features]
        self.expansions = nn.ModuleList([module for module, _ in kept])
        self.expanded = [group for _, group in kept]

    def forward(self, points: Tensor, expanded: bool = True) -> Tensor:
        """All fields; without the features where `expanded` is false."""
        everything = list(range(points.shape[1]))
        exact = {} if self.constraints is None else self.constraints(points)
        found: dict[int, Tensor] = {}
        for number, (network, fields) in enumerate(zip(self.networks, self.members, strict=True)):
            first = self.outputs[fields[0]]
            inputs = points if list(first.columns) == everything else points[:, list(first.columns)]
            if first.arguments:
                arguments = torch.stack([found[index] for index in first.arguments], dim=1)
                inputs = torch.cat([arguments, inputs], dim=1) if first.columns else arguments
            outputs = network(inputs)
            if expanded:
                outputs = self._with_features(outputs, number, points)
            values = outputs.unbind(dim=1)
            for index, value in zip(fields, values, strict=True):
                value = self.outputs[index](value)
                if index in exact:
                    lift, factor = exact[index]
                    value = lift + factor * value
                found[index] = value
        return torch.stack([found[index] for index in range(len(self.outputs))], dim=1)

    def constant_factor(self, field: int) -> float | None:
        """The derivative of a field by its network's output where it is the same everywhere; None: it is not."""
        output = self.outputs[field]
        constrained = self.constraints is not None and field in self.constraints.outputs
        return None if constrained or not output.affine else output.scale

    def factors(self, points: Tensor) -> Tensor:
        """The derivative of each field by its network's output, (n, fields)."""
        exact = {} if self.constraints is None else self.constraints(points)
        found: dict[int, Tensor] = {}
        for number, (network, fields) in enumerate(zip(self.networks, self.members, strict=True)):
            columns = list(self.outputs[fields[0]].columns)
            outputs = None
            if not all(self.outputs[index].affine for index in fields):
                outputs = self._with_features(network(points[:, columns]), number, points)
            for place, index in enumerate(fields):
                output = self.outputs[index]
                if outputs is None or output.affine:
                    value = torch.full_like(points[:, 0], output.scale)
                else:
                    argument = outputs[:, place]
                    (value,) = torch.autograd.grad(output(argument).sum(), argument, create_graph=True)
                found[index] = exact[index][1] * value if index in exact else value
        return torch.stack([found[index] for index in range(len(self.outputs))], dim=1)

    def _with_features(self, outputs: Tensor, number: int, points: Tensor) -> Tensor:
        found = outputs
        for group, features in zip(self.expanded, self.expansions, strict=True):
            if group == number:
                found = found + features(points, outputs)
        return found


class Zero(nn.Module):
    """A network without parameters whose outputs are zero, in the place of one where features are all there is.

    Shape: (n, d) -> (n, outputs).
    """

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.outputs = outputs
        self.register_buffer("like", torch.zeros((), dtype=torch.float64), persistent=False)  # of its dtype and device

    def forward(self, points: Tensor) -> Tensor:
        return points.new_zeros(points.shape[0], self.outputs)


def build(
    settings: Network,
    lower: Sequence[float],
    upper: Sequence[float],
    outputs: Sequence[Output],
    seed: int,
    *,
    linear: bool,
    steady: bool,
    custom: nn.Module | None = None,
    constraints: HardConstraints | None = None,
    logarithmic: Sequence[int] = (),
    zero: bool = False,
) -> FieldNetworks:
    """The network for the fields that `outputs` describes.

    Fields with the same coordinates and periods, and of the same part, share one network, unless `settings.separate`.
    The weights are a function of `seed` alone; the global generator is left as it was.

    Args:
        lower, upper: ends of the coordinates' ranges, d each.
        linear, steady: whether the equations are linear, and without time: which decides settings that are None.
        logarithmic: indices of the coordinates that count by their logarithm.
        custom: a network of the user's in place of ours, (n, d) -> (n, number of fields), which is not scaled.
        constraints: what the fields meet exactly.
        zero: whether networks without parameters stand in their places, for features alone.
    """
    if custom is not None:
        everything = tuple(range(len(lower)))
        plain = [Output(everything, output.transform, bounds=output.bounds) for output in outputs]
        return FieldNetworks([custom], [range(len(outputs))], plain, constraints, custom=True)
    groups: list[list[int]] = []
    for index, output in enumerate(outputs):
        known = next((group for group in groups if _alike(outputs[group[0]], output)), None)
        if known is None or settings.separate:
            groups.append([index])
        else:
            known.append(index)
    groups.sort(key=lambda group: _depth(outputs, group[0]))
    if zero:
        return FieldNetworks([Zero(len(group)) for group in groups], groups, outputs, constraints)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        networks = []
        for group in groups:
            first = outputs[group[0]]
            chosen = settings.chosen(len(lower), len(first.arguments) + len(first.columns), linear, steady)
            box = first.box or (lower, upper)
            networks.append(_network(chosen, first, *box, logarithmic, len(group)))
    return FieldNetworks(networks, groups, outputs, constraints)


def _alike(one: Output, other: Output) -> bool:
    """Whether two fields may be outputs of one network."""
    inputs = [(each.columns, each.arguments, each.spans, each.periodic, each.part) for each in (one, other)]
    return inputs[0] == inputs[1]


def _depth(outputs: Sequence[Output], index: int) -> int:
    """How many networks one after the other lie behind a field's own."""
    return max((1 + _depth(outputs, argument) for argument in outputs[index].arguments), default=0)


def _network(
    settings: Network,
    field: Output,
    lower: Sequence[float],
    upper: Sequence[float],
    logarithmic: Sequence[int],
    outputs: int,
) -> nn.Module:
    """The embeddings, and the network that the architecture builds on them."""
    spans = [*field.spans, *((lower[index], upper[index]) for index in field.columns)]
    places = list(enumerate(field.columns, start=len(field.arguments)))
    layers: list[Any] = [
        CoordinateEmbedding(
            [least for least, _ in spans],
            [most for _, most in spans],
            [place for place, index in places if index in field.periodic],
            settings.harmonics,
            [place for place, index in places if index in logarithmic],
        )
    ]
    if settings.fourier_features:
        layers.append(RandomFourier(layers[-1].outputs, settings.fourier_features, settings.fourier_scale))
    layers.append(settings.build(layers[-1].outputs, outputs))
    return nn.Sequential(*layers)
