"""One training run: set up and checked, then trained, with what is done where training fails."""

from __future__ import annotations

import copy
import logging
import os
import time
from collections.abc import Sequence
from pathlib import Path

import lightning
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import TensorBoardLogger
from torch import nn

from pinnkit import environment, evaluation
from pinnkit.factory import assemble
from pinnkit.language.errors import Report
from pinnkit.losses.view import ResidualError
from pinnkit.optimizers.sample_space import TooManyRows
from pinnkit.problem.problem import Problem
from pinnkit.references.choose import choose
from pinnkit.reporting.artifacts import RunFolder
from pinnkit.runs.configuration import check_same
from pinnkit.runs.results import Results
from pinnkit.settings import Settings
from pinnkit.training.callbacks import Interruption, Pictures, Record
from pinnkit.training.checkpoints import Checkpoints, DamagedCheckpoint, digests, newest, remove_later, roll_back
from pinnkit.training.distributed import cannot_rendezvous, lost
from pinnkit.training.exceptions import (
    CannotWrite,
    Diverged,
    NoGradient,
    NothingFinite,
    OutOfMemory,
    RankLost,
    RendezvousError,
    Unsuitable,
    cannot_write,
)
from pinnkit.training.progress import Progress

log = logging.getLogger("pinnkit")

ROLLBACKS = 3
"""How often a run that diverges goes back to its last good state and takes smaller steps."""
MINI_BATCHES = "points are taken for each step from those of equations, in phases of adam, soap, engd_w and spring"


