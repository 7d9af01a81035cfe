"""Operations of a program on NumPy arrays and torch tensors.

Python numbers do not change the dtype of the arrays.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

_OPERATORS: dict[str, Callable] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "neg": operator.neg,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "eq": operator.eq,
    "ne": operator.ne,
    "and": operator.and_,
    "or": operator.or_,
}


class Backend:
    """One array library: `run(name, *arguments)` performs an operation.

    `table` holds its functions, `is_array` distinguishes its arrays from Python numbers, and `full` makes a number an
    array of the dtype (and device) of the values.
    """

    def __init__(self, table: dict[str, Callable], is_array: Callable[[Any], bool], full: Callable[[float], Any]):
        self._table = table
        self._is_array = is_array
        self._full = full

    def run(self, name: str, *arguments: Any) -> Any:
        if not any(map(self._is_array, arguments)):
            return _plain(_NUMPY[name](*arguments))
        if name in ("max", "min", "atan2"):
            arguments = tuple(a if self._is_array(a) else self._full(a) for a in arguments)
        elif name == "where":
            condition, *choices = arguments
            if not self._is_array(condition):
                return choices[0] if condition else choices[1]
            arguments = (condition, *(a if self._is_array(a) else self._full(a) for a in choices))
        return self._table[name](*arguments)


def _plain(value: Any) -> Any:
    """A NumPy scalar as a Python number, which has no dtype to impose."""
    return (
        value.item() if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and not value.ndim) else value
    )


def _numpy_erf(x: Any) -> Any:
    from scipy.special import erf  # scipy is slow to import, and few problems need it

    return erf(x)


def _numpy_divide(a: Any, b: Any) -> Any:
    return np.divide(a, b)


_NUMPY: dict[str, Callable] = _OPERATORS | {
    "div": _numpy_divide,
    "pow": lambda a, b: np.power(a, float(b) if isinstance(b, int) else b),
    "not": np.logical_not,
    "sqrt": np.sqrt,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "atan2": np.arctan2,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "exp": np.exp,
    "log": np.log,
    "abs": np.abs,
    "sign": np.sign,
    "erf": _numpy_erf,
    "heaviside": np.heaviside,
    "sigmoid": lambda x: np.exp(-np.logaddexp(0.0, -x)),
    "softplus": lambda x: np.logaddexp(0.0, x),
    "max": np.maximum,
    "min": np.minimum,
    "where": np.where,
}


def numpy_backend(arrays: Sequence[np.ndarray] = ()) -> Backend:
    """NumPy; numbers become arrays of the common dtype of `arrays`."""
    dtype = np.result_type(*arrays) if arrays else np.dtype(float)
    return Backend(_NUMPY, lambda a: isinstance(a, np.ndarray), lambda number: np.asarray(number, dtype))


@functools.cache
def _torch_table() -> dict[str, Callable]:
    import torch

    def step(x: torch.Tensor, middle: float) -> torch.Tensor:
        # torch.heaviside has no derivative; sign has the right one, zero
        sign = torch.sign(x)
        half = 0.5 * (1.0 + sign)
        return half if middle == 0.5 else half + (middle - 0.5) * (1.0 - torch.abs(sign))

    def softplus(x: torch.Tensor) -> torch.Tensor:
        # torch's own softplus is linear beyond 20, where float64 is not
        return torch.logaddexp(x, torch.zeros_like(x))

    names = "sin cos tan asin acos atan atan2 sinh cosh tanh exp log abs sign erf sigmoid sqrt where"
    return (
        _OPERATORS
        | {name: getattr(torch, name) for name in names.split()}
        | {
            "div": operator.truediv,
            "pow": operator.pow,
            "not": torch.logical_not,
            "heaviside": step,
            "softplus": softplus,
            "max": torch.maximum,
            "min": torch.minimum,
        }
    )


def torch_backend(tensors: Sequence[Any]) -> Backend:
    """torch; numbers become tensors of the dtype and device of `tensors`."""
    import torch

    dtype = functools.reduce(torch.promote_types, (tensor.dtype for tensor in tensors))
    device = max(tensors, key=lambda tensor: tensor.ndim).device
    return Backend(
        _torch_table(),
        lambda a: isinstance(a, torch.Tensor),
        lambda number: torch.full((), number, dtype=dtype, device=device),
    )
