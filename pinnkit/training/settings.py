"""Settings of a training run: where it computes, when it ends, checkpoints, callbacks, loggers."""

from __future__ import annotations

from dataclasses import dataclass, field

from pinnkit.reporting.artifacts import FIGURE_FORMATS

SHARDS = (1, 2, 4, 8, 16, 32, 64)
DIVIDES = "a number of processes that divides them is needed"
DEFAULT_STEPS = 10_000
"""Optimizer steps of a run that is given neither steps nor time."""


def default_reduction(dimension: int) -> float:
    """The share of its first value to which the objective falls before such a run ends earlier.

    Errors go with its square root. In one coordinate steps are cheap, so that more is asked.
    """
    return 1e-15 if dimension == 1 else 1e-13


@dataclass(frozen=True)
class Trainer:
    """Where a run computes, and when it ends: at the first of the limits that are given."""

    accelerator: str = field(default="cpu", metadata={"choices": ("cpu", "gpu")})
    """The device that trains."""
    devices: int | None = field(default=1, metadata={"minimum": 1, "maximum": 4096})
    """Processes on each machine, each with a share of the points: one a GPU, or on CPUs as many as you like; None: one
    for each GPU that is there."""
    nodes: int = field(default=1, metadata={"minimum": 1, "maximum": 100_000})
    """Machines; with more than one the processes are started from outside, by torchrun or srun."""
    shards: int | None = field(default=None, metadata={"choices": SHARDS})
    """In how many parts losses and gradients are summed, whatever the number of processes: all that divide it agree to
    the bit (on one kind of machine, with one engine). None: one for each process, whose sums differ by rounding."""
    max_steps: int | None = field(default=None, metadata={"minimum": 1})
    """Optimizer steps in all; None: until `max_time`, and at most `default_steps` where that is None too."""
    default_steps: int = field(default=DEFAULT_STEPS, metadata={"minimum": 1})
    """Optimizer steps of a run that is given neither steps nor time."""
    max_time: float | None = field(default=None, metadata={"above": 0.0})
    """Seconds of training, without those of compiling; the points of the last `sampling.redraw_every` steps, and
    of what is left, stay."""
    stop_loss: float | None = field(default=None, metadata={"minimum": 0.0})
    """Stop when the objective is at most this."""
    stop_reduction: float | None = field(default=None, metadata={"minimum": 0.0})
    """Stop when the objective is at most this share of its first value; None: `default_reduction` where neither steps
    nor time are given, and no such limit otherwise."""
    default_reduction: float | None = field(default=None, metadata={"minimum": 0.0})
    """That share in a run that is given neither steps nor time; None: 1e-13 (1e-15 in one coordinate)."""
    stop_error: float | None = field(default=None, metadata={"minimum": 0.0})
    """Stop when the relative L2 error of every field with a reference is at most this."""
    stop_estimated_error: float | None = field(default=None, metadata={"minimum": 0.0})
    """Stop when the estimated relative L2 error of every field is at most this; no reference is needed."""
    restarts: int = field(default=2, metadata={"minimum": 0, "maximum": 10})
    """How often training begins anew, at most, with another seed and larger weights of the conditions at the start,
    where it has stalled at an answer that solves nothing; each answer has an equal share of the budget. 0: never."""
    steps_per_batch: int = field(default=10, metadata={"minimum": 1})
    """Optimizer steps in each call of `training_step`; losses are logged once in each."""

    @property
    def asked_error(self) -> float | None:
        """The error that is to be reached, measured or estimated."""
        asked = [one for one in (self.stop_error, self.stop_estimated_error) if one is not None]
        return max(asked, default=None)

    @property
    def steps(self) -> int | None:
        """The limit on optimizer steps that holds."""
        return self.default_steps if self._unbounded else self.max_steps

    def reduction(self, dimension: int) -> float | None:
        """The limit on the objective's reduction that holds in that many coordinates."""
        if not self._unbounded or self.stop_reduction is not None:
            return self.stop_reduction
        return self.reduction_by_default(dimension)

    def reduction_by_default(self, dimension: int) -> float:
        """The same where neither steps nor time are given."""
        return default_reduction(dimension) if self.default_reduction is None else self.default_reduction

    @property
    def _unbounded(self) -> bool:
        return self.max_steps is None and self.max_time is None


@dataclass(frozen=True)
class Checkpoint:
    """When checkpoints are written, besides at the end of a run."""

    every_steps: int = field(default=1000, metadata={"minimum": 1})
    """Optimizer steps between checkpoints."""
    every_minutes: float = field(default=10.0, metadata={"above": 0.0})
    """Minutes between checkpoints, where so many steps take longer."""


TERMINALS = ("auto", "plain", "quiet")


@dataclass(frozen=True)
class Callbacks:
    """What is watched while training."""

    progress: bool = True
    """A line with objective, error and the time that is left: kept up to date on a terminal, now and then elsewhere."""
    terminal: str = field(default="auto", metadata={"choices": TERMINALS})
    """auto: a line that is kept up to date, and colours, on a terminal; plain: lines as in a log; quiet: the verdict
    and warnings alone. train.log has all."""
    evaluate_every: int = field(default=100, metadata={"minimum": 1})
    """Optimizer steps between measurements of the error."""
    figures: bool = True
    """Figures of the solution at the end, as files and in TensorBoard."""
    figures_every: int | None = field(default=None, metadata={"minimum": 1})
    """Optimizer steps between figures in TensorBoard at the start and while training; None: none."""
    figures_format: tuple[str, ...] = field(default=("png",), metadata={"choices": FIGURE_FORMATS})
    """The files of each figure: png, and for a paper pdf or svg, dense maps as images, the rest as lines."""
    figures_dpi: int = field(default=150, metadata={"minimum": 20, "maximum": 1200})
    """Pixels per inch of a png, and of the images within a pdf or svg."""


@dataclass(frozen=True)
class WandB:
    """A run of Weights & Biases for each run."""

    enabled: bool = False
    """Whether the run is logged there: `logger=wandb`."""
    project: str = "pinnkit"
    """The project that the run stands in."""
    name: str | None = None
    """The name of the run; None: its folder."""
    group: str | None = None
    """The group that the run stands in; None: the problem's name."""
    entity: str | None = None
    """The user or team; None: the one who is logged in."""
    offline: bool = False
    """Write to the folder `wandb` alone, whence `wandb sync` sends it later."""


@dataclass(frozen=True)
class MLflow:
    """A run of MLflow for each run."""

    enabled: bool = False
    """Whether the run is logged there: `logger=mlflow`."""
    experiment: str | None = None
    """The experiment that the run stands in; None: the problem's name."""
    name: str | None = None
    """The name of the run; None: its folder."""
    tracking_uri: str | None = None
    """A server or a store; None: MLFLOW_TRACKING_URI, or else mlflow.db in the working folder."""


@dataclass(frozen=True)
class Logger:
    """Where scalars and figures go besides the run folder."""

    tensorboard: bool = True
    """Scalars and figures for TensorBoard, in the run folder's `tensorboard/`."""
    wandb: WandB = field(default_factory=WandB)
    mlflow: MLflow = field(default_factory=MLflow)
