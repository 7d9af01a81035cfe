"""Comparison of runs: table, and error against time and steps."""

from __future__ import annotations

import csv
import io
import os
import shutil
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pinnkit.reporting.artifacts import FIGURE_DPI, RunFolder, RunFolderError
from pinnkit.reporting.atomic import atomic, write_text
from pinnkit.reporting.history_file import error_or_objective, read_measurements, without_repeats
from pinnkit.reporting.summary import COMPLETED, Row, natural_key, read_row, run_folders, sort_key, table_columns

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HIDDEN = ("resume", "hydra.run.dir", "callbacks", "logger")
"""Overrides, or groups of them, that do not affect a solution."""
LESS_IMPORTANT = (
    "evaluations", "wall_time_s", "max_error.", "residual_rms.", "reason", "loss", "steps", "status",
    "estimated_error.", "learned.", "train_time_s", "seed",
)  # fmt: skip
"""The beginnings of columns that a narrow screen does without, in this order; the file has them all."""
WITHOUT_ERROR = ("residual_rms.", "loss")
"""Those that stay longest where no run has an error, in this order."""


@dataclass(frozen=True)
class Comparison:
    """A row for each run, the best first, and its measurements (none where it has no history.jsonl)."""

    rows: Sequence[Row]
    histories: Sequence[Sequence[Mapping[str, Any]]]

    def columns(self) -> list[str]:
        """The columns of summary.csv; of the overrides only those in which the runs differ."""
        different = self._different()
        return table_columns({key: one for key, one in row.items() if key in different} for row in self._visible())

    def labels(self) -> list[str]:
        """Labels of the runs: their different overrides, or their names where these are the same."""
        overrides = sorted((column for group, column in self._different() if group == "overrides"), key=natural_key)
        if ("seed", "seed") in self._different():
            overrides.append("seed")
        texts = []
        for row in self.rows:
            cells = {column: cell for (_, column), cell in row.items()}
            texts.append(", ".join(f"{column}={cells[column]}" for column in overrides if column in cells))
        names = [row["run", "run"] for row in self.rows]
        return [text if texts.count(text) == 1 and text else name for text, name in zip(texts, names, strict=True)]

    def as_csv(self) -> str:
        """The table as CSV, with all digits."""
        table = io.StringIO()
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(self.columns())
        writer.writerows([cells.get(column, "") for column in self.columns()] for cells in self._cells())
        return table.getvalue()

    def as_text(self, width: int | None = None, most: int | None = None) -> str:
        """The table in aligned columns, numbers with three digits, without empty columns.

        Args:
            width: columns of the screen; None: those of the terminal, 80 where there is none. What is less important
                is left out where they are too few, and a line says what.
            most: rows; None: all.
        """
        width = shutil.get_terminal_size((80, 24)).columns if width is None else width
        cells = [{column: _short(cell) for column, cell in cells.items()} for cells in self._cells()[:most]]
        columns = [column for column in self.columns() if any(one.get(column) for one in cells)]
        if "seed" in columns and ("seed", "seed") in self._different():  # beside the settings that were swept with it
            before = {
                one for row in self.rows for group, one in row if group in ("run", "status", "verdict", "overrides")
            }
            columns.remove("seed")
            columns.insert(sum(one in before for one in columns), "seed")
        columns, out = _fitting(columns, cells, width, self._less_important(columns))
        table = _aligned(columns, cells, width)
        failed = [one for one in cells if one.get("status") not in COMPLETED and one.get("reason")]
        reasons = [f"{one['run']}: {one['reason']}" for one in failed if "reason" in out]
        more = len(self.rows) - len(cells)
        notes = [f"{more} more runs"] * (more > 0) + [f"left out: {', '.join(out)}"] * bool(out) + self._order()
        wrapped = (textwrap.wrap(note, width, break_long_words=False) for note in [*reasons, *notes])
        return "\n".join([*table, *(line for lines in wrapped for line in lines)])

    def draw(self) -> Figure:
        """Error against time and against steps, a line a run, all axes logarithmic.

        The error is the worst relative L2 error over the fields, the objective where there is no reference.
        """
        from pinnkit.reporting.figure_style import annotate_empty, new_figure
        from pinnkit.reporting.labels import plain_text
        from pinnkit.reporting.log_ticks import set_log_ticks

        drawn = [(label, rows) for label, rows in zip(self.labels(), self.histories, strict=True) if rows]
        objective = {not row["errors"] for _, rows in drawn for row in rows}
        name = {frozenset([True]): "objective", frozenset([True, False]): "error, or objective"}.get(
            frozenset(objective), "relative $L^2$ error"
        )
        with new_figure(13.0, 5.4 + 0.36 * len(drawn), "") as figure:
            panels = figure.subplots(1, 2, sharey=True)
            for axes, key, label in zip(panels, ("time_s", "step"), ("training time (s)", "step"), strict=True):
                for place, (text, rows) in enumerate(drawn):
                    _line(
                        axes,
                        [row[key] for row in rows],
                        [error_or_objective(row) for row in rows],
                        plain_text(text),
                        place,
                    )
                if not drawn:
                    annotate_empty(axes, "no run has a history.jsonl")
                axes.set_xlabel(label)
                axes.grid(alpha=0.3)
                if drawn:
                    axes.set(xscale="log", yscale="log")
                    set_log_ticks(axes.xaxis)
                    set_log_ticks(axes.yaxis)
            panels[0].set_ylabel(name)
            if drawn:
                figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower left", frameon=False)
        return figure

    def write(self, out: Path) -> tuple[Path, Path]:
        """Write OUT.csv and OUT.png; their paths."""
        table, picture = (out.with_name(f"{out.name}.{kind}") for kind in ("csv", "png"))
        out.parent.mkdir(parents=True, exist_ok=True)
        write_text(table, self.as_csv())
        with atomic(picture) as temporary:
            self.draw().savefig(temporary, format="png", dpi=FIGURE_DPI)
        return table, picture

    def _less_important(self, columns: Sequence[str]) -> list[str]:
        """The beginnings of columns that a narrow screen does without, in this order."""
        same_seed = len({row.get(("seed", "seed")) for row in self.rows}) == 1 < len(self.rows)
        first = ["seed"] if same_seed else []
        last = [] if any(one.startswith("relative_l2.") for one in columns) else list(WITHOUT_ERROR)
        return [*first, *(one for one in LESS_IMPORTANT if one not in (*first, *last)), *last]

    def _order(self) -> list[str]:
        """A note on the order of several runs of which none has an error."""
        if len(self.rows) < 2 or any(group == "relative_l2" for row in self.rows for group, _ in row):
            return []
        weighted = any(group == "overrides" and column.startswith("weighting") for group, column in self._different())
        doubt = ", in which their weights differ: compare the residuals" if weighted else ""
        return [f"no error is known, so the order is that of the loss{doubt}"]

    def _different(self) -> set[tuple[str, str]]:
        """The keys of the rows, without overrides that are the same in all runs."""
        keys = {key for row in self._visible() for key in row}
        telling = [row for row in self.rows if any(group in ("overrides", "seed") for group, _ in row)]
        same = {key for key in keys if len({str(row.get(key)) for row in telling}) == 1}
        return keys - {key for key in same if key[0] in ("overrides", "seed")}

    def _visible(self) -> Iterable[Row]:
        return (
            {
                (group, column): cell
                for (group, column), cell in row.items()
                if group != "overrides" or not (column in HIDDEN or column.startswith(("callbacks.", "logger.")))
            }
            for row in self.rows
        )

    def _cells(self) -> list[dict[str, Any]]:
        return [{column: cell for (_, column), cell in row.items()} for row in self.rows]


