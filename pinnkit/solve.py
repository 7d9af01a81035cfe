"""Putting a run together: from a problem and settings to a trained network and its run folder."""

from __future__ import annotations

import copy
import logging
import os
import platform
import sys
import time
import types
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
import yaml
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import TensorBoardLogger
from torch import nn

from pinnkit import environment, evaluation
from pinnkit.assembly import assemble
from pinnkit.console import quiet, silent, written_to
from pinnkit.language.errors import Report
from pinnkit.losses.view import ResidualError
from pinnkit.optimizers.sample_space import TooManyRows
from pinnkit.problem.problem import Problem
from pinnkit.references.choose import choose
from pinnkit.reporting.artifacts import RunFolder
from pinnkit.resources import check_run
from pinnkit.settings import Settings, read_settings, words_of
from pinnkit.training.callbacks import Interruption, Pictures, ProgressBar, Record
from pinnkit.training.checkpoints import Checkpoints, DamagedCheckpoint, check_fits, digests, newest
from pinnkit.training.module import PINN
from pinnkit.training.outcome import (
    INTERRUPTED,
    CannotMeet,
    CannotWrite,
    Diverged,
    NoGradient,
    OutOfMemory,
    RankLost,
    Unsuitable,
)
from pinnkit.training.ranks import cannot_meet, lost
from pinnkit.understanding import checked

log = logging.getLogger("pinnkit")

ROLLBACKS = 3
"""How often a run that diverges goes back to its last good state and takes smaller steps."""
MINI_BATCHES = "points are taken for each step from those of equations, in phases of adam, soap, engd_w and spring"


@dataclass(frozen=True)
class Solution:
    """A finished run: its status, its metrics, its folder and the trained module.

    `solution(x=..., t=...)` gives every field at arrays of points, broadcast to one shape, as NumPy arrays by name.
    """

    status: str
    metrics: Mapping[str, Any]
    folder: Path
    module: PINN

    def __call__(self, **coordinates: Any) -> dict[str, np.ndarray]:
        names = self.module.problem.coordinates
        if set(coordinates) != set(names):
            raise ValueError(f"coordinates {', '.join(coordinates)} were given: {', '.join(names)} are needed")
        arrays = np.broadcast_arrays(*[np.asarray(coordinates[name], dtype=np.float64) for name in names])
        return evaluation.predict(self.module, dict(zip(names, arrays, strict=True)))


def solve(
    problem: Problem,
    folder: Path | str,
    settings: Settings | Mapping[str, Any] | None = None,
    *,
    network: nn.Module | None = None,
    config: str | None = None,
    overrides: Sequence[str] = (),
    resume: bool = False,
) -> Solution:
    """Train a network on a problem and write its run folder.

    Args:
        folder: the run folder; made where it is not there.
        settings: how to solve it, as `Settings` or as a mapping with the configuration's keys.
        network: a network of your own, (n, d) -> (n, fields), in place of `settings.network`.
        config, overrides: the configuration and the command line's changes to it, for config.yaml and metrics.json;
            without a configuration, config.yaml is written from the problem and the settings.
        resume: go on from the folder's last checkpoint.

    Raises:
        ProblemError: the problem or the settings are wrong; all mistakes are told together.
        NoGradient: a term that would train nothing.
        Unsuitable: an optimizer that cannot treat this network or these residuals.
        TooManyRows: more points than the memory that an optimizer may take is enough for.
        RankLost: another process of this run has ended.
        CannotWrite: a file of the run folder cannot be written.
        CannotMeet: the processes of the run do not find each other.
        OutOfMemory: too many points at once; the message names the setting and a value that fits.
        Diverged: a loss that is not finite; metrics.json tells it too.
    """
    settings = _read(settings)
    problem = checked(problem, settings, custom_network=network is not None)
    check_run(problem, settings, custom_network=network is not None)
    run = RunFolder(Path(folder))
    if environment.first():
        run.create()
    with written_to(run.log) if environment.first() else silent(), quiet(), _threads(settings, problem) as threads:
        config = config if config is not None else _as_yaml(problem, settings)
        if not resume and environment.first():
            run.forget()
            run.write_config(config)
        return _Run(problem, settings, run, network, overrides, threads, config).train(resume)


