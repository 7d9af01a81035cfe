"""From the figures of all rounds to rows, and from rows to a page in Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

OURS = "pinnkit "
PRODUCTS = "bare matrix products"
MEDIANS = ("ms_per_step", "compile_s", "start_mib", "peak_mib", "device_mib")
COLUMNS = ("", "ms a step", "least", "ratio", "set-up (s)", "memory (MiB)", "before training")

LEGEND = """\
A step is the loss of all equations and conditions, its gradient by the parameters, and the update by Adam, as each
framework makes it in its own training loop, on the same points, which stay the same. *ms a step* is the median over
rounds of each round's median over blocks of ten steps, after ten steps of warm-up; *least* is the fastest block of
all. Every round is a new process for each row, and rounds go through all rows before the next begins. *ratio* is to
the fastest engine of pinnkit. *set-up* is what the first ten steps took beyond ten ordinary ones: compilation, mostly.
An engine in brackets is the one that ran in place of the one that was named.
*memory* is the largest that the process took, and *before training* what it had taken when training began.
*bare matrix products* are those of Taylor mode, with (points, width) arrays, and nothing else: see
`scripts/benchmark/matrix_products.py`."""


def rows(rounds: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """One row for each program: medians over its rounds, and the ratio to the fastest engine; failures come last."""
    found = [_row(name, results) for name, results in rounds.items()]
    ours = [row["ms_per_step"] for row in found if row["name"].startswith(OURS) and "error" not in row]
    for row in found:
        if ours and "error" not in row:
            row["ratio"] = row["ms_per_step"] / min(ours)
    return sorted(found, key=lambda row: ("error" in row, row["name"] != PRODUCTS, row.get("ms_per_step", 0.0)))


def _row(name: str, results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    failed = next((result for result in results if "error" in result), None)
    if failed is not None:
        return {"name": name, "error": failed["error"]}
    row: dict[str, Any] = {"name": name, "rounds": len(results)}
    for key in MEDIANS:
        if key in results[0]:
            row[key] = statistics.median(result[key] for result in results)
    row["ms_min"] = min(result["ms_min"] for result in results)
    row["loss"] = results[-1]["loss"]
    engines = sorted({result["engine"] for result in results if "engine" in result})
    if engines and name != OURS + engines[0]:
        row["engine"] = ", ".join(engines)
    return row


def markdown(report: Mapping[str, Any]) -> str:
    """The page of a report."""
    machine = report["machine"]
    lines = [
        "# The time of one training step",
        "",
        f"Repeat with `{report['command']}`.",
        "",
        f"- date: {report['date']}",
        f"- machine: {machine['cpus']} CPUs ({machine['model']}), {report['threads']} threads, {machine['system']}",
    ]
    if machine.get("device"):
        lines.append(f"- device: {machine['device']}")
    versions = ", ".join(f"{name} {number}" for name, number in sorted(report["versions"].items()))
    lines += [f"- versions: {versions}", "", LEGEND, ""]
    for work in report["works"]:
        lines += section(work)
    if report["works"]:
        first = report["works"][0]["commands"].values()
        message = "Each row of the first table by itself, after the whole; step.json has the command of every row."
        lines += ["## Commands", "", message, "", "```", *first, "```"]
    return "\n".join(lines).rstrip() + "\n"


def section(work: Mapping[str, Any]) -> list[str]:
    """The heading and the table of one problem at one size."""
    name, width, depth = work["problem"], work["width"], work["depth"]
    lines = [
        f"## {name}: {depth} x {width}, {work['points']} points, {work['dtype']}",
        "",
        f"| {' | '.join(COLUMNS)} |",
        f"|{' --- |' * len(COLUMNS)}",
    ]
    return [*lines, *[_line(row) for row in work["rows"]], ""]


def _line(row: Mapping[str, Any]) -> str:
    if "error" in row:
        message = " ".join(str(row["error"]).split()).replace("|", "\\|")
        return f"| {row['name']} | {message}{' |' * (len(COLUMNS) - 1)}"
    memory = row.get("device_mib", row["peak_mib"])
    ratio = f"{row['ratio']:.3g}" if "ratio" in row else ""
    name = f"{row['name']} ({row['engine']})" if "engine" in row else row["name"]
    cells = [name, f"{row['ms_per_step']:.3g}", f"{row['ms_min']:.3g}", ratio, f"{row['compile_s']:.1f}"]
    return f"| {' | '.join(cells)} | {memory:.0f} | {row['start_mib']:.0f} |"