def compare(folders: Sequence[Path]) -> Comparison:
    """Read runs: each folder is a run, or holds several at any depth.

    Raises:
        RunFolderError: a folder that is missing, or is no run and holds none.
    """
    found = list(dict.fromkeys(run for folder in folders for run in _runs(Path(folder))))
    base = Path(os.path.commonpath([run.parent for run in found]))
    pairs = [
        (read_row(base, run.relative_to(base)), list(without_repeats(read_measurements(RunFolder(run).history))))
        for run in found
    ]
    pairs.sort(key=lambda pair: sort_key(pair[0]))
    return Comparison([row for row, _ in pairs], [rows for _, rows in pairs])


def _runs(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise RunFolderError(f"{folder}: there is no such folder; expected a run folder, or a folder of several")
    path = folder.resolve()
    below = sorted(run_folders(path), key=lambda run: natural_key(str(run)))
    # A run's own evaluation/ lies below it; a sweep may keep a config.yaml above its runs.
    if (path / "metrics.json").is_file() or ((path / "config.yaml").is_file() and not below):
        return [path]
    if not below:
        raise RunFolderError(f"{folder}: is no run folder, and holds none: there is no metrics.json in or below it")
    return [path / run for run in below]


def _short(cell: Any) -> str:
    """A cell for the screen: three digits, one line."""
    if isinstance(cell, float):
        return f"{cell:.3g}"
    return "" if cell is None else " ".join(str(cell).split())


def _fitting(
    columns: Sequence[str], cells: Sequence[Mapping[str, str]], width: int, less_important: Sequence[str]
) -> tuple[list[str], list[str]]:
    """The columns that fit the width, and those left out: the less important first, by their beginnings."""
    kept = list(columns)
    out: list[str] = []
    for prefix in less_important:
        for column in [one for one in kept if one.startswith(prefix)]:
            if sum(_widths(kept, cells).values()) + 2 * (len(kept) - 1) <= width:
                return kept, out
            kept.remove(column)
            out.append(column)
    return kept, out


def _widths(columns: Sequence[str], cells: Sequence[Mapping[str, str]]) -> dict[str, int]:
    return {column: max(len(column), *(len(one.get(column, "")) for one in cells)) for column in columns}


def _aligned(columns: Sequence[str], cells: Sequence[Mapping[str, str]], width: int) -> list[str]:
    """Lines of at most so many characters; of names that are too long the end is shown."""
    widths = _widths(columns, cells)
    over = sum(widths.values()) + 2 * (len(columns) - 1) - width
    if over > 0 and columns:
        longest = max(widths, key=widths.__getitem__)
        widths[longest] = max(widths[longest] - over, 12)
    lines = [{column: column for column in columns}, *cells]
    rows = ("  ".join(_cut(line.get(one, ""), widths[one]).ljust(widths[one]) for one in columns) for line in lines)
    return [row.rstrip()[:width] for row in rows]


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"...{text[3 - width :]}"


def _line(axes: Axes, where: Sequence[float], values: Sequence[float], label: str, place: int) -> None:
    from pinnkit.reporting.figure_style import COLOURS

    dashes = ("-", "--", "-.", ":")
    axes.plot(
        where,
        values,
        label=label,
        color=COLOURS[place % len(COLOURS)],
        linestyle=dashes[place // len(COLOURS) % len(dashes)],
        marker="o" if len(where) < 30 else "",  # a line through one point cannot be seen
        markersize=4,
    )
