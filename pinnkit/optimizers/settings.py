"""The settings of every optimizer, as plain dataclasses.

The metadata of a field may hold `minimum` (smallest allowed value), `above` and `below` (strict bounds) and
`help`; who reads a configuration enforces them. This module must stay free of torch: configurations are
checked before torch is loaded.
"""

from __future__ import annotations

from dataclasses import dataclass, field

STEPS_HELP = "optimizer steps of this phase; null: until training ends"
DECAY = {"above": 0, "help": "factor on the rate for each decay_every steps; 1: no decay"}
RATE = {"above": 0, "help": "rate after the warm-up"}
BETA1 = {"minimum": 0, "below": 1, "help": "factor on the mean of the gradient, each step"}


@dataclass(frozen=True)
class FirstOrder:
    """What the methods that use the gradient alone share: linear warm-up, then exponential decay of the rate."""

    learning_rate: float = field(default=1e-3, metadata=RATE)
    warmup: int = field(default=0, metadata={"minimum": 0, "help": "steps over which the rate rises linearly"})
    decay: float = field(default=1.0, metadata=DECAY)
    decay_every: int = field(default=1000, metadata={"minimum": 1, "help": "steps for one factor of decay"})
    beta1: float = field(default=0.9, metadata=BETA1)
    beta2: float = field(
        default=0.999, metadata={"minimum": 0, "below": 1, "help": "factor on the mean of its squares, each step"}
    )
    steps: int | None = field(default=None, metadata={"minimum": 1, "help": STEPS_HELP})


@dataclass(frozen=True)
class Adam(FirstOrder):
    """Adam (Kingma and Ba 2015, arXiv 1412.6980)."""


@dataclass(frozen=True)
class SOAP(FirstOrder):
    """SOAP (Vyas et al. 2024, arXiv 2409.11321; for PINNs arXiv 2502.00604): Adam in Shampoo's eigenbasis."""

    learning_rate: float = field(default=1e-2, metadata=RATE)
    decay: float = field(default=0.9, metadata=DECAY)
    beta1: float = field(default=0.95, metadata=BETA1)
    precondition_every: int = field(
        default=2, metadata={"minimum": 1, "help": "steps for one turn of the eigenbasis, which costs a QR a layer"}
    )


@dataclass(frozen=True)
class LineSearch:
    """What the quasi-Newton methods share."""

    gradient_tolerance: float = field(
        default=0.0, metadata={"minimum": 0, "help": "finished when no entry of the gradient is larger"}
    )
    max_evaluations: int = field(
        default=25, metadata={"minimum": 1, "help": "evaluations of the loss that one line search may use"}
    )
    steps: int | None = field(default=None, metadata={"minimum": 1, "help": STEPS_HELP})


@dataclass(frozen=True)
class LBFGS(LineSearch):
    """L-BFGS, one iteration a step; its memory is 2 history n numbers."""

    history: int = field(default=50, metadata={"minimum": 1, "help": "pairs (s, y) that are remembered"})


@dataclass(frozen=True)
class SelfScaled(LineSearch):
    """BFGS, SSBFGS or SSBroyden with a dense inverse Hessian, by its factor: 8 n^2 bytes in float64."""

    max_parameters: int = field(
        default=12_000, metadata={"minimum": 1, "help": "largest n accepted: memory and time grow as n^2"}
    )


@dataclass(frozen=True)
class LeastSquares:
    """What the Gauss-Newton methods share."""

    max_evaluations: int = field(
        default=25, metadata={"minimum": 1, "help": "evaluations of the loss that one step may use"}
    )
    steps: int | None = field(default=None, metadata={"minimum": 1, "help": STEPS_HELP})


@dataclass(frozen=True)
class GaussNewton(LeastSquares):
    """Levenberg-Marquardt with a dense J'J, which costs 16 n^2 bytes in float64 with its factor."""

    max_parameters: int = field(
        default=6000, metadata={"minimum": 1, "help": "largest n accepted: time grows as N n^2 + n^3"}
    )


@dataclass(frozen=True)
class GaussNewtonCG(LeastSquares):
    """The same steps by conjugate gradients, without any matrix."""

    cg_iterations: int = field(default=200, metadata={"minimum": 1, "help": "products with J'J in a step at most"})
    cg_tolerance: float = field(default=1e-7, metadata={"above": 0, "help": "relative residual at which they end"})


@dataclass(frozen=True)
class SampleSpace(LeastSquares):
    """ENGD-W: the same steps by a matrix of the size of the batch, for networks that are larger than that."""

    max_bytes: float = field(
        default=8e9, metadata={"above": 0, "help": "of the Jacobian and the kernel; more is refused"}
    )


@dataclass(frozen=True)
class Spring(SampleSpace):
    """SPRING: ENGD-W with momentum, a fixed damping and a line search."""

    momentum: float = field(default=0.7, metadata={"minimum": 0, "below": 1, "help": "share of the last step kept"})
    damping: float = field(default=1e-8, metadata={"above": 0, "help": "times the largest entry of the kernel"})
    settle: float = field(
        default=0.15, metadata={"minimum": 0, "below": 1, "help": "share of a run, at its end, in which steps shorten"}
    )


OPTIMIZERS: dict[str, type] = {
    "adam": Adam,
    "soap": SOAP,
    "lbfgs": LBFGS,
    "bfgs": SelfScaled,
    "ssbfgs": SelfScaled,
    "ssbroyden": SelfScaled,
    "gauss_newton": GaussNewton,
    "gauss_newton_cg": GaussNewtonCG,
    "engd_w": SampleSpace,
    "spring": Spring,
}
