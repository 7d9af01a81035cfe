"""The network of a problem: from coordinates to all fields."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from pinnkit.networks.ansatz import HardConstraints
from pinnkit.networks.bounded import bounded
from pinnkit.networks.features import RandomFeatures
from pinnkit.networks.levels import Levels
from pinnkit.networks.windows import Windows

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
        windows: of time, for each of which there are networks; None: the same hold at all times.

    Shape: (n, d) -> (n, fields).
    """

    def __init__(
        self,
        networks: Sequence[nn.Module],
        members: Sequence[Sequence[int]],
        outputs: Sequence[Output],
        constraints: HardConstraints | None = None,
        custom: bool = False,
        windows: Windows | None = None,
    ) -> None:
        super().__init__()
        self.custom = custom
        self.networks = nn.ModuleList(networks)
        self.members = [list(fields) for fields in members]
        self.outputs = list(outputs)
        self.constraints = constraints
        self.windows = windows
        self.expansions = nn.ModuleList()
        self.expanded: list[int] = []
        """The network whose outputs each of the expansions is added to."""

    @property
    def levels(self) -> list[Levels]:
        """The networks that are sums of several, which are trained one after the other; none where each is one."""
        return [network for network in self.networks if isinstance(network, Levels)]

    @property
    def begun(self) -> int:
        """How many levels have begun."""
        return min((one.begun for one in self.levels), default=1)

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
        if self.windows is None:
            return self._fields(points, points, self.networks, expanded)
        return self.windows(points, self.networks, self._fields)

    def before(self, points: Tensor) -> Tensor:
        """All fields as the networks of the last window that is solved give them, at any time."""
        assert self.windows is not None
        return self.windows.solved[-1].fields(points, self._fields)

    def _fields(self, points: Tensor, given: Tensor, networks: nn.ModuleList, expanded: bool = True) -> Tensor:
        """All fields at points.

        Args:
            given: what the networks are given in the place of the points.
        """
        everything = list(range(points.shape[1]))
        exact = {} if self.constraints is None else self.constraints(points)
        found: dict[int, Tensor] = {}
        for number, (network, fields) in enumerate(zip(networks, self.members, strict=True)):
            first = self.outputs[fields[0]]
            inputs = given if list(first.columns) == everything else given[:, list(first.columns)]
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
