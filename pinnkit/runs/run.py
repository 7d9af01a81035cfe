"""The training of a run: Lightning's trainer, its callbacks, and the loop that trains until a limit or a failure."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import lightning
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.strategies import DDPStrategy, Strategy

from pinnkit.runs import board, environment, evaluation, trackers
from pinnkit.runs.answers import Answers
from pinnkit.runs.estimated_stop import EstimatedStop
from pinnkit.runs.recovery import (
    FAILURES,
    NAMED,
    check_rollbacks,
    checkpoint_to_resume,
    failure_of,
    last_good,
)
from pinnkit.runs.restarts import RestartGuard, restarted, start_weights
from pinnkit.runs.results import Results
from pinnkit.runs.setup import Setup, writable
from pinnkit.runs.windows import joined
from pinnkit.training.callbacks import FigureLogger, Record, SignalHandler
from pinnkit.training.checkpoint_writer import Checkpoints
from pinnkit.training.divergence import ROLLBACKS
from pinnkit.training.exceptions import CannotWrite, Diverged, SpuriousAnswer
from pinnkit.training.progress import Progress
from pinnkit.training.rises import Rise, doublings

log = logging.getLogger("pinnkit")


class Run:
    """One training run.

    Args:
        setup: its module, data and settings.
        overrides: the command line's changes to the configuration, for metrics.json.
        began: the clock's time when it was set up.
        resume: whether it goes on from the folder's last checkpoint.

    Raises ProblemError and NoFiniteCheckpoint at construction, where there is no checkpoint to go on from.
    """

    def __init__(self, setup: Setup, overrides: Sequence[str], began: float, resume: bool) -> None:
        self.setup, self.first = setup, environment.first()
        folder, settings = setup.folder, setup.settings
        self.checkpoint = checkpoint_to_resume(folder, setup.module, setup.digests) if resume else None
        named = setup.problem.name
        self.loggers = trackers.make_loggers(settings.logger, folder, named, resume) if self.first else []
        self.results = Results(folder, settings, overrides, setup.reference, self.loggers, began)
        if setup.module.state.restarts.done:
            setup.restarts = len(setup.module.state.restarts.done)
            self._renew(setup.module.progress.rollbacks)
        self.record = self._record()

    def train(self) -> None:
        """Train, from the checkpoint where there is one.

        Raises:
            as `solve`; metrics.json and the log have the reason too.
        """
        setup, checkpoint = self.setup, self.checkpoint
        with writable(setup.folder):
            board.begin(self.loggers, setup.settings, setup.problem, setup.config)
            trackers.begin(self.loggers, setup.folder, setup.config, resume=checkpoint is not None)
        while True:
            try:
                start = None if setup.module.solves else checkpoint
                self._trainer().fit(setup.module, datamodule=setup.data, ckpt_path=start, weights_only=True)
                break
            except Diverged as error:
                checkpoint = self._go_back(error)
            except SpuriousAnswer as error:
                checkpoint = None
                self._begin_anew(error)
            except FAILURES as error:
                failure = failure_of(error, setup.folder.path)
                self._report(failure)
                if failure is error:
                    raise
                raise failure from None
        log.info("training ended: %s", setup.module.stopped)

    def _report(self, failure: Exception) -> None:
        """Leave the reason in the log and, where it can be written and is one, in metrics.json."""
        if isinstance(failure, CannotWrite):
            log.error(str(failure))
        elif isinstance(failure, (*NAMED, OSError)):
            self.results.failed("failed", failure, self.setup.module)

    def _go_back(self, error: Diverged) -> Path | None:
        """Go back to the last good state, with steps of half the size; the checkpoint of that state.

        Raises:
            Diverged: that has been done often enough.
        """
        setup, former = self.setup, self.setup.module
        done = former.progress.rollbacks
        try:
            check_rollbacks(error, done, setup.folder)
        except Diverged as failure:
            self.results.failed("diverged", failure, former)
            raise failure from None
        self._renew(done + 1)
        checkpoint, step = last_good(error, setup.folder, setup.module) if self.first else (None, 0)
        found = f"{step} {checkpoint.resolve() if checkpoint else ''}" if self.first else None
        message = former.ranks.first_message(found, former.device)  # only rank 0 knows the run folder
        number, _, path = (message or "0 ").partition(" ")
        step = int(number)
        smaller = "steps of half the size"
        if not all(stage.first_order for stage in setup.module.stages):
            smaller += ", or, where a line search chooses them, the first, and nothing learned before"
        if error.rose:
            smaller += self._more_points(error, step)
        log.warning("%s; back to step %d, with %s (%d of %d)", error, step, smaller, done + 1, ROLLBACKS)
        return Path(path) if path else None

    def _more_points(self, error: Diverged, step: int) -> str:
        """Keep the rise of an objective, after which the equations have more points; in words."""
        assert error.rose is not None
        rises, (before, after) = self.setup.module.state.rises, error.rose
        former = doublings(rises)
        rises.append(Rise(error.step, after / before, step))
        factor = f"; it rose by a factor {after / before:.2g}"
        return (
            ", and twice as many points of the equations from the next draw on" if doublings(rises) > former else ""
        ) + factor

    def _begin_anew(self, error: SpuriousAnswer) -> None:
        """Begin anew, at the step and the time that training has come to, from other first weights."""
        setup, rows, before = self.setup, self.record, self.setup.module.progress
        setup.restarts = len(setup.module.state.restarts.done)
        self._renew(0)
        self.record.load_state_dict(rows.state_dict())
        setup.module.state.begin_at(before)
        setup.module.state.unsaved = True
        _, settings = restarted(setup.problem, setup.settings, setup.restarts)
        log.warning(
            "%s; training begins anew, with the seed %d%s (%d of %d)",
            error, settings.seed, start_weights(setup.problem, setup.restarts), setup.restarts,
            setup.settings.trainer.restarts,
        )  # fmt: skip

    def _renew(self, rollbacks: int) -> None:
        """Make the module, its data and its record anew; a signal that has come still counts."""
        former = self.setup.module
        self.setup.renew()
        state, signal = self.setup.module.state, former.stopping.interrupted
        state.progress.rollbacks = rollbacks
        state.rises, state.restarts = former.state.rises, former.state.restarts
        if signal:
            self.setup.module.stop(signal)
        self.record = self._record()

    def _record(self) -> Record:
        settings = self.setup.settings
        errors = evaluation.Errors(self.setup.module, self.setup.reference)
        self.answers = answers = Answers(self.setup.module)
        windowed = settings.windows is not None

        def measure() -> Mapping[str, float]:
            with joined(self.setup.module):
                if not windowed:  # later windows are no answer before they are trained
                    answers.keep()
                return errors()

        return Record(
            measure,
            1 if self.setup.module.solves else settings.callbacks.evaluate_every,
            settings.trainer.stop_error,
            self.setup.folder.append_history if self.first else None,
        )

    def _trainer(self) -> lightning.Trainer:
        settings, folder = self.setup.settings, self.setup.folder
        limits, solves = settings.trainer, self.setup.module.solves
        callbacks: list[Callback] = [
            SignalHandler(),  # before the first checkpoint is written, from which on a signal is one to go on from
            self.record,
            *self._stops(),
            *([RestartGuard(settings, self.record)] if limits.restarts and not solves else []),
            Checkpoints(
                folder.last_checkpoint,
                folder.previous_checkpoint,
                folder.best_checkpoint,
                1 if solves else settings.checkpoint.every_steps,
                settings.checkpoint.every_minutes,
                self.setup.config,
                self.setup.digests,
                begins=self.checkpoint is None or not solves,
            ),
        ]
        if settings.callbacks.progress and self.first:
            callbacks.append(Progress(self.record, bar=settings.callbacks.terminal == "auto"))
        if settings.callbacks.figures_every and self.first:
            callbacks.append(FigureLogger(self._show_now, settings.callbacks.figures_every))
        return lightning.Trainer(
            accelerator=limits.accelerator,
            devices=limits.devices or "auto",
            num_nodes=limits.nodes,
            strategy=_strategy(limits.devices != 1 or limits.nodes > 1, solves),
            use_distributed_sampler=False,  # every rank takes every segment: `Ranks` shares out the points
            max_epochs=-1,
            logger=self.loggers,
            callbacks=callbacks,
            enable_checkpointing=False,  # `Checkpoints` writes them whole or not at all
            enable_progress_bar=False,
            enable_model_summary=False,
            log_every_n_steps=1,
            reload_dataloaders_every_n_epochs=1,  # an epoch is a draw of points
            default_root_dir=folder.path,
        )

    def _stops(self) -> list[Callback]:
        """The callback that ends training by the estimated error, where that is asked for."""
        settings, asked = self.setup.settings, self.setup.settings.trainer.stop_estimated_error
        every = 1 if self.setup.module.solves else settings.callbacks.evaluate_every
        return [] if asked is None else [EstimatedStop(asked, every, settings)]

    def _show_now(self, step: int) -> None:
        with joined(self.setup.module):
            self.results.show_now(self.setup.module, self.setup.data, self.record, step)


class _Processes(DDPStrategy):
    """Processes that share the rows of a least-squares problem: there is no gradient to reduce."""

    def configure_ddp(self) -> None:
        """Leave the module as it is, which has no parameters."""


def _strategy(several: bool, solves: bool) -> Strategy | str:
    """How Lightning runs one process, or several: DDP gives all ranks the same start."""
    if not several:
        return "auto"
    return _Processes() if solves else "ddp"
