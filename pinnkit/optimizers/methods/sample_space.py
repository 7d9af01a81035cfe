"""Gauss-Newton methods in the space of the samples."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from pinnkit.optimizers.settings import OPTIMIZERS, LeastSquares


@dataclass(frozen=True)
class SampleSpace(LeastSquares):
    """Gauss-Newton steps by a matrix of the size of the batch, for networks that are larger than that."""

    mini_batches: ClassVar[bool] = True

    max_bytes: float = field(
        default=8e9, metadata={"above": 0, "help": "of the Jacobian and the kernel; more is refused"}
    )

    def build(self, parameters: Iterable[Any]) -> Any:
        from pinnkit.optimizers import sample_space

        return sample_space.SampleSpace(parameters, self.name, **self.options())


@OPTIMIZERS.register("engd_w")
@dataclass(frozen=True)
class ENGDW(SampleSpace):
    """ENGD-W: the steps of Levenberg-Marquardt."""


@OPTIMIZERS.register("spring")
@dataclass(frozen=True)
class Spring(SampleSpace):
    """SPRING: ENGD-W with momentum, a fixed damping and a line search."""

    mini_batches: ClassVar[bool] = False
    fresh_points: ClassVar[bool] = True
    not_options: ClassVar[tuple[str, ...]] = ("steps", "settle")

    momentum: float = field(default=0.7, metadata={"minimum": 0, "below": 1, "help": "share of the last step kept"})
    damping: float = field(default=1e-8, metadata={"above": 0, "help": "times the largest entry of the kernel"})
    settle: float = field(
        default=0.15, metadata={"minimum": 0, "below": 1, "help": "share of a run, at its end, in which steps shorten"}
    )
