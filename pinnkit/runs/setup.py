"""The parts of a run before training: checks, module and data, reference, and the lock of its folder."""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import nn

from pinnkit.language.errors import Report
from pinnkit.optimizers.settings import optimizers_where
from pinnkit.problem.problem import Problem
from pinnkit.references.choose import Reference, choose
from pinnkit.reporting.artifacts import RunFolder
from pinnkit.reporting.folder_lock import RunFolderLock
from pinnkit.runs.configuration import folder_errors_as_mistakes
from pinnkit.runs.factory import assemble
from pinnkit.runs.feature_module import FeaturePINN
from pinnkit.runs.restarts import restarted
from pinnkit.settings import Settings, check_method, check_optimizer_given_once, read_settings
from pinnkit.training.datamodule import CollocationData
from pinnkit.training.deflation import Deflation, Known
from pinnkit.training.exceptions import CannotWrite
from pinnkit.training.module import PINN
from pinnkit.training.sample_checksums import sample_checksums

log = logging.getLogger("pinnkit")


@dataclass
class Setup:
    """What a run consists of; to make one writes nothing.

    Args:
        threads: on how many threads compiled code works.
        config: the text of config.yaml.
        known: solutions that training leaves.

    Attributes:
        restarts: how often training began anew.

    Raises ProblemError at construction: the network or the reference does not fit the problem.
    """

    problem: Problem
    settings: Settings
    folder: RunFolder
    network: nn.Module | None
    threads: int
    config: str
    known: Sequence[Known] = ()
    restarts: int = field(default=0, init=False)
    module: PINN = field(init=False)
    data: CollocationData = field(init=False)
    reference: Reference | None = field(init=False)
    digests: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        settings = self.settings
        self._untrained = copy.deepcopy(self.network)
        self._assemble()
        self.reference = choose(self.problem, settings.reference, settings.reference_max_time)
        self.digests = sample_checksums(self.problem, self.reference)
        thinned = any(stage.mini_batches or stage.fresh_points for stage in self.module.stages)
        if settings.sampling.batch and not (self.problem.equations and thinned):
            message = "sampling.batch=%d changes nothing here: points are taken for each step from those of equations"
            names = optimizers_where(lambda one: one.mini_batches or one.fresh_points)
            log.warning(f"{message}, in phases of %s", settings.sampling.batch, names)

    def renew(self) -> None:
        """Make the module and the data again, as they were before training; after restarts with what these change."""
        if self.network is not None and self._untrained is not None:
            self.network.load_state_dict(self._untrained.state_dict())
        self._assemble()

    def _assemble(self) -> None:
        problem, settings = restarted(self.problem, self.settings, self.restarts)
        self.module, self.data = assemble(problem, settings, self.network, self.threads)
        if self.known and isinstance(self.module, FeaturePINN):
            self.module.known = self.known
        elif self.known:
            self.module.loop.step.deflation = Deflation(self.module.state, self.known)


def path_of(folder: Path | str) -> Path:
    """The path of a run folder.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(folder, str | Path):
        raise TypeError(f"folder: the path of a run folder is needed, and {folder!r} was given")
    return Path(folder)


def read(settings: Settings | Mapping[str, Any] | None) -> Settings:
    """Settings from what `solve` was given.

    Raises:
        TypeError: they are no settings.
        ProblemError: a key or a value is wrong.
    """
    if not isinstance(settings, Settings | Mapping | None):
        kind = type(settings).__name__
        raise TypeError(f"settings: pinnkit.Settings or a mapping of keys is needed, and a {kind} was given")
    report = Report()
    found = settings if isinstance(settings, Settings) else read_settings(settings or {}, report)
    check_optimizer_given_once(found, report)
    check_method(found, report)
    if found.method == "compare":
        report.add("method", "compare is of the command line: solve by features and by network, each in its folder")
    report.raise_if_any()
    return found


@contextmanager
def locked(lock: RunFolderLock | None) -> Iterator[None]:
    """Check that the folder may be taken, and lock it at once where a run goes on; it is left at the end.

    Args:
        lock: None in a process that does not write the folder.
    """
    if lock is None:
        yield
        return
    try:
        with folder_errors_as_mistakes(lock.resume):
            lock.check()
            if lock.resume:
                lock.lock()
        yield
    finally:
        lock.release()


@contextmanager
def writable(folder: RunFolder) -> Iterator[None]:
    """Turn an error of writing the folder's first files into CannotWrite."""
    try:
        yield
    except OSError as error:
        failure = CannotWrite(folder.path, error)
        log.error(str(failure))
        raise failure from None
