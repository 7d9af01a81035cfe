"""The network of a problem: from coordinates to all fields."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from pinnkit.networks.embeddings import CoordinateEmbedding, RandomFourier
from pinnkit.networks.mlp import MLP
from pinnkit.networks.settings import Network

TRANSFORMS: dict[str, Callable[[Tensor], Tensor]] = {
    "softplus": nn.functional.softplus,
    "exp": torch.exp,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "square": torch.square,
}


class FieldNetworks(nn.Module):
    """Several networks side by side, each from some of the coordinates to some of the fields.

    Args:
        networks: one network for each group of fields.
        inputs: for each network, the indices of its coordinates.
        transforms: for each field (in the order of the networks' outputs), its output transform or None.
        order: for each field in the problem's order, its column among the networks' outputs.

    Shape: (n, d) -> (n, fields).
    """

    def __init__(
        self,
        networks: Sequence[nn.Module],
        inputs: Sequence[Sequence[int]],
        transforms: Sequence[str | None],
        order: Sequence[int],
    ) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)
        self.inputs = [list(columns) for columns in inputs]
        self.transforms = list(transforms)
        self.order = list(order)

    def forward(self, points: Tensor) -> Tensor:
        parts = []
        for network, columns in zip(self.networks, self.inputs, strict=True):
            whole = columns == list(range(points.shape[1]))
            parts.append(network(points if whole else points[:, columns]))
        if len(parts) == 1 and not any(self.transforms):
            return parts[0]
        columns = torch.cat(parts, dim=1).unbind(dim=1)
        values = [
            TRANSFORMS[name](column) if name else column for name, column in zip(self.transforms, columns, strict=True)
        ]
        return torch.stack([values[index] for index in self.order], dim=1)


def build(
    settings: Network,
    lower: Sequence[float],
    upper: Sequence[float],
    periodic: Sequence[int],
    fields: Sequence[tuple[Sequence[int], str | None]],
    seed: int,
    custom: nn.Module | None = None,
) -> FieldNetworks:
    """The network for fields that depend on the coordinates with the given indices.

    Fields with the same coordinates share one network, unless `settings.separate`. The weights are a function of
    `seed` alone; the global generator is left as it was.

    Args:
        lower, upper: ends of the coordinates' ranges, d each.
        periodic: indices of the periodic coordinates.
        fields: for each field, the indices of its coordinates and its output transform.
        custom: a network of the user's in place of ours: (n, d) -> (n, number of fields).
    """
    transforms = [transform for _, transform in fields]
    if custom is not None:
        everything = list(range(len(lower)))
        return FieldNetworks([custom], [everything], transforms, list(range(len(fields))))
    groups: list[tuple[tuple[int, ...], list[int]]] = []
    for index, (columns, _) in enumerate(fields):
        known = next((members for key, members in groups if key == tuple(columns)), None)
        if known is None or settings.separate:
            groups.append((tuple(columns), [index]))
        else:
            known.append(index)
    networks = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for columns, members in groups:
            networks.append(_network(settings, columns, lower, upper, periodic, len(members)))
    outputs = [member for _, members in groups for member in members]
    order = [outputs.index(index) for index in range(len(fields))]
    return FieldNetworks(
        networks, [list(columns) for columns, _ in groups], [transforms[index] for index in outputs], order
    )


def _network(
    settings: Network,
    columns: Sequence[int],
    lower: Sequence[float],
    upper: Sequence[float],
    periodic: Sequence[int],
    outputs: int,
) -> nn.Module:
    layers: list[nn.Module] = [
        CoordinateEmbedding(
            [lower[index] for index in columns],
            [upper[index] for index in columns],
            [place for place, index in enumerate(columns) if index in periodic],
            settings.harmonics,
        )
    ]
    inputs = layers[0].outputs
    if settings.fourier_features:
        layers.append(RandomFourier(inputs, settings.fourier_features, settings.fourier_scale))
        inputs = layers[-1].outputs
    layers.append(MLP(inputs, outputs, settings.width, settings.depth, settings.activation))
    return nn.Sequential(*layers)
