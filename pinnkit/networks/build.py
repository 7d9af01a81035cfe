"""Building of the networks of a problem from settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from pinnkit.networks.ansatz import HardConstraints
from pinnkit.networks.embeddings import CoordinateEmbedding, RandomFourier
from pinnkit.networks.fields import FieldNetworks, Output, Zero
from pinnkit.networks.levels import Levels
from pinnkit.networks.settings import Network
from pinnkit.networks.windows import Windows


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
    levels: int = 1,
    windowed: int | None = None,
    names: Sequence[str] = (),
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
        levels: how many networks are trained one after the other in the place of each.
        windowed: the index of the time, where there are networks for each of several windows of it.
        names: of the coordinates.
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

    def embedded(field: Output) -> tuple[Network, CoordinateEmbedding]:
        inputs = len(field.arguments) + len(field.columns)
        chosen = settings.chosen(len(lower), inputs, linear, steady)
        if names:
            plain = [names[index] for index in field.columns if index not in field.periodic]
            chosen = chosen.on([*[""] * len(field.arguments), *plain])
        return chosen, _embedding(chosen, field, *(field.box or (lower, upper)), logarithmic)

    if zero:
        return FieldNetworks([Zero(len(group)) for group in groups], groups, outputs, constraints)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        networks: list[nn.Module] = []
        for group in groups:
            networks.append(_network(*embedded(outputs[group[0]]), len(group)))
        if levels > 1:
            for number, group in enumerate(groups):
                pairs = [embedded(outputs[group[0]]) for _ in range(levels - 1)]
                added = [chosen.level(embedding, len(group)) for chosen, embedding in pairs]
                networks[number] = Levels(networks[number], added)
    windows = None if windowed is None else Windows(windowed, lower, upper)
    return FieldNetworks(networks, groups, outputs, constraints, windows=windows)


def _alike(one: Output, other: Output) -> bool:
    """Whether two fields may be outputs of one network."""
    inputs = [(each.columns, each.arguments, each.spans, each.periodic, each.part) for each in (one, other)]
    return inputs[0] == inputs[1]


def _depth(outputs: Sequence[Output], index: int) -> int:
    """How many networks one after the other lie behind a field's own."""
    return max((1 + _depth(outputs, argument) for argument in outputs[index].arguments), default=0)


def _embedding(
    settings: Network,
    field: Output,
    lower: Sequence[float],
    upper: Sequence[float],
    logarithmic: Sequence[int],
) -> CoordinateEmbedding:
    """The embedding of the inputs of a field's network."""
    spans = [*field.spans, *((lower[index], upper[index]) for index in field.columns)]
    places = list(enumerate(field.columns, start=len(field.arguments)))
    return CoordinateEmbedding(
        [least for least, _ in spans],
        [most for _, most in spans],
        [place for place, index in places if index in field.periodic],
        settings.harmonics,
        [place for place, index in places if index in logarithmic],
    )


def _network(settings: Network, embedding: CoordinateEmbedding, outputs: int) -> nn.Module:
    """The embeddings, and the network that the architecture builds on them."""
    layers: list[Any] = [embedding]
    if settings.fourier_features:
        layers.append(RandomFourier(layers[-1].outputs, settings.fourier_features, *settings.fourier_scales))
    layers.append(settings.build(layers[-1].outputs, outputs))
    return nn.Sequential(*layers)
