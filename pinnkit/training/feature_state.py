"""Features and windows of a model as plain data, as checkpoints and saved solutions hold them beside the parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, nn

from pinnkit.engines.model import Model
from pinnkit.networks.features import KINDS, Features, RandomFeatures
from pinnkit.networks.fields import FieldNetworks
from pinnkit.optimizers.state_check import InvalidStateError, NonFiniteStateError, short, whole

KEY = "features"
WINDOWS = "windows"
Value = TypeVar("Value")
TENSORS = ("weight", "offset", "coefficients")
LATER = {"states", "inversion", "inverted"}
"""Of a description, what older files do not have."""
MOST = 1_000_000
"""Features of an expansion at most."""


def network_of(model: Model) -> FieldNetworks:
    """The networks that features are added to."""
    network = model.network
    assert isinstance(network, FieldNetworks)
    return network


def base_state(state: Mapping[str, Value]) -> dict[str, Value]:
    """A module's state, or what else goes by its names, without its features."""
    return {name: value for name, value in state.items() if not name.startswith("network.expansions.")}


def features_of(model: Model) -> dict[str, Any] | None:
    """The features, and the learned numbers that belong to them; None: there are none."""
    network = network_of(model)
    if not len(network.expansions):
        return None
    expansions = [
        {
            "group": group,
            "description": _described(cast(RandomFeatures, module).features),
            **{name: getattr(module, name).detach().cpu() for name in TENSORS},
        }
        for module, group in zip(network.expansions, network.expanded, strict=True)
    ]
    return {"expansions": expansions, "learned": {name: one.detach().cpu() for name, one in model.learned.items()}}


def saved_state(module: nn.Module, model: Model) -> dict[str, Any]:
    """A module's parameters and the features of its model, as plain data on the CPU."""
    state = {name: value.detach().cpu() for name, value in base_state(module.state_dict()).items()}
    windows = network_of(model).windows
    kept = {} if windows is None else {WINDOWS: windows.kept()}
    return {"state_dict": state, KEY: features_of(model), **kept}


def load_state(module: nn.Module, model: Model, kept: Mapping[str, Any]) -> None:
    """Set what `saved_state` gave, or a checkpoint holds, after checks."""
    network_of(model).remove(list(network_of(model).expansions))
    module.load_state_dict(kept["state_dict"])
    set_windows(model, kept)
    attach(model, kept.get(KEY))


def put_features(checkpoint: dict[str, Any], model: Model) -> None:
    """Put features and windows into a checkpoint under keys of their own, beside the state without them."""
    checkpoint["state_dict"] = base_state(checkpoint["state_dict"])
    if (windows := network_of(model).windows) is not None:
        checkpoint[WINDOWS] = windows.kept()
    checkpoint.pop(KEY, None)
    if (found := features_of(model)) is not None:
        checkpoint[KEY] = found


def set_windows(model: Model, kept: Mapping[str, Any]) -> None:
    """Set the windows of time that a checkpoint, or a saved solution, holds and `check_windows` has passed."""
    network = network_of(model)
    if network.windows is not None:
        network.windows.restore(kept[WINDOWS], network.networks)


def attach(model: Model, kept: Mapping[str, Any] | None) -> None:
    """Add features that `check_features` has passed, and set the learned numbers; None: there are none."""
    if kept is None:
        return
    network = network_of(model)
    for one in kept["expansions"]:
        network.add(_module(one).to(model.like), one["group"])
    with torch.no_grad():
        for name, value in kept["learned"].items():
            model.learned[name].copy_(value)


def _module(kept: Mapping[str, Any]) -> RandomFeatures:
    module = RandomFeatures(_description(kept["description"]), kept["coefficients"].shape[1])
    with torch.no_grad():
        for name in TENSORS:
            getattr(module, name).copy_(kept[name])
    return module


def _description(kept: Mapping[str, Any]) -> Features:
    arguments: dict[str, Any] = {key: tuple(one) if isinstance(one, list) else one for key, one in kept.items()}
    return Features(**arguments)


def _described(features: Features) -> dict[str, Any]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(features).items()}


# ------------------------------------------------------------ checks


def check_features(kept: Any, model: Model) -> None:
    """Make sure that features of a file can be added to a model.

    Raises:
        InvalidStateError: they cannot. NonFiniteStateError: a number in them is not finite.
    """
    if kept is None:
        return
    if not isinstance(kept, Mapping) or set(kept) != {"expansions", "learned"}:
        raise InvalidStateError(f"{KEY}: is {short(kept)}")
    if not isinstance(kept["expansions"], list) or not kept["expansions"]:
        raise InvalidStateError(f"{KEY}.expansions: is no list of features")
    network = network_of(model)
    for place, one in enumerate(kept["expansions"]):
        _check_expansion(f"{KEY}.expansions[{place}]", one, network, len(model.problem.coordinates))
    learned = kept["learned"]
    if not isinstance(learned, Mapping) or set(learned) != set(model.learned):
        raise InvalidStateError(f"{KEY}.learned: {', '.join(model.learned) or 'none'} are needed")
    for name, value in learned.items():
        _check_tensor(f"{KEY}.learned.{name}", value, tuple(model.learned[name].shape))


