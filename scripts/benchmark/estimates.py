"""Estimated errors beside true ones, and errors before and after polishing, as a page.

Rows are kept beside the page, so that it can be made in several sittings; a run that is made again replaces its row.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmark.accuracy import code
from benchmark.step_comparison import cpu_model
from pinnkit.references.choose import choose
from pinnkit.reporting.atomic import write_text
from pinnkit.runs import evaluation
from pinnkit.runs.feature_answers import FeatureAnswers
from pinnkit.runs.shipped_problems import list_problems, read_problem
from pinnkit.runs.solve import solve

LEGEND = """\
Each shipped problem that has a reference, trained for some seconds: the largest *ratio* of the estimated to the true
relative L2 error of a field, or the one farthest from 1, before and after polishing; *unknown*: the estimate says so,
in words; *not made*: training of less than 5 s is not followed by one. *polish*: the error before and after, and the
seconds that it took; a dash: it was not taken; *rounding*: below 1e-11, or three times the error of the reference.
`python scripts/benchmark_estimates.py` makes the page."""
SECONDS = (5.0, 15.0, 45.0)
"""Training of the three stages."""
LEAST_S = 5.0
"""Training of less is not followed by an estimate, unless `polish=true` asks for it."""
POLISH_S = 20.0
"""Seconds that polishing may take."""
RIGHT, WRONG = 2.0, 0.2
"""Ratios within 1/2 and 2 are right; below 0.2 the user is misled."""
QUIET = {
    "callbacks": {"progress": False, "figures": False, "terminal": "quiet"},
    "logger": {"tensorboard": False},
    "polish": "false",
    "operators": {"engine": "autograd"},
}
ROUNDING = 1e-11
"""Errors below it are rounding, which is not judged."""


def benchmark(argv: Sequence[str], scripts: Path) -> int:
    """Make rows and the page; 1 where an estimate misleads, else 0."""
    parser = argparse.ArgumentParser(prog="benchmark_estimates.py", description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=scripts.parent / "docs" / "results")
    parser.add_argument("--seconds", type=float, nargs="+", default=SECONDS, help="of training, a run each")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--merge", type=Path, nargs="*", default=[], help="rows of other machines to take in")
    parser.add_argument("--page", action="store_true", help="make the page from the rows alone")
    parser.add_argument("problems", nargs="*", metavar="NAME")
    options = parser.parse_args(argv)
    file = options.out / "estimates.json"
    rows: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    for other in options.merge:
        rows |= json.loads(other.read_text())
    names = [] if options.page else options.problems or sorted(list_problems())
    for name in names:
        for seconds in options.seconds:
            for seed in options.seeds:
                found = measured(name, seconds, seed)
                if found is not None:
                    rows[f"{name} {seconds:g} {seed}"] = {**found, "code": code(scripts.parent, "pinnkit", "conf")}
                    print(" | ".join(cells(name, found)), flush=True)
                write_text(file, json.dumps(rows, indent=1) + "\n")
    write_text(file, json.dumps(rows, indent=1) + "\n")
    write_text(options.out / "estimates.md", page(rows))
    return int(any(ratio is not None and ratio < WRONG for row in rows.values() for ratio in ratios(row)))


def measured(name: str, seconds: float, seed: int) -> dict[str, Any] | None:
    """The row of a run; None where there is no reference."""
    problem = read_problem(name)
    with tempfile.TemporaryDirectory() as folder:
        solution = solve(problem, Path(folder) / "run", {**QUIET, "seed": seed, "trainer": {"max_time": seconds}})
        metrics = solution.metrics
        if not metrics["relative_l2"]:
            return None
        answers = FeatureAnswers(solution.module, solution.settings)
        polished = answers.polish(POLISH_S)
        reference = choose(problem, solution.settings.reference, solution.settings.reference_max_time)
        errors = evaluation.evaluate(solution.module, reference).errors()["relative_l2"]
        after = answers.estimate()
        return {
            "seconds": seconds,
            "seed": seed,
            "errors": metrics["relative_l2"],
            "estimates": metrics["estimated_error"],
            "accepted": polished.accepted,
            "polish_s": polished.seconds,
            "polished": errors,
            "polished_estimates": after.fields,
            "estimate_s": after.seconds,
            "reference_error": metrics["reference_error"],
            "verdict": metrics["verdict"],
            "date": time.strftime("%Y-%m-%d"),
            "machine": f"{os.cpu_count()} CPUs ({cpu_model()})",
        }


def ratios(row: Mapping[str, Any]) -> list[float | None]:
    """Estimated over true errors before and after polishing, the one farthest from 1; None: unknown, or not judged."""
    return [
        _ratio(row["errors"], row["estimates"], row["reference_error"]),
        _ratio(row["polished"], row["polished_estimates"], row["reference_error"]),
    ]


def _ratio(
    errors: Mapping[str, float], estimates: Mapping[str, float | None], reference_error: float | None
) -> float | None:
    floor = _floor(reference_error)
    pairs = [(estimates.get(name), error) for name, error in errors.items() if error is not None and error > floor]
    found = [guess / error for guess, error in pairs if guess]
    return max(found, key=lambda one: max(one, 1 / one)) if found else None


def _floor(reference_error: float | None) -> float:
    """The error below which estimates are not judged."""
    return max(ROUNDING, 3 * (reference_error or 0.0))


def cells(name: str, row: Mapping[str, Any]) -> list[str]:
    """The cells of a run's line."""
    before, after = (f"{one:.2f}" if one is not None else "unknown" for one in ratios(row))
    if row["seconds"] < LEAST_S:
        before = "not made"
    if max(one for one in row["polished"].values() if one is not None) <= _floor(row["reference_error"]):
        after = "rounding"
    worst = max(one for one in row["errors"].values() if one is not None)
    polished = max(one for one in row["polished"].values() if one is not None)
    taken = f"{polished:.1e}" if row["accepted"] else "—"
    return [f"`{name}`", f"{row['seconds']:g}", str(row["seed"]), f"{worst:.1e}", before, taken,
            after if row["accepted"] else "", f"{row['polish_s']:.0f}", f"{row['estimate_s']:.0f}"]  # fmt: skip


def page(rows: Mapping[str, Mapping[str, Any]]) -> str:
    """The page of all rows, with the shares of estimates that are right."""
    judged = [ratio for row in rows.values() for ratio in ratios(row) if ratio is not None]
    right = sum(1 / RIGHT <= one <= RIGHT for one in judged)
    low = sum(one < WRONG for one in judged)
    machines = sorted({f"{row['machine']}, {row['date']}, pinnkit {row['code']}" for row in rows.values()})
    head = ("problem", "training (s)", "seed", "error", "estimate / error", "polished", "estimate / error",
            "polish (s)", "estimate (s)")  # fmt: skip
    lines = [
        "# Estimated errors and polishing",
        "",
        LEGEND,
        "",
        f"Of {len(judged)} estimates {right} ({right / max(len(judged), 1):.0%}) lie within a factor 2 of the error, "
        f"{low} below a fifth of it.",
        "",
        "| " + " | ".join(head) + " |",
        "| " + " | ".join("---" for _ in head) + " |",
    ]
    for key in sorted(rows, key=lambda one: (one.split()[0], float(one.split()[1]), one)):
        lines.append("| " + " | ".join(cells(key.split()[0], rows[key])) + " |")
    return "\n".join([*lines, "", *(f"Measured on {one}, one thread each.  " for one in machines), ""])
