"""Evidence on a run: everything that a verdict is decided from, in plain numbers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from pinnkit.verdict.balance import Balance
from pinnkit.verdict.progress import Progress


@dataclass(frozen=True)
class Evidence:
    """What was measured of a run.

    Attributes:
        equations, conditions: the balance of each, at points that training has not seen.
        progress: how training came to its end.
        errors: relative L2 error of each field that has a reference, and of each learned number whose truth is known.
        numbers: those of `errors` that are learned numbers.
        reference: the name of the reference.
        reference_error: the error that it claims itself; None: it claims none.
        late_change: the largest relative change of a field in the last third of training; None: not known.
        asked: the error that was asked for (`trainer.stop_error`, `trainer.stop_estimated_error`).
        estimated: estimated relative L2 error of each field; None: not known.
        doubts: why the problem as posed has no solution, or many; a sentence each.
        drift: a sentence on a conserved quantity that drifts more than the errors claim; "": none does.
        one_rate: whether all optimizers have a learning rate that is given.
        steady: whether time is no coordinate.
        direct: whether features were solved for, and no network trained.
        rises: the factors by which the objective rose on new points, where training went back, or had done so before.
        restarts: how often training began anew, as its answer solved nothing.
    """

    equations: Mapping[str, Balance]
    conditions: Mapping[str, Balance]
    progress: Progress
    errors: Mapping[str, float] = field(default_factory=dict)
    numbers: Collection[str] = ()
    reference: str | None = None
    reference_error: float | None = None
    late_change: float | None = None
    asked: float | None = None
    estimated: Mapping[str, float | None] = field(default_factory=dict)
    doubts: Sequence[str] = ()
    one_rate: bool = False
    steady: bool = False
    direct: bool = False
    drift: str = ""
    rises: Sequence[float] = ()
    restarts: int = 0
