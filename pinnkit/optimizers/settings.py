"""Settings of optimizers: what the families share, and their registry.

This module and `methods` must stay free of torch: configurations are checked before torch is loaded.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from pinnkit.registry import Registry

OPTIMIZERS = Registry("optimizer", "pinnkit.optimizers.methods")

DECAY = {"above": 0, "help": "factor on the rate for each decay_every steps; 1: no decay"}
RATE = {"above": 0, "help": "rate after the warm-up"}
BETA1 = {"minimum": 0, "below": 1, "help": "factor on the mean of the gradient, each step"}


@dataclass(frozen=True)
class Auto:
    """The optimizers are chosen by the problem, the network and the machine."""

    name: ClassVar[str] = "auto"


@dataclass(frozen=True)
class Optimizer(ABC):
    """One phase of training: an optimizer, and for how many steps.

    One `step(closure)` of the optimizer that `build` gives is one iteration; the closure zeroes the gradients, computes
    the loss, calls `backward` and returns the loss.

    Attributes:
        name: the optimizer's name, `optimizer.name`.
        first_order: whether a step uses the gradient alone, at a rate that is given, and so never ends by itself.
        least_squares: whether a step needs the Jacobian of the residuals: it is set as the optimizer's `system`.
        mini_batches: whether a step may use points of its own; others learn their curvature from the same points.
        fresh_points: whether every step has points of its own, few of them, as a part of the method.
        worth: steps of other methods that one step is worth: a draw of points holds for so many times fewer.
        not_options: settings that the phase reads, not the optimizer.
    """

    name: ClassVar[str]
    first_order: ClassVar[bool] = False
    least_squares: ClassVar[bool] = False
    mini_batches: ClassVar[bool] = False
    fresh_points: ClassVar[bool] = False
    not_options: ClassVar[tuple[str, ...]] = ("steps",)

    steps: int | None = field(
        default=None, metadata={"minimum": 1, "help": "optimizer steps of this phase; null: until training ends"}
    )

    @abstractmethod
    def build(self, parameters: Iterable[Any]) -> Any:
        """The `torch.optim.Optimizer` on these parameters."""

    def set_threads(self, optimizer: Any, rows: int, matrices: int | None) -> None:  # noqa: B027
        """Say on how many threads the optimizer works; most need not know.

        Args:
            rows: threads that pass over a dense inverse Hessian.
            matrices: threads that build and factorise the matrices of least squares; None: as torch has them.
        """

    @property
    def worth(self) -> int:
        return 1

    def options(self) -> dict[str, Any]:
        """The settings that the optimizer reads."""
        return {one.name: getattr(self, one.name) for one in fields(self) if one.name not in self.not_options}

    def memory(self, parameters: int) -> tuple[str, float] | None:
        """The setting that bounds what the optimizer keeps, and how many numbers that are; None: little is kept."""
        return None


@dataclass(frozen=True)
class FirstOrder(Optimizer):
    """Methods that use the gradient alone: linear warm-up, then exponential decay of the rate."""

    first_order: ClassVar[bool] = True
    mini_batches: ClassVar[bool] = True

    learning_rate: float = field(default=1e-3, metadata=RATE)
    warmup: int = field(default=0, metadata={"minimum": 0, "help": "steps over which the rate rises linearly"})
    decay: float = field(default=1.0, metadata=DECAY)
    decay_every: int = field(default=1000, metadata={"minimum": 1, "help": "steps for one factor of decay"})
    beta1: float = field(default=0.9, metadata=BETA1)
    beta2: float = field(
        default=0.999, metadata={"minimum": 0, "below": 1, "help": "factor on the mean of its squares, each step"}
    )


@dataclass(frozen=True)
class LineSearch(Optimizer):
    """Quasi-Newton methods."""

    gradient_tolerance: float = field(
        default=0.0, metadata={"minimum": 0, "help": "finished when no entry of the gradient is larger"}
    )
    max_evaluations: int = field(
        default=25, metadata={"minimum": 1, "help": "evaluations of the loss that one line search may use"}
    )


@dataclass(frozen=True)
class LeastSquares(Optimizer):
    """Gauss-Newton methods."""

    least_squares: ClassVar[bool] = True

    max_evaluations: int = field(
        default=25, metadata={"minimum": 1, "help": "evaluations of the loss that one step may use"}
    )

    def set_threads(self, optimizer: Any, rows: int, matrices: int | None) -> None:
        if matrices is not None:
            optimizer.set_matrix_threads(matrices)


def optimizers_where(holds: Callable[[type[Optimizer]], bool]) -> str:
    """The names of the optimizers of which this holds, as a message lists them.

    >>> optimizers_where(lambda one: one.first_order)
    'adam, soap'
    """
    return ", ".join(name for name, one in OPTIMIZERS.items() if holds(one))
