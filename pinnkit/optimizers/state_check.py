"""Check of an optimizer's saved state before it is loaded."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from pinnkit.optimizers.deterministic import DeterministicOptimizer
from pinnkit.optimizers.inverse_hessian import MAX_PENDING_UPDATES
from pinnkit.optimizers.lbfgs import LBFGS
from pinnkit.optimizers.soap import SOAP, _by_shape, _joined_batch, _matrix_sides

COUNTS = ("evaluations", "failures", "stalls", "wait", "waited", "refused")
POSITIVE = ("expected_step", "first_share", "damping", "bolder", "scale")
VECTORS = ("gradient", "direction", "half", "previous")
LISTS = ("s", "y", "ys")
CHANGE = ("lr", "step", "finished", "params")
"""Entries of a parameter group that change in training."""
PARTNERS = {"direction": ("half", "inverse_hessian"), "loss": ("gradient",), "gradient": ("loss",)}
"""Entries that need others beside them."""


class InvalidStateError(ValueError):
    """An invalid entry of a saved state; the message begins with its key."""


class NonFiniteStateError(InvalidStateError):
    """A NaN or infinite number in a saved state."""


def check_state(optimizer: torch.optim.Optimizer, saved: Any, same_torch: bool = True) -> None:
    """Check that `optimizer`, as it is built, can continue from a saved `state_dict`.

    Args:
        same_torch: whether this version of torch has saved it; other versions may have other options.

    Raises:
        InvalidStateError: it cannot. NonFiniteStateError: a number in it is not finite.
    """
    fresh = optimizer.state_dict()
    if not isinstance(saved, Mapping) or set(saved) != set(fresh):
        raise InvalidStateError(f": {', '.join(map(repr, fresh))} are needed")
    _check_groups(fresh["param_groups"], saved["param_groups"], same_torch)
    state = saved["state"]
    parameters = [one for group in optimizer.param_groups for one in group["params"]]
    known = _owners(optimizer, parameters)
    if not isinstance(state, Mapping) or not set(state) <= set(known):
        raise InvalidStateError(".state: is of other parameters")
    if isinstance(optimizer, DeterministicOptimizer):
        if state:
            _check_memory(optimizer, _mapping("state[0]", state[0]), parameters)
        return
    if not isinstance(optimizer, SOAP) and not _is_plain_adam(optimizer):
        for index, entries in state.items():
            _check_numbers(f"state[{index}]", entries)
        return
    if state and set(state) != set(known):
        raise InvalidStateError(".state: is of some parameters only")
    for index, shapes in known.items() if state else ():
        entries = _mapping(f"state[{index}]", state[index])
        if set(entries) != set(shapes):
            raise InvalidStateError(f".state[{index}]: {', '.join(shapes)} are needed")
        for name, shape in shapes.items():
            kind = torch.float32 if name == "step" else parameters[index].dtype
            _tensor(f"state[{index}].{name}", entries[name], shape, kind)


def _is_plain_adam(optimizer: torch.optim.Optimizer) -> bool:
    return type(optimizer) is torch.optim.Adam and not any(group["amsgrad"] for group in optimizer.param_groups)


def _check_numbers(where: str, entries: Any) -> None:
    """Check that all numbers in the state of an optimizer of the user's are finite; its names are not known here."""
    for name, value in _mapping(where, entries).items():
        if isinstance(value, Tensor) and not bool(torch.isfinite(value).all()):
            raise NonFiniteStateError(f".{where}.{name}: holds NaN or infinity")
        if isinstance(value, float):
            number(f".{where}.{name}", value)


def _owners(optimizer: torch.optim.Optimizer, parameters: Sequence[Tensor]) -> dict[int, dict[str, tuple[int, ...]]]:
    """Index of each parameter with a state -> names and shapes of its tensors."""
    if isinstance(optimizer, DeterministicOptimizer):
        return {0: {}}
    places = {id(one): index for index, one in enumerate(parameters)}
    if isinstance(optimizer, SOAP):
        found = {}
        for alike in _by_shape(parameters):
            joined = _joined_batch([one.detach() for one in alike])
            shapes = {"first": tuple(joined.shape), "second": tuple(joined.shape)}
            for side in _matrix_sides(joined):
                length = joined.shape[1 if side == "left" else 2]
                shapes[side] = shapes[f"{side}_basis"] = (joined.shape[0], length, length)
            found[places[id(alike[0])]] = shapes
        return found
    return {
        index: {"step": (), "exp_avg": tuple(one.shape), "exp_avg_sq": tuple(one.shape)}
        for index, one in enumerate(parameters)
    }


def _check_groups(fresh: list[dict[str, Any]], saved: Any, same_torch: bool) -> None:
    if not isinstance(saved, list) or len(saved) != len(fresh):
        raise InvalidStateError(f".param_groups: a list of {len(fresh)} is needed")
    for place, (group, found) in enumerate(zip(fresh, saved, strict=True)):
        where = f"param_groups[{place}]"
        missing = set(group) - set(_mapping(where, found))
        if missing and (same_torch or missing & set(CHANGE)):
            raise InvalidStateError(f".{where}: '{min(missing)}' is missing")
        for key in set(group) & set(found):
            value = found[key]
            if key == "finished":
                right = value is None or isinstance(value, str)
            elif key == "lr":
                right = number(f".{where}.lr", value) >= 0.0
            elif key == "step":
                right = whole(value)
            else:
                right = _same(value, group[key])
            if not right:
                raise InvalidStateError(f".{where}.{key}: is {short(value)}, and was {short(group[key])} at the start")


