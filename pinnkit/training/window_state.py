"""Checks of what a checkpoint holds of windows of time beside their networks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import torch
from torch import Tensor, nn

from pinnkit.optimizers.state_check import InvalidStateError, NonFiniteStateError, number, short, whole
from pinnkit.training.time_windows import Told

WHERE = "CollocationData"


def check_window_state(kept: Mapping[str, Any], network: nn.Module) -> None:
    """Make sure that windows can go on from the state of the points of a checkpoint.

    Raises:
        InvalidStateError: they cannot. NonFiniteStateError: a number that must be finite is not.
    """
    for key in ("window", "first_draw"):
        if not whole(kept.get(key)):
            raise InvalidStateError(f"{WHERE}.{key}: {short(kept.get(key))} is no count")
    state, keys = kept.get("windows"), {"told", "number", "began_step", "began_s", "first_objective", "begun"}
    where = f"{WHERE}.windows"
    if not isinstance(state, Mapping) or set(state) != keys or not isinstance(state["told"], list):
        raise InvalidStateError(f"{where}: is {short(state)}")
    for key in ("number", "began_step"):
        if not whole(state[key]):
            raise InvalidStateError(f"{where}.{key}: {short(state[key])} is no count")
    number(f"{where}.began_s", state["began_s"])
    if not isinstance(state["first_objective"], float):
        raise InvalidStateError(f"{where}.first_objective: is {short(state['first_objective'])}")
    for place, one in enumerate(state["told"]):
        if not isinstance(one, Mapping) or set(one) != {each.name for each in fields(Told)}:
            raise InvalidStateError(f"{where}.told[{place}]: is {short(one)}")
        if not all(isinstance(one[key], float) and not math.isnan(one[key]) for key in ("lower", "upper")):
            raise InvalidStateError(f"{where}.told[{place}]: is {short(one)}")
    here = {name: one for name, one in network.named_parameters() if name.startswith("networks.")}
    begun = state["begun"]
    if not isinstance(begun, Mapping) or {f"networks.{name}" for name in begun} != set(here):
        raise InvalidStateError(f"{where}.begun: is of other networks")
    for name, one in begun.items():
        if not isinstance(one, Tensor) or one.shape != here[f"networks.{name}"].shape:
            raise InvalidStateError(f"{where}.begun.{name}: is {short(one)}")
        if not bool(torch.isfinite(one).all()):
            raise NonFiniteStateError(f"{where}.begun.{name}: holds NaN or infinity")