class _Run:
    """One training run: the module, its data, what watches it, and what it leaves behind."""

    def __init__(
        self,
        problem: Problem,
        settings: Settings,
        run: RunFolder,
        network: nn.Module | None,
        overrides: Sequence[str],
        threads: int,
        config: str,
    ) -> None:
        self.began = time.perf_counter()
        log.info("%s, seed %d, %s; run folder %s", problem.name, settings.seed, settings.dtype, run.path)
        self.problem, self.settings, self.run, self.overrides = problem, settings, run, overrides
        self.network, self.threads, self.config = network, threads, config
        self.start = copy.deepcopy(network)
        self.first = environment.first()
        self.reference = choose(problem, settings.reference)
        self.digests = digests(problem, self.reference)
        logged = settings.logger.tensorboard and self.first
        self.loggers = [TensorBoardLogger(run.tensorboard, name="", version="")] if logged else []
        self._begin()
        thinned = any(phase.mini_batches or phase.fresh_points for phase in self.module.phases)
        if settings.sampling.batch and not (problem.equations and thinned):
            log.warning("sampling.batch=%d changes nothing here: %s", settings.sampling.batch, MINI_BATCHES)

    def _begin(self, rollbacks: int = 0) -> None:
        """The module, its data and its record, as they are before training."""
        if rollbacks and self.network is not None:
            self.network.load_state_dict(self.start.state_dict())
        self.module, self.data = assemble(self.problem, self.settings, self.network, self.threads)
        self.module.progress["rollbacks"] = rollbacks
        self.record = Record(
            evaluation.Errors(self.module, self.reference),
            self.settings.callbacks.evaluate_every,
            self.settings.trainer.stop_error,
            self.run.append_history if self.first else None,
        )

    def train(self, resume: bool) -> Solution:
        checkpoint = self._checkpoint() if resume else None
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
                    told = RankLost(environment.rank() or 0, environment.started() or 1, str(error).splitlines()[0])
                    self._failed("failed", told)
                    raise told from None
                if not cannot_meet(error):
                    raise
                address = ":".join(os.environ.get(f"MASTER_{part}", "?") for part in ("ADDR", "PORT"))
                told = CannotMeet(address, str(error).splitlines()[0])
                self._failed("failed", told)
                raise told from None
            except OSError as error:
                told = error if isinstance(error, CannotWrite) else CannotWrite(self.run.path, error)
                log.error(str(told))
                raise told from None
        log.info("training ended: %s", self.module.stopped)
        return self._finish()

    def _checkpoint(self) -> Path:
        """The newest checkpoint of the folder that is whole.

        Raises:
            ProblemError: there is none, it is one of other networks, or the samples of a condition are not those that
                the run began with.
        """
        report = Report()
        try:
            path, content = newest([self.run.last_checkpoint, self.run.previous_checkpoint])
            self.module.progress["rollbacks"] = content["progress"]["rollbacks"]
            former = content["pinnkit"]["data"]
            for key, digest in self.digests.items():
                if former.get(key) != digest:
                    told = "its samples are not those that the run began with: put the file back, or start a new run"
                    report.add(key, told)
            check_fits(path, content, self.module)
        except DamagedCheckpoint as error:
            report.add("resume", str(error))
        report.raise_if_any()
        return path

    def _back(self, error: Diverged) -> Path | None:
        """Go back to the last good state, with steps of half the size; the checkpoint of that state.

        Raises:
            Diverged: that has been done often enough.
        """
        done = self.module.progress["rollbacks"]
        saved = [path for path in (self.run.last_checkpoint, self.run.previous_checkpoint) if path.exists()]
        if done == ROLLBACKS or error.step == 0:
            tried = f"{done} times training went back and took smaller steps, in vain; " if done else ""
            kept = f"the last good checkpoint is {saved[0]}" if saved else "no checkpoint had been written"
            told = error.then(tried + kept)
            self._failed("diverged", told)
            raise told from None
        ranks, device = self.module.ranks, self.module.device
        self._begin(done + 1)
        checkpoint, step = None, 0
        if saved and self.first:
            checkpoint, content = newest(saved)
            step = content["progress"]["step"]
        smaller = "steps of half the size"
        if not all(phase.first_order for phase in self.module.phases):
            smaller += ", or, where a line search chooses them, the first, and nothing learned before"
        log.warning("%s; back to step %d, with %s (%d of %d)", error, step, smaller, done + 1, ROLLBACKS)
        word = ranks.first_word(checkpoint and str(checkpoint.resolve()), device)  # only rank 0 knows the run folder
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
            callbacks.append(ProgressBar(self.record))
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

    def _finish(self) -> Solution:
        found = evaluation.evaluate(self.module, self.reference)
        if self.first:
            self.run.write_solution(found.arrays())
        if self.first and self.settings.callbacks.figures:
            figures = self._figures(found)
            self.run.write_figures(figures)
            self._show(self.module.progress["step"], figures)
        for logger in self.loggers:
            logger.finalize("success")
        status = "interrupted" if self.module.stopped.startswith(INTERRUPTED) else "finished"
        metrics = {
            "status": status,
            "reason": self.module.stopped,
            **found.errors(),
            "loss": self.record.rows[-1]["losses"].get("objective") if self.record.rows else None,
            **self._counters(),
            "learned": evaluation.learned(self.module),
            "minimum": found.minima(),
            **self._facts(),
        }
        if self.first:
            self.run.write_metrics(metrics)
        for line in told(metrics):
            log.info(line)
        return Solution(status, metrics, self.run.path, self.module)

    def _failed(self, status: str, error: Exception) -> None:
        """Leave the reason in the log and in metrics.json, so that a sweep's summary has it too."""
        if self.first or isinstance(error, CannotMeet | OutOfMemory | RankLost):  # all ranks know the other ways to end
            log.error(str(error))
        if not self.first:
            return
        self.run.write_metrics({"status": status, "reason": str(error), **self._counters(), **self._facts()})

    def _counters(self) -> dict[str, Any]:
        progress = self.module.progress
        return {
            "steps": progress["step"],
            "evaluations": progress["evaluations"],
            "wall_time_s": time.perf_counter() - self.began,
            "train_time_s": progress["train_time_s"],
        }

    def _facts(self) -> dict[str, Any]:
        settings = self.settings
        packages = ("pinnkit", "torch", "lightning", "numpy")
        trained = [parameter for parameter in self.module.parameters() if parameter.requires_grad]
        gpu = settings.trainer.accelerator == "gpu"
        return {
            "parameters": sum(parameter.numel() for parameter in trained),
            "operators": self.module.choice.words() if self.module.choice else None,
            "optimizers": [phase.name for phase in self.module.phases],
            "reference": self.reference.name if self.reference is not None else None,
            "seed": settings.seed,
            "dtype": settings.dtype,
            "device": torch.cuda.get_device_name() if gpu else f"cpu, {torch.get_num_threads()} threads",
            "versions": {"python": platform.python_version(), **{name: version(name) for name in packages}},
            "overrides": list(self.overrides),
        }

    def _figures(self, found: evaluation.Evaluation) -> dict[str, Any]:
        names = [phase.name for phase in self.module.phases]
        history = evaluation.history(self.record.rows, names, found.references)
        return found.draw(self.module.problem, history, self.data.sets)

    def _show(self, step: int, figures: Mapping[str, Any]) -> None:
        for logger in self.loggers:
            for name, figure in figures.items():
                logger.experiment.add_figure(f"figures/{name}", figure, step, close=False)

    def _show_now(self, step: int) -> None:
        self._show(step, self._figures(evaluation.evaluate(self.module, self.reference)))


