"""The typed top level of the configuration.

Every part of pinnkit declares its settings as a frozen dataclass beside the code that reads them; here they come
together, and a mapping (from Hydra, or from Python) is read into them: unknown keys, wrong types and values out of
range are reported with the path of the key and the nearest right thing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pinnkit import reading
from pinnkit.features.settings import FeatureSettings
from pinnkit.language.errors import Report
from pinnkit.losses.settings import WEIGHTINGS, Weighting
from pinnkit.networks.settings import NETWORKS, Network
from pinnkit.operators.settings import Operators
from pinnkit.optimizers.settings import OPTIMIZERS, Auto, Optimizer
from pinnkit.sampling.settings import SAMPLERS, Sampling
from pinnkit.training.settings import Callbacks, Checkpoint, Logger, Trainer

METHODS = ("network", "features", "auto", "compare")
POLISH = ("auto", "true", "false")


@dataclass(frozen=True)
class Settings:
    """How a problem is solved; the problem itself stands apart."""

    method: str = field(default="network", metadata={"choices": METHODS})
    """network: a network is trained; features: random features, of which one least-squares problem gives the
    coefficients; auto: features where the equations are linear, or have one coordinate, in up to three, else a network;
    compare: both in turn, and the classical solver where it applies, in a table."""

    seed: int = field(default=0, metadata={"minimum": 0, "maximum": 2**63 - 1})
    """Of the network's first weights and of the points: the same seed repeats the run."""
    dtype: str = field(default="float64", metadata={"choices": ("float64", "float32")})
    """Precision of the network and its training; quasi-Newton methods need float64."""
    network: Network = reading.part(NETWORKS)
    features: FeatureSettings = field(default_factory=FeatureSettings)
    sampling: Sampling = reading.part(SAMPLERS)
    operators: Operators = field(default_factory=Operators)
    optimizer: Optimizer | Auto = reading.part(OPTIMIZERS, Auto)
    phases: tuple[Optimizer, ...] | None = reading.parts(OPTIMIZERS, "[{name: adam, steps: 300}, ssbroyden]")
    """Optimizers one after the other, in the place of `optimizer`: names, or mappings with settings."""
    polish: str = field(default="auto", metadata={"choices": POLISH})
    """Whether features correct the trained network; auto: where that takes at most a fifth of the training time."""
    weighting: Weighting = reading.part(WEIGHTINGS)
    trainer: Trainer = field(default_factory=Trainer)
    checkpoint: Checkpoint = field(default_factory=Checkpoint)
    callbacks: Callbacks = field(default_factory=Callbacks)
    logger: Logger = field(default_factory=Logger)
    reference: str | None = None
    """What the error is measured against: exact, spectral, fem, the name of a table's file, or none; None: what the
    problem names."""
    reference_max_time: float = field(default=60.0, metadata={"above": 0.0})
    """Seconds that `reference=spectral` or `fem` may take; training goes on without a reference where they end."""
    outside_files: bool = False
    """Whether files that the problem names may lie elsewhere than in its folder or below."""
    manufactured: dict[str, str] | None = None
    """Field -> an expression: the equations get sources and the conditions values such that this is the solution."""
    overwrite: bool = False
    """Whether a run that the run folder holds already is removed; it is refused otherwise."""


def read_settings(config: Mapping[str, Any], report: Report) -> Settings:
    """Settings from a mapping; what it leaves out keeps its default. Mistakes go to the report."""
    if isinstance(config.get("polish"), bool):  # YAML reads true and false as what they are
        config = {**config, "polish": str(config["polish"]).lower()}
    settings = reading.read_as(Settings, config, report)
    for number, phase in enumerate((settings.phases or ())[:-1], start=1):
        if phase.first_order and phase.steps is None:
            message = f"a phase of {phase.name} ends only by its steps: write {{name: {phase.name}, steps: 300}}"
            report.add(f"phases[{number}].steps", message)
    return settings


def check_optimizer_given_once(settings: Settings, report: Report) -> None:
    """Refuse an optimizer beside phases, which take its place; `auto` may stand there, and chooses nothing then."""
    if settings.phases is not None and not isinstance(settings.optimizer, Auto):
        phases = ", ".join(one.name for one in settings.phases)
        message = f"is {settings.optimizer.name}, and phases ({phases}) are given too, which would take its place"
        report.add("optimizer", f"{message}: add phases=null, or optimizer=auto")


def check_method(settings: Settings, report: Report) -> None:
    """Refuse settings that the method does not read."""
    if settings.method != "features":
        return
    usual, stands = Settings(), "features, solved by least squares, take the place of a trained network"
    for key in ("network", "optimizer", "phases"):
        if getattr(settings, key) != getattr(usual, key):
            report.add(key, f"is given, and method=features reads no {key}: {stands}; leave it out, or method=network")
    if settings.dtype != "float64":
        report.add("dtype", f"is {settings.dtype}, and method=features needs float64, or method=network")
