"""Loggers of a run: TensorBoard, Weights & Biases, MLflow."""

from __future__ import annotations

import importlib.util
import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lightning.pytorch.loggers import Logger, MLFlowLogger, TensorBoardLogger, WandbLogger

from pinnkit.language.errors import Mistake, ProblemError
from pinnkit.reporting.artifacts import RunFolder
from pinnkit.reporting.atomic import write_text
from pinnkit.reporting.json_values import to_json
from pinnkit.runs.configuration import parse
from pinnkit.training import settings as training

if TYPE_CHECKING:
    from matplotlib.figure import Figure

log = logging.getLogger("pinnkit")

STORE = "mlflow.db"
"""MLflow's store where neither the settings nor the environment name one: a file in the working folder."""
FINAL = ("relative_l2", "max_error", "estimated_error", "residual_rms")
"""Metrics that are given for each field or equation."""
LONGEST = 250
"""Characters of a parameter's value, which MLflow limits."""


def make_loggers(settings: training.Logger, folder: RunFolder, problem: str, resume: bool) -> list[Logger]:
    """The loggers that the settings ask for; nothing is written or sent yet.

    Args:
        problem: its name, after which a group of runs is called.
        resume: whether a run goes on, and so its former runs of these trackers.

    Raises:
        ProblemError: a package is missing, or refuses its settings.
    """
    former = _identities(folder) if resume else {}
    found: list[Logger] = []
    if settings.tensorboard:
        found.append(TensorBoardLogger(folder.tensorboard, name="", version=""))
    if settings.wandb.enabled:
        _check_package("wandb")
        with _in_words("wandb"):
            found.append(_wandb(settings.wandb, folder.path, problem, former.get("wandb")))
    if settings.mlflow.enabled:
        _check_package("mlflow")
        with _in_words("mlflow"):
            found.append(_mlflow(settings.mlflow, folder.path, problem, former.get("mlflow")))
    return found


def begin(loggers: Sequence[Logger], folder: RunFolder, config: str, resume: bool) -> None:
    """Start the runs of the trackers, keep their identities in loggers.json, and log the configuration.

    Raises:
        ProblemError: a tracker cannot be reached, or does not know the user.
    """
    identities = {}
    for logger in loggers:
        kind = _kind(logger)
        if kind is None:
            continue
        with _in_words(kind):
            _ = logger.experiment  # type: ignore[attr-defined]
            identities[kind] = str(logger.run_id if kind == "mlflow" else logger.experiment.id)  # type: ignore[attr-defined]
            if not (resume and kind == "mlflow"):  # whose parameters cannot change
                logger.log_hyperparams(_flat(parse(config) or {}))
    if identities:
        write_text(folder.tracker_runs, json.dumps(identities, indent=2) + "\n")


def log_figure(logger: Logger, name: str, figure: Figure, step: int) -> None:
    """Hand a figure to a logger."""
    if isinstance(logger, TensorBoardLogger):
        logger.experiment.add_figure(f"figures/{name}", figure, step, close=False)
    elif isinstance(logger, WandbLogger):
        logger.log_image(f"figures/{name}", [figure], step=step)
    elif isinstance(logger, MLFlowLogger):
        logger.experiment.log_figure(logger.run_id, figure, f"figures/{name}/step_{step:08d}.png")


def end(loggers: Sequence[Logger], metrics: Mapping[str, Any]) -> None:
    """Log the final metrics, and close the runs of the trackers.

    A tracker that cannot be reached is a warning: the run has come to its end, and its folder has everything.
    """
    plain, _ = to_json(metrics)
    numbers = {key: value for key, value in plain.items() if isinstance(value, int | float)}
    for name in FINAL:
        numbers |= {f"{name}/{one}": value for one, value in (plain.get(name) or {}).items() if value is not None}
    status = str(metrics["status"])
    texts = {key: plain[key] for key in ("status", "verdict", "verdict_text") if plain.get(key) is not None}
    for logger in loggers:
        try:
            _end(logger, status, numbers, texts, plain.get("steps"))
        except Exception as error:  # trackers have classes of their own, and those of their networks
            first = (str(error).splitlines() or [type(error).__name__])[0]
            log.warning("logger.%s has not been told how the run ended (%s): metrics.json has it", _kind(logger), first)


def _end(logger: Logger, status: str, numbers: Mapping[str, float], texts: Mapping[str, str], step: int | None) -> None:
    if isinstance(logger, WandbLogger):
        logger.experiment.summary.update({**{f"final/{key}": value for key, value in numbers.items()}, **texts})
        logger.experiment.finish(exit_code=0 if status in ("finished", "interrupted") else 1)
    elif isinstance(logger, MLFlowLogger):
        logger.log_metrics({f"final/{key}": float(value) for key, value in numbers.items()}, step=step)
        for key, text in texts.items():
            logger.experiment.set_tag(logger.run_id, key, text)
        logger.finalize("success" if status == "finished" else "finished" if status == "interrupted" else "failed")


def _wandb(settings: training.WandB, folder: Path, problem: str, former: str | None) -> Logger:
    import wandb

    return WandbLogger(
        name=settings.name or str(folder),
        project=settings.project,
        group=settings.group or problem,
        entity=settings.entity,
        offline=settings.offline,
        save_dir=os.environ.get("WANDB_DIR", "."),
        id=former,
        settings=wandb.Settings(silent=True, console="off"),
    )


def _mlflow(settings: training.MLflow, folder: Path, problem: str, former: str | None) -> Logger:
    return MLFlowLogger(
        experiment_name=settings.experiment or problem,
        run_name=settings.name or str(folder),
        tracking_uri=settings.tracking_uri or os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{STORE}",
        run_id=former,
    )


@contextmanager
def _in_words(kind: str) -> Iterator[None]:
    """Turn an error of a tracker into one of its key."""
    try:
        yield
    except Exception as error:  # trackers have classes of their own, and those of their networks
        first = (str(error).splitlines() or [type(error).__name__])[0]
        hint = ": logger.wandb.offline=true needs no server" if kind == "wandb" else ""
        raise ProblemError([Mistake(f"logger.{kind}", f"{type(error).__name__}: {first}{hint}")]) from error


def _check_package(name: str) -> None:
    if importlib.util.find_spec(name) is None:
        raise ProblemError([Mistake(f"logger.{name}", f'needs {name}: pip install "pinnkit[{name}]"')])


def _kind(logger: Logger) -> str | None:
    """The tracker of a logger; None for TensorBoard, whose files lie in the run folder."""
    return "wandb" if isinstance(logger, WandbLogger) else "mlflow" if isinstance(logger, MLFlowLogger) else None


def _identities(folder: RunFolder) -> dict[str, str]:
    """The runs of trackers that a run folder belongs to; none where it names none."""
    try:
        content = json.loads(folder.tracker_runs.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): str(one) for name, one in content.items()} if isinstance(content, dict) else {}


def _flat(config: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """A configuration as one mapping of dotted keys, without Hydra's part."""
    found: dict[str, Any] = {}
    for key, value in config.items():
        name = f"{path}.{key}" if path else str(key)
        if name in ("hydra", "defaults"):
            continue
        if isinstance(value, Mapping):
            found |= _flat(value, name)
        else:
            found[name] = value if isinstance(value, bool | int | float) else str(value)[:LONGEST]
    return found