def told(metrics: Mapping[str, Any]) -> list[str]:
    """The figures that matter, a line each."""
    lines = [f"{metrics['status']}: {metrics['steps']} steps in {metrics['train_time_s']:.1f} s of training"]
    for field, error in metrics["relative_l2"].items():
        lines.append(f"relative L2 error of {field}: {error:.3e} (against: {metrics['reference']})")
    if not metrics["relative_l2"]:
        lines.append("no reference: the error is not known; give exact:, reference: or manufactured=")
    for equation, size in metrics["residual_rms"].items():
        lines.append(f"RMS residual of {equation}: {size:.3e}")
    for name, found in metrics["learned"].items():
        truth = f", exact {found['exact']:.6g}" if "exact" in found else ""
        lines.append(f"learned {name} = {found['value']:.6g}{truth}")
    lines += [f"least {field} on the grid: {least:.4g}" for field, least in metrics["minimum"].items()]
    return lines


@contextmanager
def _threads(settings: Settings, problem: Problem) -> Iterator[int]:
    """One thread where the arrays are too small to gain by more, which then only wait for each other.

    On 2 cores MLP 3x20 on 2048 points takes as long with one thread as with two; and where another program holds a
    core, two were seen to take 60 times as long. Gives the number of threads that were there: compiled code divides
    the points among them.
    """
    former = torch.get_num_threads()
    dimension = len(problem.coordinates)
    if settings.sampling.count(dimension) * settings.network.neurons(dimension, problem.linear) <= 2**16:
        torch.set_num_threads(1)
    try:
        yield former
    finally:
        torch.set_num_threads(former)


def _as_yaml(problem: Problem, settings: Settings) -> str:
    """config.yaml of a run from Python: callables and arrays, which YAML cannot hold, by their names alone."""

    def plain(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {str(key): plain(part) for key, part in value.items()}
        if isinstance(value, list | tuple):
            return [plain(part) for part in value]
        if isinstance(value, str | int | float | bool | None):
            return value
        return f"given in Python: {getattr(value, '__name__', type(value).__name__)}"

    words = {"pde": plain(problem.words), **words_of(settings), "problem_folder": str(problem.folder.resolve())}
    words["outside_files"] = True  # what the user's own code named is found again by evaluate.py
    return yaml.safe_dump(words, sort_keys=False, allow_unicode=True)


def _read(settings: Settings | Mapping[str, Any] | None) -> Settings:
    if isinstance(settings, Settings):
        return settings
    report = Report()
    read = read_settings(settings or {}, report)
    report.raise_if_any()
    return read


class _CallableModule(types.ModuleType):
    """Lets `pinnkit.solve` be this module and the function at once, whichever is imported first."""

    def __call__(self, *arguments: Any, **named: Any) -> Solution:
        return solve(*arguments, **named)


sys.modules[__name__].__class__ = _CallableModule
