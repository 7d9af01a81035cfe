"""The database of a sweep: its trials, their results and their locks. Optuna is imported here alone."""

from __future__ import annotations

import csv
import fcntl
import io
import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np
import optuna
from optuna.trial import TrialState
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from pinnkit.cli.space import Choice, Span
from pinnkit.cli.trial import RUNGS, Outcome, ReservedTrial
from pinnkit.language.errors import Mistake, ProblemError, Report
from pinnkit.reporting.artifacts import RunFolder
from pinnkit.reporting.atomic import write_text

STATES = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAIL}
NAMES = {**{state: name for name, state in STATES.items()}, TrialState.RUNNING: "open"}


class Study:
    """The trials of a sweep in its folder, shared by all the threads and processes that work on it.

    A trial that is open and whose lock nobody holds was left by a sweep that was killed: it is taken up again, with its
    number, its parameters and its folder. (Optuna's heartbeat would fail it after a minute and enqueue a copy.)

    Args:
        given: the arguments that are the same for every trial; space: what is searched.
        prune: end a run whose best value is above the median of the complete ones at the same share of the budget.

    Raises:
        ProblemError: the folder holds a sweep of other arguments, or its database is damaged.
    """

    def __init__(self, folder: Path, given: Sequence[str], space: Sequence[Choice | Span], seed: int, prune: bool):
        self.folder, self.space, self.seed = folder, space, seed
        folder.mkdir(parents=True, exist_ok=True)
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        # The first fifth of the budget is mostly Adam's: it says little about what follows.
        pruner = optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=RUNGS // 5)
        with self._alone():
            # SQLite and not Optuna's journal: it takes back a half-written transaction, and its locks go with the
            # process; a journal whose writer was killed keeps a lock file, or a torn line that nobody can read.
            path = (folder / "study.db").resolve()
            try:
                # Every connection is closed after its use, and none is left to the end of the process.
                engine = {"connect_args": {"timeout": 60.0}, "poolclass": NullPool}
                storage = optuna.storages.RDBStorage(f"sqlite:///{path}", engine_kwargs=engine)
                self._study = optuna.create_study(
                    storage=storage,
                    study_name="sweep",
                    load_if_exists=True,
                    pruner=pruner if prune else optuna.pruners.NopPruner(),
                )
            except (SQLAlchemyError, optuna.exceptions.OptunaError) as error:
                message = f"{path} cannot be used ({str(error).splitlines()[0]}); move it away, or name another folder"
                raise ProblemError([Mistake("sweep.folder", message)]) from error
            self._same({"words": list(given), "space": [str(one) for one in space]})

    def claim(self, trials: int) -> ReservedTrial | None:
        """Take a trial that was left open, or a new one while there are fewer than `trials`; None: neither is there."""
        with self._alone():
            known = self._study.get_trials(deepcopy=False)
            # The random draws of a trial depend on its number alone: a sweep that goes on does not repeat its first.
            draws = np.random.SeedSequence([self.seed, len(known)]).generate_state(1)
            self._study.sampler = optuna.samplers.TPESampler(seed=int(draws[0]))
            for one in known:
                lock = self._locked(one.number) if one.state == TrialState.RUNNING else None
                if lock is not None:
                    return self._claimed(optuna.trial.Trial(self._study, one._trial_id), lock, one.last_step)
            if len(known) >= trials:
                return None
            trial = self._study.ask()
            return self._claimed(trial, cast(int, self._locked(trial.number)), None)

    def close(self, claim: ReservedTrial, outcome: Outcome) -> None:
        """Keep the outcome of a trial, and write the table anew; an open one is left for the next sweep."""
        with self._alone():
            if outcome.state in STATES:
                claim.trial.set_user_attr("reason", outcome.reason)
                values = outcome.value if outcome.state == "complete" else None
                self._study.tell(claim.trial, values, STATES[outcome.state])
            self._write_table()
        os.close(claim.lock)

    def open(self) -> int:
        """How many trials are being worked on, here or by another sweep."""
        return len(self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)))

    def best(self) -> tuple[int, float, list[str]] | None:
        """Number, value and overrides of the best complete trial."""
        complete = self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        if not complete:
            return None
        least = min(complete, key=lambda one: one.value)
        return least.number, least.value, [f"{one.key}={least.params[one.key]}" for one in self.space]

    def _same(self, now: dict[str, list[str]]) -> None:
        former = self._study.user_attrs
        report = Report()
        for name, texts in now.items():
            if former.get(name, texts) != texts:
                other = [text for text in (*former[name], *texts) if (text in former[name]) != (text in texts)]
                message = f"different {name}: {', '.join(other) or 'the same in another order'}"
                report.add("sweep.folder", f"{self.folder} holds a sweep with {message}; name another folder")
        report.raise_if_any()
        for name, texts in now.items():
            self._study.set_user_attr(name, texts)

    def _claimed(self, trial: optuna.trial.Trial, lock: int, last: int | None) -> ReservedTrial:
        overrides = tuple(one.override(trial) for one in self.space)
        return ReservedTrial(trial, RunFolder(self._run(trial.number)), overrides, lock, -1 if last is None else last)

    def _run(self, number: int) -> Path:
        return self.folder / "trials" / f"{number:04d}"

    def _locked(self, number: int) -> int | None:
        """The lock of a trial as a file descriptor; None where a process holds it. It ends with its last holder."""
        self._run(number).mkdir(parents=True, exist_ok=True)
        lock = os.open(self._run(number) / ".lock", os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return None
        return lock

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """While this is open, no other thread or process takes or closes a trial of this sweep."""
        with (self.folder / ".lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _write_table(self) -> None:
        """summary.csv: a row a trial, by value; then those without one, the failed last."""
        columns = ["number", "state", "value", *(one.key.lstrip("+") for one in self.space), "reason", "run"]
        table = io.StringIO()
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(columns)
        for one in sorted(self._study.get_trials(deepcopy=False), key=_rank):
            parameters = [one.params.get(dimension.key, "") for dimension in self.space]
            value = "" if one.value is None else one.value
            run = self._run(one.number).relative_to(self.folder).as_posix()
            writer.writerow([one.number, NAMES[one.state], value, *parameters, one.user_attrs.get("reason", ""), run])
        write_text(self.folder / "summary.csv", table.getvalue())


def _rank(trial: Any) -> tuple[bool, float, int]:
    return trial.state == TrialState.FAIL, math.inf if trial.value is None else trial.value, trial.number
