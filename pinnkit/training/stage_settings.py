"""Settings of `stages`: optimizers with limits of their own, further levels of networks, and a polish."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, make_dataclass
from typing import Any, ClassVar

from pinnkit.language.errors import Report
from pinnkit.optimizers.settings import OPTIMIZERS, Optimizer
from pinnkit.registry import Registry


@dataclass(frozen=True)
class StageLimits:
    """What a stage trains, and when it ends, besides after its `steps`."""

    terms: tuple[str, ...] | None = None
    """The equations and conditions that it trains, by their names; None: all."""
    max_time: float | None = field(default=None, metadata={"above": 0.0})
    """Seconds of training in it."""
    stop_loss: float | None = field(default=None, metadata={"above": 0.0})
    """It ends when the objective of its terms is at most this."""


class StageRegistry(Registry):
    """Every optimizer, with `StageLimits`, and the parts that are registered here."""

    def _load(self) -> None:
        for name, kind in OPTIMIZERS.items():
            if name not in self._parts:
                own = {"not_options": (*kind.not_options, "terms", "max_time", "stop_loss")}
                bases = (kind, StageLimits)
                self._parts[name] = make_dataclass(kind.__name__, [], bases=bases, namespace=own, frozen=True)


STAGES = StageRegistry("stage", "pinnkit.optimizers.methods")


@STAGES.register("level")
@dataclass(frozen=True)
class Level:
    """From here on another network is trained, which is added to those before; these stay as they are."""

    name: ClassVar[str]


@STAGES.register("polish")
@dataclass(frozen=True)
class Polish:
    """Features correct the trained network; the last stage."""

    name: ClassVar[str]

    max_time: float | None = field(default=None, metadata={"above": 0.0})
    """Seconds that it may take."""


def check_stages(stages: tuple[Any, ...], report: Report) -> None:
    """Report stages that cannot follow each other."""
    last = len(stages)
    for number, one in enumerate(stages, start=1):
        key, behind = f"stages[{number}]", stages[number:]
        if isinstance(one, Polish) and number < last:
            report.add(key, "polish corrects what was trained: it stands last")
        elif isinstance(one, Polish | Level) and number == 1:
            what = "correct" if isinstance(one, Polish) else "go on from"
            report.add(key, f"{one.name} has no trained network to {what}: write an optimizer before it")
        elif isinstance(one, Level) and not (behind and isinstance(behind[0], Optimizer)):
            report.add(key, "level adds a network, which no optimizer trains: write one behind it, such as ssbroyden")
        elif isinstance(one, Optimizer) and any(isinstance(other, Optimizer) for other in behind):
            limits = one.steps, getattr(one, "max_time", None), getattr(one, "stop_loss", None)
            if one.first_order and all(limit is None for limit in limits):
                message = f"a stage of {one.name} ends only by a limit: write {{name: {one.name}, steps: 300}}"
                report.add(f"{key}.steps", f"{message}, or give it max_time or stop_loss")


def levelled(stages: tuple[Any, ...]) -> Iterator[tuple[int, int, Optimizer]]:
    """The number of each optimizer among the stages, from 1, and the level that it trains, from 0."""
    level = 0
    for number, one in enumerate(stages, start=1):
        level += isinstance(one, Level)
        if isinstance(one, Optimizer):
            yield number, level, one
