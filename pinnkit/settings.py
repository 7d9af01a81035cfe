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
from pinnkit.training.stage_settings import STAGES, Level, Polish, check_stages, levelled

METHODS = ("network", "features", "auto", "compare")
POLISH = ("auto", "true", "false")
AUTO = "auto"
MOST_WINDOWS = 10_000


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
    stages: tuple[Any, ...] | None = reading.parts(STAGES, "[{name: adam, steps: 300}, ssbroyden, polish]")
    """What is done one after the other, in the place of `optimizer` and `phases`: optimizers, each with `terms`,
    `max_time` and `stop_loss` of its own where that is wanted, `level`, and at the end `polish`."""
    levels: int = field(default=1, metadata={"minimum": 1, "maximum": 100})
    """Networks that are trained one after the other with the same optimizers, each on what those before leave, and with
    an equal share of the steps or the time; their sum is the solution."""
    windows: str | None = None
    """Windows of time with a network each, trained one after the other from where the one before ends: so many of one
    width, or auto: the run chooses the widths. None: one network for the whole time."""
    continuation: dict[str, Any] | None = None
    """Parameter -> the values at which the network is trained one after the other, before the problem's own:
    {nu: [0.1, 0.03]}, or {nu: {from: 0.1, steps: 4}} for so many steps of one ratio. Half of the steps or the time is
    for the last value, and an equal share of the other half for each before it."""
    deflation: tuple[str, ...] | None = None
    """Run folders with solutions of the same problem that are known: training, or Newton's
    method on features, leaves them and looks for another."""
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

    @property
    def optimizers(self) -> tuple[tuple[str, Optimizer | Auto], ...]:
        """The optimizers that are used, one after the other, each with its key."""
        if self.stages is not None:
            return tuple((f"stages[{number}]", one) for number, _, one in levelled(self.stages))
        if self.phases is not None:
            return tuple((f"phases[{number}]", one) for number, one in enumerate(self.phases, start=1))
        return (("optimizer", self.optimizer),)

    @property
    def window_count(self) -> int | None:
        """How many windows of time there are; None: the run chooses, or there are none."""
        return None if self.windows in (None, AUTO) else int(str(self.windows))

    @property
    def networks(self) -> int:
        """How many networks are trained one after the other."""
        added = sum(isinstance(one, Level) for one in self.stages or ())
        return self.levels + added

    @property
    def polish_stage(self) -> Polish | None:
        """The polish that stands among the stages."""
        last = self.stages[-1] if self.stages else None
        return last if isinstance(last, Polish) else None

    @property
    def polishes(self) -> str:
        """Whether there is a polish: auto, true or false."""
        return "true" if self.polish_stage else self.polish


def read_settings(config: Mapping[str, Any], report: Report) -> Settings:
    """Settings from a mapping; what it leaves out keeps its default. Mistakes go to the report."""
    if isinstance(config.get("polish"), bool):  # YAML reads true and false as what they are
        config = {**config, "polish": str(config["polish"]).lower()}
    config = {**config, **_windows(config.get("windows"), report)} if "windows" in config else config
    settings = reading.read_as(Settings, config, report)
    for number, phase in enumerate((settings.phases or ())[:-1], start=1):
        if phase.first_order and phase.steps is None:
            message = f"a phase of {phase.name} ends only by its steps: write {{name: {phase.name}, steps: 300}}"
            report.add(f"phases[{number}].steps", message)
    _check_redraw(settings.sampling, report)
    _check_continuation(settings, report)
    if settings.stages is not None:
        check_stages(settings.stages, report)
        if settings.polish_stage and settings.polish == "false":
            report.add("polish", "is false, and stages end with polish: leave one of both out")
        if settings.levels > 1:
            report.add("levels", f"is {settings.levels}, and stages are given: write level among them, and levels=1")
    return settings


def _windows(given: Any, report: Report) -> dict[str, Any]:
    """`windows` as text; None where it is a mistake, which goes to the report."""
    text = (
        given.strip() if isinstance(given, str) else given if isinstance(given, bool) or given is None else str(given)
    )
    count = int(text) if isinstance(text, str) and text.isascii() and text.isdigit() else 0
    if text is None or text == AUTO or 1 <= count <= MOST_WINDOWS:
        return {"windows": text}
    message = f"{reading.shown(given)}: auto, null or a whole number from 1 to {MOST_WINDOWS} is needed"
    report.add("windows", message)
    return {"windows": None}


def check_optimizer_given_once(settings: Settings, report: Report) -> None:
    """Refuse an optimizer beside phases, or both beside stages, which take its place; `auto` may stand there."""
    if settings.stages is not None and settings.phases is not None:
        message = f"are given ({_names(settings.phases)}), and stages ({_names(settings.stages)}) too"
        report.add("phases", f"{message}, which would take their place: add phases=null, or stages=null")
    key = "phases" if settings.stages is None else "stages"
    others = getattr(settings, key)
    if others is not None and not isinstance(settings.optimizer, Auto):
        message = f"is {settings.optimizer.name}, and {key} ({_names(others)}) are given too"
        report.add("optimizer", f"{message}, which would take its place: add {key}=null, or optimizer=auto")


def _check_redraw(sampling: Sampling, report: Report) -> None:
    """Refuse a method of redraws by residual where there are none."""
    if sampling.redraw == "rad":
        return
    for key, reason in (
        ("method", sampling.name if sampling.fixed else None),
        ("redraw_every", "null" if sampling.redraw_every is None else None),
        ("residual_power", "0" if sampling.residual_power == 0 else None),
    ):
        if reason is not None:
            message = f"is {sampling.redraw}, and sampling.{key}={reason} leaves no redraws by residual"
            report.add("sampling.redraw", f"{message}: leave one of both out")


def _check_continuation(settings: Settings, report: Report) -> None:
    """Refuse what cannot be done at several values of a parameter."""
    if not settings.continuation:
        return
    stands = "continuation trains one network by optimizer or phases"
    if settings.stages is not None:
        report.add("continuation", f"is given, and stages too, but {stands}: leave one of both out")
    if settings.levels > 1:
        report.add("continuation", f"is given, and levels={settings.levels}, but {stands}: leave one of both out")


def _names(parts: tuple[Any, ...]) -> str:
    return ", ".join(one.name for one in parts)


def check_method(settings: Settings, report: Report) -> None:
    """Refuse settings that the method does not read."""
    if settings.method != "features":
        return
    usual, stands = Settings(), "features, solved by least squares, take the place of a trained network"
    for key in ("network", "optimizer", "phases", "stages", "levels", "windows", "continuation"):
        if getattr(settings, key) != getattr(usual, key):
            report.add(key, f"is given, and method=features reads no {key}: {stands}; leave it out, or method=network")
    if settings.weighting.every is not None:
        message = f"is {settings.weighting.name}, which changes weights while a network is trained, and features are"
        report.add("weighting", f"{message} solved for at once: take weighting=fixed, or method=network")
    if settings.dtype != "float64":
        report.add("dtype", f"is {settings.dtype}, and method=features needs float64, or method=network")