class Run:
    """One training run: the module, its data, what watches it, and what it leaves behind.

    To set it up writes nothing: everything that can be wrong before training is found without a run folder.

    Raises ProblemError and NothingFinite at construction, as `solve` says.
    """

    def __init__(
        self,
        problem: Problem,
        settings: Settings,
        run: RunFolder,
        network: nn.Module | None,
        overrides: Sequence[str],
        threads: int,
        config: str,
        resume: bool,
    ) -> None:
        began = time.perf_counter()
        log.info("%s, seed %d, %s; run folder %s", problem.name, settings.seed, settings.dtype, run.path)
        self.problem, self.settings, self.run = problem, settings, run
        self.network, self.threads, self.config = network, threads, config
        self.start = copy.deepcopy(network)
        self.first = environment.first()
        if resume:
            self._check_configuration()
        self.module, self.data = assemble(self.problem, self.settings, self.network, self.threads)
        self.reference = choose(problem, settings.reference, settings.reference_max_time)
        self.digests = digests(problem, self.reference)
        self.checkpoint = self._checkpoint() if resume else None
        logged = settings.logger.tensorboard and self.first
        self.loggers = [TensorBoardLogger(run.tensorboard, name="", version="")] if logged else []
        self.results = Results(run, settings, overrides, self.reference, self.loggers, began)
        self.record = self._record()
        thinned = any(stage.mini_batches or stage.fresh_points for stage in self.module.stages)
        if settings.sampling.batch and not (problem.equations and thinned):
            log.warning("sampling.batch=%d changes nothing here: %s", settings.sampling.batch, MINI_BATCHES)

    def _record(self) -> Record:
        return Record(
            evaluation.Errors(self.module, self.reference),
            self.settings.callbacks.evaluate_every,
            self.settings.trainer.stop_error,
            self.run.append_history if self.first else None,
        )

    def _again(self, rollbacks: int) -> None:
        """The module, its data and its record as they were before training; a signal that has come still counts."""
        wish = self.module.stopping.interrupted
        if self.network is not None:
            self.network.load_state_dict(self.start.state_dict())
        self.module, self.data = assemble(self.problem, self.settings, self.network, self.threads)
        self.module.progress.rollbacks = rollbacks
        if wish:
            self.module.stop(wish)
        self.record = self._record()

    def train(self) -> None:
        """Train, from the checkpoint where there is one.

        Raises:
            what `solve` says; metrics.json and the log tell it too.
        """
        checkpoint = self.checkpoint
        while True:
            try:
                self._trainer().fit(self.module, datamodule=self.data, ckpt_path=checkpoint, weights_only=True)
                break
            except Diverged as error:
                checkpoint = self._back(error)
            except (NoGradient, OutOfMemory, RankLost, Unsuitable, TooManyRows, ResidualError) as error:
                self._failed("failed", error)
                raise
            except RuntimeError as error:
                if lost(error):  # in a message of Lightning's own
                    failure = RankLost(environment.rank() or 0, environment.started() or 1, str(error).splitlines()[0])
                    self._failed("failed", failure)
                    raise failure from None
                if not cannot_rendezvous(error):
                    raise
                address = ":".join(os.environ.get(f"MASTER_{part}", "?") for part in ("ADDR", "PORT"))
                failure = RendezvousError(address, str(error).splitlines()[0])
                self._failed("failed", failure)
                raise failure from None
            except OSError as error:
                if not cannot_write(error, self.run.path):
                    self._failed("failed", error)
                    raise
                failure = error if isinstance(error, CannotWrite) else CannotWrite(self.run.path, error)
                log.error(str(failure))
                raise failure from None
        log.info("training ended: %s", self.module.stopped)

    def _failed(self, status: str, error: Exception) -> None:
        self.results.failed(status, error, self.module)

    @property
    def _saved(self) -> list[Path]:
        return [self.run.last_checkpoint, self.run.previous_checkpoint]

    def _check_configuration(self) -> None:
        """Make sure that the run goes on with the configuration that its checkpoints were written with.

        Raises:
            ProblemError: it does not, or no checkpoint can be read.
        """
        report = Report()
        try:
            path, content = newest(self._saved)
            check_same(self.config, content["pinnkit"]["config"], path, report)
        except DamagedCheckpoint as error:
            report.add("resume", str(error))
        report.raise_if_any()

    def _checkpoint(self) -> Path:
        """The newest checkpoint of the folder that can be used.

        Raises:
            ProblemError: there is none, it is one of other networks, or the samples of a condition are not those that
                the run began with.
            NothingFinite: none is free of NaN and infinity.
        """
        report = Report()
        try:
            path, content = newest(self._saved, self.module)
        except DamagedCheckpoint as error:
            if error.diverged:
                failure = NothingFinite(str(error))
                log.error(str(failure))
                raise failure from None
            report.add("resume", str(error))
            report.raise_if_any()
        self.module.progress.rollbacks = content["progress"]["rollbacks"]
        former = content["pinnkit"]["data"]
        for key, digest in self.digests.items():
            if former.get(key) != digest:
                message = "its samples are not those that the run began with: put the file back, or start a new run"
                report.add(key, message)
        report.raise_if_any()
        return path

    def _back(self, error: Diverged) -> Path | None:
        """Go back to the last good state, with steps of half the size; the checkpoint of that state.

        Raises:
            Diverged: that has been done often enough.
        """
        done = self.module.progress.rollbacks
        saved = [path for path in self._saved if path.exists()]
        if done >= ROLLBACKS or error.step == 0:
            tried = f"{done} times training went back and took smaller steps, in vain; " if done else ""
            kept = f"the last good checkpoint is {saved[0]}" if saved else "no checkpoint had been written"
            failure = error.then(tried + kept)
            self._failed("diverged", failure)
            raise failure from None
        ranks, device = self.module.ranks, self.module.device
        self._again(done + 1)
        checkpoint, step = None, 0
        if saved and self.first:
            try:
                checkpoint, step = roll_back(*self._saved, error.sound, self.module)
            except DamagedCheckpoint as damaged:
                log.warning("%s; training begins anew", damaged)
            remove_later(self.run.best_checkpoint, step)
        smaller = "steps of half the size"
        if not all(stage.first_order for stage in self.module.stages):
            smaller += ", or, where a line search chooses them, the first, and nothing learned before"
        log.warning("%s; back to step %d, with %s (%d of %d)", error, step, smaller, done + 1, ROLLBACKS)
        word = ranks.first_message(checkpoint and str(checkpoint.resolve()), device)  # only rank 0 knows the run folder
        return Path(word) if word else None

    def _trainer(self) -> lightning.Trainer:
        settings, wanted, run = self.settings, self.settings.trainer, self.run
        callbacks: list[Callback] = [
            Interruption(),  # before the first checkpoint is written, from which on a signal is one to go on from
            self.record,
            Checkpoints(
                run.last_checkpoint,
                run.previous_checkpoint,
                run.best_checkpoint,
                settings.checkpoint.every_steps,
                settings.checkpoint.every_minutes,
                self.config,
                self.digests,
            ),
        ]
        if settings.callbacks.progress and self.first:
            callbacks.append(Progress(self.record))
        if settings.callbacks.figures_every and self.first:
            callbacks.append(Pictures(self._show_now, settings.callbacks.figures_every))
        return lightning.Trainer(
            accelerator=wanted.accelerator,
            devices=wanted.devices or "auto",
            num_nodes=wanted.nodes,
            strategy="ddp" if wanted.devices != 1 or wanted.nodes > 1 else "auto",  # it gives all ranks the same start
            use_distributed_sampler=False,  # every rank takes every segment: `Ranks` shares out the points
            max_epochs=-1,
            logger=self.loggers,
            callbacks=callbacks,
            enable_checkpointing=False,  # `Checkpoints` writes them whole or not at all
            enable_progress_bar=False,
            enable_model_summary=False,
            log_every_n_steps=1,
            reload_dataloaders_every_n_epochs=1,  # an epoch is a draw of points
            default_root_dir=run.path,
        )

    def _show_now(self, step: int) -> None:
        self.results.show_now(self.module, self.data, self.record, step)
