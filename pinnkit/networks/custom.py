"""Networks of the user's own: whether they can stand for the fields."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


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
