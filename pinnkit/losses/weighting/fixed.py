"""Weights that stay as they are."""

from __future__ import annotations

from dataclasses import dataclass

from pinnkit.losses.settings import WEIGHTINGS, Weighting


@WEIGHTINGS.register("fixed")
@dataclass(frozen=True)
class Fixed(Weighting):
    """The weights of the problem, or those given by hand, for the whole run."""