def _check_memory(optimizer: DeterministicOptimizer, memory: Mapping[str, Any], parameters: Sequence[Tensor]) -> None:
    """Check the state of a `DeterministicOptimizer`."""
    n, kind = sum(one.numel() for one in parameters), parameters[0].dtype
    for name in ("evaluations", "failures", "diagnostics", *optimizer._initial_state):
        if name not in memory:
            raise InvalidStateError(f".state[0]: '{name}' is missing")
    for name, value in memory.items():
        where = f"state[0].{name}"
        if partner := next((one for one in PARTNERS.get(name, ()) if one not in memory), None):
            raise InvalidStateError(f".{where}: is there without '{partner}'")
        if name in COUNTS:
            if not whole(value):
                raise InvalidStateError(f".{where}: {short(value)} is no count")
        elif name in POSITIVE:
            if not number(f".{where}", value) > 0.0:
                raise InvalidStateError(f".{where}: {short(value)} is not above 0")
        elif name in ("loss", "length"):
            number(f".{where}", value)
        elif name in VECTORS:
            _tensor(where, value, (n,), kind)
        elif name == "inverse_hessian":
            _check_factor(where, _mapping(where, value), n, kind)
        elif name in LISTS:
            _check_pairs(optimizer, memory, n, kind)
        elif name != "diagnostics" or not all(isinstance(one, float) for one in _mapping(where, value).values()):
            raise InvalidStateError(f".{where}: {short(value)} does not belong there")


def _check_factor(where: str, found: Mapping[str, Any], n: int, kind: torch.dtype) -> None:
    waiting = {"left", "right", "scale"}
    if set(found) not in ({"factor"}, {"factor", *waiting}):
        raise InvalidStateError(f".{where}: has the entries {', '.join(map(str, found))}")
    _tensor(f"{where}.factor", found["factor"], (n, n), kind)
    if "left" in found:
        columns = found["left"].shape[-1] if isinstance(found["left"], Tensor) and found["left"].ndim == 2 else 0
        if columns % 2 or not 2 <= columns <= 2 * MAX_PENDING_UPDATES:
            raise InvalidStateError(f".{where}.left: has {columns} columns")
        for name in ("left", "right"):
            _tensor(f"{where}.{name}", found[name], (n, columns), kind)
        number(f".{where}.scale", found["scale"])


def _check_pairs(optimizer: DeterministicOptimizer, memory: Mapping[str, Any], n: int, kind: torch.dtype) -> None:
    lists: list[Any] = [memory.get(name) for name in LISTS]
    if not isinstance(optimizer, LBFGS) or not all(isinstance(one, list) for one in lists):
        raise InvalidStateError(".state[0]: s, y and ys are lists of one length")
    if len({len(one) for one in lists}) != 1 or len(lists[0]) > optimizer.history:
        raise InvalidStateError(f".state[0]: s, y and ys have {', '.join(str(len(one)) for one in lists)} entries")
    if lists[0] and "scale" not in memory:
        raise InvalidStateError(".state[0]: 'scale' is missing")
    for place, (s, y, ys) in enumerate(zip(*lists, strict=True)):
        _tensor(f"state[0].s[{place}]", s, (n,), kind)
        _tensor(f"state[0].y[{place}]", y, (n,), kind)
        if not number(f".state[0].ys[{place}]", ys) > 0.0:
            raise InvalidStateError(f".state[0].ys[{place}]: {ys} is not above 0")


def _same(here: Any, there: Any) -> bool:
    if isinstance(here, list | tuple) and type(here) is type(there):
        return len(here) == len(there) and all(map(_same, here, there))
    return not isinstance(here, Tensor) and type(here) is type(there) and here == there


def _mapping(where: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidStateError(f".{where}: {short(value)} is no mapping")
    return value


def whole(value: Any) -> bool:
    """Whether a value is an integer of at least 0."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def number(where: str, value: Any) -> float:
    """A finite number.

    Raises:
        InvalidStateError: it is none. NonFiniteStateError: it is NaN or infinite.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidStateError(f"{where}: {short(value)} is no number")
    if not math.isfinite(value):
        raise NonFiniteStateError(f"{where}: is {value}")
    return float(value)


def _tensor(where: str, value: Any, shape: tuple[int, ...], kind: torch.dtype) -> None:
    if not isinstance(value, Tensor) or tuple(value.shape) != shape or value.dtype != kind:
        found = f"{tuple(value.shape)}, {value.dtype}" if isinstance(value, Tensor) else short(value)
        raise InvalidStateError(f".{where}: is {found}, and {shape}, {kind} is needed")
    if not bool(torch.isfinite(value).all()):
        raise NonFiniteStateError(f".{where}: holds NaN or infinity")


def short(value: Any) -> str:
    """A short text for a value in a message."""
    text = f"a tensor {tuple(value.shape)}" if isinstance(value, Tensor) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
