"""Tracing of a map from coordinates to fields to a graph of torch operations."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from pinnkit.language.errors import Mistake, ProblemError


@contextmanager
def quiet() -> Iterator[None]:
    """Leave out what torch says about versions of itself and packages that it misses."""
    log = logging.getLogger("torch.onnx._internal.exporter._registration")
    former, log.disabled = log.disabled, True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.disabled = former


def traced(field_map: nn.Module, points: Mapping[str, Tensor]) -> torch.export.ExportedProgram:
    """The graph of a map, for any number of points.

    Args:
        points: an example of its arguments.

    Raises:
        ProblemError: it cannot be traced, such as a network of the user's own that branches on values.
    """
    sizes: dict[str, Any] = {name: {0: torch.export.Dim("points")} for name in points}
    try:
        with quiet(), torch.no_grad():
            return torch.export.export(field_map, (dict(points),), dynamic_shapes=(sizes,))
    except Exception as error:  # whatever torch, or a network of the user's own, raises
        first = (str(error).splitlines() or [type(error).__name__])[0]
        message = f"torch.export cannot trace the network: {type(error).__name__}: {first}"
        raise ProblemError([Mistake("export", f"{message}; csv, netcdf and vtk hold its values")]) from error
