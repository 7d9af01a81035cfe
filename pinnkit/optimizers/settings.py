"""The settings of every optimizer, as plain dataclasses.

The metadata of a field may hold `minimum` (smallest allowed value), `above` (a strict lower bound) and
`help`; who reads a configuration enforces them. This module must stay free of torch: configurations are
checked before torch is loaded.
"""

from __future__ import annotations

from dataclasses import dataclass, field

STEPS_HELP = "optimizer steps of this phase; null: until training ends"


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma and Ba 2015, arXiv 1412.6980) with linear warm-up, then exponential decay of its rate."""

    learning_rate: float = field(default=1e-3, metadata={"above": 0, "help": "rate after the warm-up"})
    warmup: int = field(default=0, metadata={"minimum": 0, "help": "steps over which the rate rises linearly"})
    decay: float = field(
        default=1.0,
        metadata={"above": 0, "help": "factor on the rate for each decay_every steps; 1: no decay"},
    )
    decay_every: int = field(default=1000, metadata={"minimum": 1, "help": "steps for one factor of decay"})
    steps: int | None = field(default=None, metadata={"minimum": 1, "help": STEPS_HELP})


@dataclass(frozen=True)
class LBFGS:
    """L-BFGS with a strong-Wolfe line search (`torch.optim.LBFGS`), one iteration a step."""

    history: int = field(default=50, metadata={"minimum": 1, "help": "pairs (s, y) that are remembered"})
    steps: int | None = field(default=None, metadata={"minimum": 1, "help": STEPS_HELP})


@dataclass(frozen=True)
class SelfScaled:
    """BFGS, SSBFGS or SSBroyden with a dense inverse Hessian, which costs 8 n^2 bytes in float64."""

    max_parameters: int = field(
        default=6000, metadata={"minimum": 1, "help": "largest n accepted: memory and time grow as n^2"}
    )
    gradient_tolerance: float = field(
        default=0.0, metadata={"minimum": 0, "help": "finished when no entry of the gradient is larger"}
    )
    max_evaluations: int = field(
        default=25, metadata={"minimum": 1, "help": "evaluations of the loss that one line search may use"}
    )
    steps: int | None = field(default=None, metadata={"minimum": 1, "help": STEPS_HELP})


OPTIMIZERS: dict[str, type] = {
    "adam": Adam,
    "lbfgs": LBFGS,
    "bfgs": SelfScaled,
    "ssbfgs": SelfScaled,
    "ssbroyden": SelfScaled,
}
