"""The network of a problem: from coordinates to all fields."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pinnkit.networks.embeddings import CoordinateEmbedding, RandomFourier
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
    """A field: the indices of its coordinates, its output transform, and the size that multiplies the output.

    `part`: the part of the domain in which it is a field, "" for all of it, and `box` that part's bounding box: the
    lower and the upper ends (d,) of the coordinates; None: that of the domain.
    """

    columns: tuple[int, ...]
    transform: str | None = None
    scale: float = 1.0
    part: str = ""
    box: tuple[Sequence[float], Sequence[float]] | None = None

    def __call__(self, values: Tensor) -> Tensor:
        """scale * z, or the transform of z, of shape (n,)."""
        if self.transform:
            return TRANSFORMS[self.transform](values)  # the transform sets the range: (0, 1), above zero ...
        return values if self.scale == 1.0 else self.scale * values


class FieldNetworks(nn.Module):
    """Several networks side by side, each from some of the coordinates to some of the fields.

    Args:
        networks: one network for each group of fields.
        members: for each network, the indices of its fields, in the order of its outputs.
        outputs: the fields.

    Shape: (n, d) -> (n, fields).
    """

    def __init__(
        self, networks: Sequence[nn.Module], members: Sequence[Sequence[int]], outputs: Sequence[Output]
    ) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)
        self.members = [list(fields) for fields in members]
        self.outputs = list(outputs)

    def forward(self, points: Tensor) -> Tensor:
        everything = list(range(points.shape[1]))
        columns: dict[int, Tensor] = {}
        for network, fields in zip(self.networks, self.members, strict=True):
            inputs = list(self.outputs[fields[0]].columns)
            values = network(points if inputs == everything else points[:, inputs])
            columns |= dict(zip(fields, values.unbind(dim=1), strict=True))
        return torch.stack([output(columns[index]) for index, output in enumerate(self.outputs)], dim=1)


class UnfitNetwork(ValueError):
    """A network of the user's own that cannot stand for the fields; the message says what it took and gave."""


def check_custom(network: nn.Module, points: Tensor, fields: Sequence[str]) -> None:
    """Make sure that a network of the user's own gives every field at every point.

    Args:
        points: a few (n, d), in the dtype of the run.

    Raises:
        UnfitNetwork: it does not.
    """
    count, dimension = points.shape
    needed = f"({count}, {len(fields)}) for {', '.join(fields)}"
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        try:
            values = network(points)
        except Exception as error:  # whatever the user's code raises
            reason = (str(error).splitlines() or [""])[0]
            message = f"fails on points of shape ({count}, {dimension}): {type(error).__name__}: {reason}"
            raise UnfitNetwork(f"{message}; it takes (n, {dimension}) and gives (n, {len(fields)})") from error
    if not isinstance(values, Tensor):
        raise UnfitNetwork(f"gives a {type(values).__name__} and no tensor: {needed} is needed")
    if tuple(values.shape) != (count, len(fields)):
        raise UnfitNetwork(f"gives {tuple(values.shape)} at points of shape ({count}, {dimension}): {needed} is needed")
    if values.dtype != points.dtype:
        raise UnfitNetwork(f"gives {values.dtype} at points of {points.dtype}: the dtype of its points is needed")
    if not bool(torch.isfinite(values).all()):
        raise UnfitNetwork(f"gives {values[~torch.isfinite(values)][0]} within the domain: finite numbers are needed")


def build(
    settings: Network,
    lower: Sequence[float],
    upper: Sequence[float],
    periodic: Sequence[int],
    outputs: Sequence[Output],
    seed: int,
    *,
    linear: bool,
    steady: bool,
    custom: nn.Module | None = None,
) -> FieldNetworks:
    """The network for the fields that `outputs` describes.

    Fields with the same coordinates, and of the same part, share one network, unless `settings.separate`. The
    weights are a function of `seed` alone; the global generator is left as it was.

    Args:
        lower, upper: ends of the coordinates' ranges, d each.
        periodic: indices of the periodic coordinates.
        linear, steady: whether the equations are linear, and without time: which decides settings that are None.
        custom: a network of the user's in place of ours, (n, d) -> (n, number of fields), which is not scaled.
    """
    if custom is not None:
        everything = tuple(range(len(lower)))
        plain = [Output(everything, output.transform) for output in outputs]
        return FieldNetworks([custom], [range(len(outputs))], plain)
    groups: list[list[int]] = []
    for index, output in enumerate(outputs):
        known = next((group for group in groups if _alike(outputs[group[0]], output)), None)
        if known is None or settings.separate:
            groups.append([index])
        else:
            known.append(index)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        networks = []
        for group in groups:
            columns, box = outputs[group[0]].columns, outputs[group[0]].box or (lower, upper)
            chosen = settings.chosen(len(lower), len(columns), linear, steady)
            networks.append(_network(chosen, columns, *box, periodic, len(group)))
    return FieldNetworks(networks, groups, outputs)


def _alike(one: Output, other: Output) -> bool:
    """Whether two fields may be outputs of one network."""
    return (one.columns, one.part) == (other.columns, other.part)


def _network(
    settings: Network,
    columns: tuple[int, ...],
    lower: Sequence[float],
    upper: Sequence[float],
    periodic: Sequence[int],
    outputs: int,
) -> nn.Module:
    """The embeddings, and the network that the architecture builds on them."""
    layers: list[nn.Module] = [
        CoordinateEmbedding(
            [lower[index] for index in columns],
            [upper[index] for index in columns],
            [place for place, index in enumerate(columns) if index in periodic],
            settings.harmonics,
        )
    ]
    if settings.fourier_features:
        layers.append(RandomFourier(layers[-1].outputs, settings.fourier_features, settings.fourier_scale))
    layers.append(settings.build(layers[-1].outputs, outputs))
    return nn.Sequential(*layers)
