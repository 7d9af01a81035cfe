"""The report of a run: one self-contained HTML page, from plain data and the files of its folder."""

from __future__ import annotations

import base64
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pinnkit.reporting.artifacts import RunFolder
from pinnkit.reporting.atomic import write_text
from pinnkit.reporting.history_chart import history_chart
from pinnkit.reporting.history_file import read_measurements, without_repeats
from pinnkit.reporting.report_tables import Table, key_numbers, run_facts, tables
from pinnkit.reporting.report_verdict import headline

if TYPE_CHECKING:
    import jinja2

EMBEDDED = 1_300_000
"""Bytes of figures in the page at most; it grows by a third as text."""
ORDER = ("solution", "reference", "error", "estimated_error", "slices", "phase", "curve", "residual", "loss_history",
         "points")  # fmt: skip
"""Figures by the beginning of their names, the first ones before others."""
FILES = ("config.yaml", "metrics.json", "solution.*", "history.jsonl", "train.log", "figures/", "checkpoints/",
         "tensorboard/", "evaluation/")  # fmt: skip


@dataclass(frozen=True)
class Formula:
    """An equation, a condition or a closed form.

    Attributes:
        math: MathML, which is put into the page as it is: made by pinnkit, with every text escaped.
    """

    text: str
    math: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Contents:
    """What a report says besides the files of its folder; plain texts, which the page escapes.

    Attributes:
        facts: (what, text) of domain, fields and parameters.
        settings: (key, value, default) of those that differ from their defaults, the given ones first.
        chosen: (key, value) of those that pinnkit has chosen for the problem.
        config: the text of config.yaml.
        commands: (explanation, command or "") by which the run is repeated.
    """

    name: str
    description: str
    metrics: Mapping[str, Any]
    equations: Sequence[Formula] = ()
    conditions: Sequence[Formula] = ()
    definitions: Sequence[Formula] = ()
    exact: Sequence[Formula] = ()
    facts: Sequence[tuple[str, str]] = ()
    settings: Sequence[tuple[str, str, str]] = ()
    chosen: Sequence[tuple[str, str]] = ()
    config: str = ""
    commands: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class _Figure:
    caption: str
    data: str


@dataclass(frozen=True)
class _Page:
    title: str
    description: str
    tone: str
    headline: str
    explained: Sequence[str]
    numbers: Sequence[tuple[str, str]]
    equations: Sequence[Formula]
    conditions: Sequence[Formula]
    definitions: Sequence[Formula]
    exact: Sequence[Formula]
    facts: Sequence[tuple[str, str]]
    settings: Table
    chosen: Table
    figures: Sequence[_Figure]
    linked: Sequence[str]
    chart: Any
    tables: Sequence[Table]
    config: str
    commands: Sequence[tuple[str, str]]
    run: Sequence[tuple[str, str]]
    files: Sequence[str] = field(default_factory=list)


def write_report(folder: RunFolder, contents: Contents, history: RunFolder | None = None) -> Path:
    """Write report.html into a folder, with its figures and links to its files; returns its path.

    Args:
        history: the run folder with history.jsonl, where that is another.
    """
    write_text(folder.report, render(folder, contents, history or folder))
    return folder.report


def render(folder: RunFolder, contents: Contents, history: RunFolder) -> str:
    """The text of the page."""
    from markupsafe import Markup  # with jinja2, which a run that writes no report need not load

    def safe(formulas: Sequence[Formula]) -> list[Formula]:
        return [Formula(one.text, one.math and Markup(one.math), one.notes) for one in formulas]

    metrics = contents.metrics
    tone, head, explained = headline(metrics)
    figures, linked = _figures(folder)
    chart = None
    if not any(one.caption == "loss history" for one in figures):
        chart = history_chart(without_repeats(read_measurements(history.history)))
    page = _Page(
        contents.name,
        contents.description,
        tone,
        head,
        explained,
        key_numbers(metrics),
        safe(contents.equations),
        safe(contents.conditions),
        safe(contents.definitions),
        safe(contents.exact),
        contents.facts,
        Table("", ("setting", "value", "default"), contents.settings),
        Table("", ("setting", "value"), contents.chosen),
        figures,
        linked,
        chart and Markup(chart),
        tables(metrics),
        contents.config,
        contents.commands,
        run_facts(metrics),
        _files(folder.path),
    )
    return _template().render(page=page)


@functools.cache
def _template() -> jinja2.Template:
    import jinja2

    text = Path(__file__).with_name("report.html.j2").read_text(encoding="utf-8")
    return jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(text)


def _figures(folder: RunFolder) -> tuple[list[_Figure], list[str]]:
    """The figures of a folder in order, as many as a small page takes, and the paths of the others."""

    def place(path: Path) -> tuple[int, str]:
        ranks = [number for number, start in enumerate(ORDER) if path.stem.startswith(start)]
        return min(ranks, default=len(ORDER)), path.stem

    kept, linked, size = [], [], 0
    for path in sorted(folder.figures.glob("*.png"), key=place):
        own = path.stat().st_size
        if size + own > EMBEDDED:
            linked.append(f"figures/{path.name}")
            continue
        size += own
        data = base64.b64encode(path.read_bytes()).decode("ascii")
        kept.append(_Figure(path.stem.replace("_", " "), data))
    others = [path for kind in ("pdf", "svg") for path in sorted(folder.figures.glob(f"*.{kind}"), key=place)]
    linked += [f"figures/{path.name}" for path in others if not path.with_suffix(".png").exists()]
    return kept, linked


def _files(folder: Path) -> list[str]:
    """The files and folders of a run that are there."""
    found = []
    for pattern in FILES:
        for path in sorted(folder.glob(pattern.rstrip("/"))):
            found.append(f"{path.name}/" if path.is_dir() else path.name)
    return found
