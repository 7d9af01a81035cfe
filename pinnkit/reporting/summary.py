"""Summary table of a sweep: one row for each run, the best first."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pinnkit.reporting.artifacts import RunFolder, RunFolderError
from pinnkit.reporting.atomic import write_text

# A run with any other status failed.
COMPLETED = ("finished", "interrupted")
_SECTIONS = ("relative_l2", "max_error", "estimated_error", "residual_rms")
_NUMBERS = ("loss", "steps", "evaluations", "wall_time_s", "train_time_s", "seed")
_FIXED = ("run", "status", "verdict", *_NUMBERS, "reason")


def summarise(sweep_folder: Path) -> Path:
    """Write summary.csv into the sweep folder, one row for each run folder below it, and return its path.

    A run folder is one with a metrics.json or a config.yaml, at any depth; hidden folders are passed over.
    Columns: run (relative to the sweep folder), status, verdict, one for each override of any run (`network.width`),
    relative_l2.FIELD, max_error.FIELD, estimated_error.FIELD, residual_rms.EQUATION, loss, steps, evaluations,
    wall_time_s, train_time_s, seed, learned.NAME (with learned.NAME.exact and .relative_error where they are known),
    reason. A cell that does not apply is empty.

    Rows are sorted by the worst relative_l2 over the run's fields; then come runs without an error, by loss;
    then failed runs (any status but finished and interrupted). A damaged metrics.json is a row with
    status `unreadable`, a missing one a row with status `missing`; `reason` says why.

    Raises RunFolderError where the sweep folder is missing or holds no run.
    """
    sweep_folder = Path(sweep_folder)
    if not sweep_folder.is_dir():
        raise RunFolderError(f"{sweep_folder}: there is no such folder; expected the folder of a sweep")
    folders = sorted(run_folders(sweep_folder), key=lambda path: natural_key(str(path)))
    if not folders:
        raise RunFolderError(f"{sweep_folder}: no run folder below it; expected folders with a metrics.json")
    rows = sorted((read_row(sweep_folder, folder) for folder in folders), key=sort_key)

    table = io.StringIO()
    writer = csv.DictWriter(table, table_columns(rows), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({column: value for (_, column), value in row.items()} for row in rows)
    path = sweep_folder / "summary.csv"
    write_text(path, table.getvalue())
    return path


def run_folders(sweep_folder: Path) -> set[Path]:
    """The run folders below a folder, relative to it."""
    found = [*sweep_folder.rglob("metrics.json"), *sweep_folder.rglob("config.yaml")]
    folders = {file.parent.relative_to(sweep_folder) for file in found} - {Path()}
    shown = {folder for folder in folders if not any(part.startswith(".") for part in folder.parts)}
    return {folder for folder in shown if not shown & set(folder.parents)}  # a run's own evaluation/ is no run


# A row maps (group, column) to a value: groups keep the columns of a kind together, whichever run had them.
Row = dict[tuple[str, str], Any]


def read_row(sweep_folder: Path, folder: Path) -> Row:
    """The row of a run from its metrics.json, or with the reason why there is none; `folder`: below the sweep's."""
    run = RunFolder(sweep_folder / folder)
    row: Row = {("run", "run"): folder.as_posix()}
    if not run.metrics.is_file():
        reason = "there is no metrics.json: the run ended before it could write one"
        return row | {("status", "status"): "missing", ("reason", "reason"): reason}
    try:
        return row | _cells(run.read_metrics(), run.metrics)
    except RunFolderError as error:
        return row | {("status", "status"): "unreadable", ("reason", "reason"): str(error)}


def _cells(metrics: Mapping[str, Any], path: Path) -> Row:
    row: Row = {("status", "status"): metrics["status"]}
    for text in _typed(metrics, "overrides", list, path):
        key, value = _override(str(text))
        # `seed` is the same number in both places; any other clash of names would mix two meanings.
        column = f"override.{key}" if key in _FIXED and key != "seed" else key
        row["seed" if column == "seed" else "overrides", column] = value
    for section in _SECTIONS:
        for name, value in _typed(metrics, section, dict, path).items():
            if not _is_number(value):
                raise RunFolderError(f"{path}: damaged, {section}.{name} = {value!r}; expected a number or null")
            if value is not None or section != "estimated_error":  # which is null where none was made
                row[section, f"{section}.{name}"] = value
    for name, found in _typed(metrics, "learned", dict, path).items():
        # Either the value alone, or a mapping of it and what is known about it (exact, relative_error).
        for part, value in (found if isinstance(found, dict) else {"value": found}).items():
            row["learned", f"learned.{name}" + ("" if part == "value" else f".{part}")] = value
    for name in _NUMBERS:
        given = metrics.get(name)
        if not _is_number(given):
            raise RunFolderError(f"{path}: damaged, {name} = {given!r}; expected a number or null")
        if given is not None:
            row[name, name] = given
    if verdict := _typed(metrics, "verdict", str, path):
        row["verdict", "verdict"] = verdict
    reasons = [str(metrics["reason"])] if metrics.get("reason") else []
    not_finite = _typed(metrics, "not_finite", list, path)
    if not_finite:
        reasons.append("not finite: " + ", ".join(map(str, not_finite)))
    row["reason", "reason"] = "; ".join(reasons)
    return row


def _typed(metrics: Mapping[str, Any], key: str, kind: type, path: Path) -> Any:
    value = metrics.get(key)
    if value is None:
        return kind()
    if not isinstance(value, kind):
        raise RunFolderError(f"{path}: damaged, {key} = {value!r}; expected a {kind.__name__}")
    return value


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _override(text: str) -> tuple[str, str]:
    """Hydra's `key=value`, `+key=value`, `++key=value` or `~key` (which deletes) as key and value."""
    if text.startswith("~"):
        return text[1:].partition("=")[0], "~"
    key, _, value = text.lstrip("+").partition("=")
    return key, value


def table_columns(rows: Iterable[Row]) -> list[str]:
    """The columns of a table with these rows, in groups."""
    groups = ("run", "status", "verdict", "overrides", *_SECTIONS, *_NUMBERS, "learned", "reason")
    seen = dict.fromkeys(key for row in rows for key in row)
    always = {"run", "status", "reason", *_NUMBERS}
    columns: dict[str, None] = {}
    for group in groups:
        names = [column for kind, column in seen if kind == group]
        columns |= dict.fromkeys([group] if group in always else sorted(names, key=natural_key))
    return list(columns)


def sort_key(row: Row) -> tuple[int, float]:
    """(0, worst error), (1, loss) or (2, 0) for a failed run; ties keep the order of names."""
    if row["status", "status"] not in COMPLETED:
        return 2, 0.0
    errors = [value for (group, _), value in row.items() if group == "relative_l2"]
    # A field whose error was not finite (null) has no place among the measured.
    if errors and None not in errors:
        return 0, max(errors)
    return 1, row.get(("loss", "loss"), math.inf)


def natural_key(text: str) -> list[tuple[int, str]]:
    """Key of natural sorting: run 9 before run 10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", text)]
