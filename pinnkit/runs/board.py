"""TensorBoard of a run: text tabs, hyperparameters with final metrics, and charts of several curves."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lightning.pytorch.loggers import Logger, TensorBoardLogger
from torch.utils.tensorboard import summary

from pinnkit.language.markdown import without_markup
from pinnkit.language.plain_text import unicode_text
from pinnkit.networks.settings import Network
from pinnkit.problem.problem import Problem
from pinnkit.problem.statement import Line, Statement, statement
from pinnkit.reporting.report_tables import Table, tables
from pinnkit.reporting.report_verdict import in_words
from pinnkit.settings import Settings

LAYOUT = {
    "Objective and error": {
        "objective (log10)": ["Multiline", [r"log10_loss/(objective|weighted_objective)$"]],
        "relative L2 error of each field (log10)": ["Multiline", [r"log10_error/.*"]],
    },
    "Terms": {
        "loss of each term (log10)": ["Multiline", [r"log10_loss/(?!objective$|weighted_objective$).*"]],
        "weight of each term": ["Multiline", [r"weight/.*"]],
    },
    "Optimizer and speed": {
        "learning rate": ["Multiline", [r"optimizer/learning_rate"]],
        "step length": ["Multiline", [r"optimizer/step_length"]],
        "damping": ["Multiline", [r"optimizer/damping"]],
        "points per second": ["Multiline", [r"speed/points_per_second"]],
    },
}
"""Tab `custom scalars`: group -> chart -> the tags of its curves, as regular expressions."""
LEARNED = {"Learned": {"learned values": ["Multiline", [r"learned/.*"]]}}
"""The group of a problem with learned parameters."""
HIDDEN = ("hydra", "callbacks", "logger", "checkpoint", "resume", "overwrite", "trainer.max_time", "problem_folder")
"""Overrides, or groups of them, that are no hyperparameters."""


def begin(loggers: Sequence[Logger], settings: Settings, problem: Problem, config: str) -> None:
    """Write the layout of charts, and the texts `problem` and `settings`."""
    for writer in _writers(loggers):
        writer.add_custom_scalars({**LAYOUT, **(LEARNED if problem.learned else {})})
        writer.add_text("problem", in_markdown(statement(problem, settings.manufactured)))
        writer.add_text("settings", _code(config))


def end(loggers: Sequence[Logger], settings: Settings, problem: Problem, metrics: Mapping[str, Any]) -> None:
    """Write the text `verdict`, and the hyperparameters with the final metrics."""
    step = int(metrics.get("steps") or 0)
    parts = [in_words(metrics), *map(_table, tables(metrics))]
    # The description of an experiment is left out: TensorBoard would take that of one run for all, and makes a better
    # one of all runs itself, in which the settings that differ come first.
    _, *session = summary.hparams(hyperparameters(settings, problem, metrics), {})
    for writer in _writers(loggers):
        writer.add_text("verdict", "\n\n".join(parts), step)
        for name, value in final(metrics).items():
            writer.add_scalar(name, value, step)
        for one in session:
            writer.file_writer.add_summary(one)
        writer.close()


def hyperparameters(settings: Settings, problem: Problem, metrics: Mapping[str, Any]) -> dict[str, Any]:
    """The main settings, what the command line changed besides, and how the run ended."""
    network, sampling = settings.network, settings.sampling
    found: dict[str, Any] = {
        "problem": problem.name,
        "seed": settings.seed,
        "dtype": settings.dtype,
        "method": settings.method,
        **_network(network, settings.method),
        "sampling": sampling.name,
        "sampling.equations": sampling.equations,
        "sampling.conditions": sampling.conditions,
        "optimizer": ", ".join(map(str, metrics.get("optimizers") or ())),
        "weighting": settings.weighting.name,
    }
    for override in metrics.get("overrides") or ():
        key, equals, value = str(override).lstrip("+").partition("=")
        hidden = any(key == one or key.startswith((f"{one}.", f"{one}/")) for one in HIDDEN)
        if equals and not hidden and key not in found and key != "pde":
            found[key] = _plain(value)
    found |= {"status": metrics.get("status"), "verdict": metrics.get("verdict")}
    return {key: value if isinstance(value, bool | int | float) else str(value or "") for key, value in found.items()}


def _network(network: Network, method: str) -> dict[str, Any]:
    if method == "features":
        return {"network": method}
    return {
        "network": network.name,
        "network.width": network.width,
        "network.depth": getattr(network, "depth", None),
        "network.activation": network.activation,
    }


def final(metrics: Mapping[str, Any]) -> dict[str, float]:
    """The metrics of the table of hyperparameters; NaN for what is not known."""
    loss = metrics.get("loss")
    return {
        "final/error": _largest(metrics.get("relative_l2")),
        "final/estimated_error": _largest(metrics.get("estimated_error")),
        "final/objective": float(loss) if isinstance(loss, int | float) else math.nan,
        "final/train_time_s": float(metrics.get("train_time_s") or 0.0),
        "final/steps": float(metrics.get("steps") or 0),
    }


def _largest(errors: Any) -> float:
    """The largest of the fields' errors; NaN where one is not known."""
    values = list(errors.values()) if isinstance(errors, Mapping) else []
    return float(max(values)) if values and all(isinstance(one, int | float) for one in values) else math.nan


def in_markdown(said: Statement) -> str:
    """A problem in Markdown, with its equations in Unicode: TensorBoard knows no LaTeX."""

    def block(lines: Sequence[Line], closed: bool = False) -> str:
        texts = [f"{one.name} = {one.text}" if closed else one.text for one in lines]
        written = [
            unicode_text(text, said.names, said.coordinates) if one.is_text else f"{text} (a residual in Python)"
            for one, text in zip(lines, texts, strict=True)
        ]
        width = min(max(map(len, written), default=0), 60)
        notes = [", ".join([one.where, *one.notes] if one.where else one.notes) for one in lines]
        return _code("\n".join(f"{text:<{width}}   {note}".rstrip() for text, note in zip(written, notes, strict=True)))

    def parts() -> Iterator[str]:
        yield f"### {without_markup(said.name)}"
        if said.description:
            yield without_markup(said.description)
        yield f"#### Equations\n\n{block(said.equations)}" if said.equations else ""
        yield f"#### Conditions\n\n{block(said.conditions)}" if said.conditions else ""
        yield f"#### Definitions\n\n{block(said.definitions, closed=True)}" if said.definitions else ""
        yield f"#### Exact solution\n\n{block(said.exact, closed=True)}" if said.exact else ""
        yield "#### Domain, fields and parameters\n\n" + _table(Table("", ("", ""), said.facts))

    return "\n\n".join(part for part in parts() if part)


def _writers(loggers: Sequence[Logger]) -> Iterator[Any]:
    for logger in loggers:
        if isinstance(logger, TensorBoardLogger):
            yield logger.experiment


def _table(table: Table) -> str:
    lines = [table.head or ("",), ["---"] * max(len(table.head), 1), *table.rows]
    rows = "\n".join(f"| {' | '.join(map(without_markup, line))} |" for line in lines) if table.rows else ""
    heading = f"#### {table.title}" if table.title else ""
    return "\n\n".join(part for part in (heading, rows, without_markup(table.note)) if part)


def _code(text: str) -> str:
    """A block of code, by four spaces: a fence could be closed by the text."""
    return "\n".join(f"    {line}" for line in text.splitlines())


def _plain(value: str) -> Any:
    """A value of the command line as a number where it is one."""
    try:
        number = float(value)
    except ValueError:
        return value
    return int(number) if number.is_integer() and "." not in value and "e" not in value.lower() else number
