"""The public function `load`: the trained solution from a run folder."""

from __future__ import annotations

import contextlib
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from pinnkit.language.errors import Mistake, ProblemError, Report
from pinnkit.problem.problem import Problem, check_is_problem
from pinnkit.reporting.artifacts import RunFolder, RunFolderError
from pinnkit.runs.configuration import (
    CUSTOM_NETWORK,
    FREE,
    MEASURES,
    as_yaml,
    check_no_python_values,
    check_same,
    parse,
    with_settings,
)
from pinnkit.runs.factory import assemble, check_network
from pinnkit.runs.judgement import not_judged
from pinnkit.runs.learned import learned
from pinnkit.runs.resolved import resolved
from pinnkit.runs.setup import path_of
from pinnkit.runs.solution import Solution
from pinnkit.runs.solution_file import check_weights
from pinnkit.runs.solution_file import read as read_solution
from pinnkit.runs.validation import read_and_check
from pinnkit.settings import Settings
from pinnkit.training.checkpoint_reader import check_fits, read
from pinnkit.training.datamodule import CollocationData
from pinnkit.training.feature_state import load_state
from pinnkit.training.module import PINN

CHECKPOINTS = ("last", "best")


@dataclass(frozen=True)
class Trained:
    """What a checkpoint holds: the module, the data, and the record of training."""

    module: PINN
    data: CollocationData
    rows: Sequence[Mapping[str, Any]]

    def progress(self) -> dict[str, Any]:
        """The counters of metrics.json at the last record, for a run that goes on, or was killed."""
        last = self.rows[-1] if self.rows else {"step": 0, "time_s": 0.0}
        return {"status": "running", "steps": last["step"], "train_time_s": last["time_s"]}


def load(
    folder: Path | str,
    checkpoint: str = "last",
    *,
    problem: Problem | None = None,
    network: nn.Module | None = None,
    problem_folder: Path | str | None = None,
) -> Solution:
    """The solution of a run, also of one that was interrupted or still goes on, or from a file of `Solution.save`.

    Nothing in either is executed.

    Args:
        folder: the run folder, or the file.
        checkpoint: `last`, or `best` for the state of the least objective.
        problem: the problem that was solved, where a part of it was given in Python.
        network: a network like the one that the run was given in Python, where it was; it gets the trained weights.
        problem_folder: where the problem's data files are now, if they have been moved: the problem is read with them.
            The table of a reference is not needed.

    Raises:
        TypeError: the problem is no Problem, or the folder no path.
        ProblemError: the folder is no run folder, its config.yaml is damaged or not that of the checkpoint, or a
            problem or a network is needed.
        pinnkit.DamagedCheckpoint: the checkpoint is missing, not whole, of another format, or of other networks.
        pinnkit.RunFolderError: metrics.json is damaged.
    """
    if problem is not None:
        check_is_problem(problem)
    if path_of(folder).is_file():
        return _from_file(path_of(folder), problem, network, problem_folder)
    run = RunFolder(path_of(folder))
    path = checkpoint_path(run, checkpoint)
    text, config = _configuration(run)
    _check_given(config, problem, network)
    plain = {key: value for key, value in config.items() if key not in ("defaults", "hydra", CUSTOM_NETWORK)}
    if problem_folder is not None:
        plain["problem_folder"] = problem_folder
    found, settings = read_and_check(plain, problem, custom_network=network is not None, reference=False)
    if network is not None:
        check_network(network, found, settings)
    settings = resolved(found, settings, network)
    text = with_settings(text, settings) if problem is None else as_yaml(found, settings, network)
    trained = restore(found, settings, path, text, network)
    metrics = run.read_metrics() if run.metrics.exists() else trained.progress()
    measured = not_judged(metrics["status"], "`pinnkit evaluate` measures it.")
    metrics = {"learned": learned(trained.module), **measured, **metrics}
    return Solution(metrics["status"], metrics, run.path, trained.module, settings)


def _from_file(
    path: Path, problem: Problem | None, network: nn.Module | None, problem_folder: Path | str | None
) -> Solution:
    """The solution in a file of `Solution.save`; the arguments are those of `load`."""
    saved = read_solution(path)
    _check_given(saved.config, problem, network)
    plain = {key: value for key, value in saved.config.items() if key not in ("defaults", "hydra", CUSTOM_NETWORK)}
    with contextlib.ExitStack() as files:
        folder = files.enter_context(tempfile.TemporaryDirectory(prefix="pinnkit_"))
        saved.unpack(Path(folder))
        plain["problem_folder"] = problem_folder or folder
        plain["outside_files"] = False  # the file may come from a stranger
        found, settings = read_and_check(plain, problem, custom_network=network is not None, reference=False)
        if network is not None:
            check_network(network, found, settings)
        settings = resolved(found, settings, network)
        module, _ = assemble(found, settings, network)
        check_weights(path, saved.state, module)
        load_state(module, module.model, saved.state)
        weakref.finalize(module, files.pop_all().close)  # a reference, and a further save, read the data files later
    return Solution(saved.status, saved.metrics, None, module, settings)


def checkpoint_path(run: RunFolder, checkpoint: str) -> Path:
    """The file of the checkpoint `last` or `best`.

    Raises:
        ProblemError: another name.
    """
    if checkpoint not in CHECKPOINTS:
        message = f"{checkpoint!r}: one of {', '.join(CHECKPOINTS)} is needed"
        raise ProblemError([Mistake("checkpoint", message)])
    if checkpoint == "best":
        return run.best_checkpoint
    renamed = run.previous_checkpoint.exists() and not run.last_checkpoint.exists()  # a run that was killed in between
    return run.previous_checkpoint if renamed else run.last_checkpoint


def restore(
    problem: Problem, settings: Settings, path: Path, config: str | None = None, network: nn.Module | None = None
) -> Trained:
    """Module, data and record from a checkpoint.

    Args:
        config: the configuration that problem and settings are of, where it might have changed since.
        network: one of the user's own, for a run that had one.

    Raises:
        DamagedCheckpoint: it is missing, not whole, or of other networks.
        ProblemError: the configuration is not that of the checkpoint.
    """
    state = read(path)
    if config is not None:
        report = Report()
        check_same(config, state["pinnkit"]["config"], path, report, (*FREE, *MEASURES))
        report.raise_if_any()
    module, data = assemble(problem, settings, network)
    check_fits(path, state, module)
    load_state(module, module.model, state)
    data.load_state_dict(state["CollocationData"])
    return Trained(module, data, state["callbacks"]["Record"]["rows"])


def _configuration(run: RunFolder) -> tuple[str, dict[str, Any]]:
    """The text and the content of config.yaml."""
    try:
        text = run.read_config()
    except RunFolderError as error:
        raise ProblemError([Mistake("folder", str(error))]) from None
    config = parse(text)
    if config is None:
        raise ProblemError([Mistake("folder", f"{run.config}: is damaged; a mapping in YAML is needed")])
    return text, config


def _check_given(config: Mapping[str, Any], problem: Problem | None, network: nn.Module | None) -> None:
    """Check that what the run was given in Python is given again.

    Raises:
        ProblemError: it is not.
    """
    report = Report()
    if problem is None:
        check_no_python_values(config.get("pde"), report)
    had = config.get(CUSTOM_NETWORK)
    if had is not None and network is None:
        report.add("network", f"was given in Python ({had}), and config.yaml cannot hold it: pass network=")
    elif had is None and network is not None:
        report.add("network", "this run had none of its own: leave network= out")
    report.raise_if_any()
