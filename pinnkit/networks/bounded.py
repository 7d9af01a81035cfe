"""Smooth maps from all real numbers onto an open interval, for what is trained within bounds."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def bounded(raw: Tensor, lower: float, upper: float, scale: float = 1.0) -> Tensor:
    """The value in (lower, upper) of a number that is trained without bounds; an infinite end bounds nothing.

    Between two ends lower + (upper - lower) sigmoid(z); above one lower + s exp(z), below one upper - s exp(z), with
    the scale s, which makes z = 0 a value of that size.
    """
    if math.isfinite(lower) and math.isfinite(upper):
        return lower + (upper - lower) * torch.sigmoid(raw)
    if math.isfinite(lower):
        positive = raw.exp() if scale == 1.0 else scale * raw.exp()
        return positive if lower == 0 else lower + positive
    if math.isfinite(upper):
        return upper - (raw.exp() if scale == 1.0 else scale * raw.exp())
    return raw


def unbounded(value: float, lower: float, upper: float) -> float:
    """The number of which `bounded`, with the scale 1, gives this value.

    >>> round(float(bounded(torch.tensor(unbounded(1.0, 0.1, 10.0), dtype=torch.float64), 0.1, 10.0)), 14)
    1.0
    """
    if math.isfinite(lower) and math.isfinite(upper):
        return math.log(value - lower) - math.log(upper - value)
    if math.isfinite(lower):
        return math.log(value - lower)
    return math.log(upper - value) if math.isfinite(upper) else value