def check_windows(kept: Any, model: Model) -> None:
    """Make sure that windows of time of a file are such as the networks of a model have.

    Raises:
        InvalidStateError: they are not. NonFiniteStateError: a number in them is not finite.
    """
    network = network_of(model)
    if (kept is None) != (network.windows is None):
        raise InvalidStateError(f"{WINDOWS}: {'are missing' if kept is None else 'are there, and this run has none'}")
    if network.windows is None:
        return
    if not isinstance(kept, Mapping) or set(kept) != {"present", "solved"} or not isinstance(kept["solved"], list):
        raise InvalidStateError(f"{WINDOWS}: is {short(kept)}")
    before, here = network.windows.begin, network.networks.state_dict()
    for place, one in enumerate(kept["solved"]):
        where = f"{WINDOWS}.solved[{place}]"
        if not isinstance(one, Mapping) or set(one) != {"ends", "state"} or not isinstance(one["state"], Mapping):
            raise InvalidStateError(f"{where}: is not whole")
        _check_ends(f"{where}.ends", one["ends"], before, network.windows.end)
        before = one["ends"][1]
        if set(one["state"]) != set(here):
            raise InvalidStateError(f"{where}.state: is of other networks")
        for name, usual in here.items():
            _check_tensor(f"{where}.state.{name}", one["state"][name], tuple(usual.shape), usual.dtype)
    _check_ends(f"{WINDOWS}.present", kept["present"], before, network.windows.end)


def _check_ends(where: str, ends: Any, begin: float, end: float) -> None:
    _check_numbers(where, ends, 2)
    if not begin == ends[0] < ends[1] <= end:
        raise InvalidStateError(f"{where}: {ends} do not go on from {begin} within {end}")


def _check_expansion(where: str, kept: Any, network: FieldNetworks, dimension: int) -> None:
    if not isinstance(kept, Mapping) or set(kept) != {"group", "description", *TENSORS}:
        raise InvalidStateError(f"{where}: is not whole")
    group = kept["group"]
    if not whole(group) or group >= len(network.members):
        raise InvalidStateError(f"{where}.group: is {short(group)}, and there are {len(network.members)} networks")
    _check_description(f"{where}.description", kept["description"], dimension, len(network.members[group]))
    description = kept["description"]
    count, inputs = description["count"], len(description["columns"]) + len(description.get("states", ()))
    shapes = {"weight": (inputs, count), "offset": (count,), "coefficients": (count, len(network.members[group]))}
    for name, shape in shapes.items():
        _check_tensor(f"{where}.{name}", kept[name], shape)


def _check_description(where: str, kept: Any, dimension: int, outputs: int) -> None:
    known = {one.name for one in fields(Features)}
    if not isinstance(kept, Mapping) or set(kept) | LATER != known:
        raise InvalidStateError(f"{where}: is not whole")
    if kept["kind"] not in KINDS:
        raise InvalidStateError(f"{where}.kind: there is no {short(kept['kind'])}")
    if not whole(kept["count"]) or not 1 <= kept["count"] <= MOST:
        raise InvalidStateError(f"{where}.count: is {short(kept['count'])}")
    if not whole(kept["seed"]):
        raise InvalidStateError(f"{where}.seed: {short(kept['seed'])} is no whole number from 0")
    columns = kept["columns"]
    _check_places(f"{where}.columns", columns, dimension)
    for key in ("periodic", "logarithmic"):
        _check_places(f"{where}.{key}", kept[key], len(columns))
    states, inverted, inversion = (kept.get(key, []) for key in ("states", "inverted", "inversion"))
    _check_places(f"{where}.inverted", inverted, dimension)
    _check_places(f"{where}.states", states, len(inverted) or outputs)
    if inverted or inversion:
        _check_numbers(f"{where}.inversion", inversion, len(inverted) + 1)
    for key in ("ranges", "lower", "upper"):
        _check_numbers(f"{where}.{key}", kept[key], len(columns) + len(states))
    for place, (lower, upper) in enumerate(zip(kept["lower"], kept["upper"], strict=True)):
        if not lower < upper or (place in kept["logarithmic"] and lower <= 0):
            raise InvalidStateError(f"{where}: the box from {lower:g} to {upper:g} cannot be scaled")
    interval = kept["interval"]
    if interval is not None:
        if not isinstance(interval, list) or len(interval) != 3:
            raise InvalidStateError(f"{where}.interval: is {short(interval)}")
        _check_places(f"{where}.interval[0]", interval[:1], dimension)
        _check_numbers(f"{where}.interval", interval[1:], 2, finite=False)


def _check_places(where: str, value: Any, count: int) -> None:
    if not isinstance(value, list) or not all(whole(one) and one < count for one in value):
        raise InvalidStateError(f"{where}: {short(value)} are no indices below {count}")


def _check_numbers(where: str, value: Any, count: int, finite: bool = True) -> None:
    if not isinstance(value, list) or len(value) != count or not all(isinstance(one, float) for one in value):
        raise InvalidStateError(f"{where}: {short(value)} are not {count} numbers")
    if any(math.isnan(one) or (finite and math.isinf(one)) for one in value):
        raise NonFiniteStateError(f"{where}: holds NaN or infinity")


def _check_tensor(where: str, value: Any, shape: tuple[int, ...], dtype: torch.dtype = torch.float64) -> None:
    if not isinstance(value, Tensor) or value.dtype != dtype or tuple(value.shape) != shape:
        needed = str(dtype).removeprefix("torch.")
        raise InvalidStateError(f"{where}: is {short(value)}, and {needed} of shape {shape} is needed")
    if not bool(torch.isfinite(value).all()):
        raise NonFiniteStateError(f"{where}: holds NaN or infinity")
