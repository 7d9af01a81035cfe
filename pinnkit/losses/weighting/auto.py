"""The weighting that is known to pay."""

from __future__ import annotations

from dataclasses import dataclass

from pinnkit.losses.settings import WEIGHTINGS
from pinnkit.losses.weighting.fixed import Fixed


@WEIGHTINGS.register("auto")
@dataclass(frozen=True)
class Automatic(Fixed):
    """What measurements on several problems show to pay. They show it for no strategy yet, so that this is `fixed`,
    with scales where numbers are far from 1."""
