"""The page of estimated errors beside true ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from benchmark.estimates_run import TRAINING_S

LEGEND = """\
Shipped problems that have a reference: one training for each seed, whose errors are estimated after 60, 240 and 960
steps, or 20 seconds, and `method=features`. *Ratio*: the estimated over the true relative L2 error, of the field or
learned number where it is farthest from 1; *not known*: the estimate says so, in words (below); *rounding*: all errors
are below 1e-11, or three times the error of the reference, which is not judged. *Polish*: the error and the ratio after
a polish of at most 10 s that follows the last stage; a dash: it was not taken. Trainings do not compile
(`operators=autograd`). `python scripts/benchmark_estimates.py` makes the page."""
RIGHT, WRONG = 2.0, 0.2
"""Ratios within 1/2 and 2 are right; below 0.2 the user is misled."""
ROUNDING = 1e-11
"""Errors below it are rounding, which is not judged."""
HEAD = ("problem", "seed", "answer", "error", "ratio", "polished", "ratio", "seconds: training", "estimate", "polish")


def ratios(row: Mapping[str, Any]) -> dict[str, float]:
    """Estimated over true errors of each field and number whose error is judged and whose estimate is known."""
    floor = _floor(row)
    pairs = {name: (row["estimates"].get(name), error) for name, error in row["errors"].items() if error is not None}
    return {name: guess / error for name, (guess, error) in pairs.items() if guess and error > floor}


def misleads(row: Mapping[str, Any]) -> bool:
    """Whether an estimate is far below the error."""
    return any(one < WRONG for part in (row, _polished(row)) if part for one in ratios(part).values())


def _polished(row: Mapping[str, Any]) -> Mapping[str, Any] | None:
    found = row.get("polish")
    return found if found and found["accepted"] else None


def _cells(row: Mapping[str, Any] | None) -> tuple[str, str]:
    """The largest error, and the ratio that is farthest from 1, in words where there is none."""
    if row is None:
        return "—", ""
    known = {name: error for name, error in row["errors"].items() if error is not None}
    found = list(ratios(row).values())
    ratio = f"{max(found, key=lambda one: max(one, 1 / one)):.2f}" if found else "not known"
    if max(known.values()) <= _floor(row):
        ratio = "rounding"
    return f"{max(known.values()):.1e}", ratio


def _answer(row: Mapping[str, Any]) -> str:
    return "features" if row["method"] == "features" else f"network, {row['stage']} steps"


def _line(name: str, row: Mapping[str, Any]) -> Sequence[str]:
    polish = row.get("polish")
    after = _cells(_polished(row)) if polish else ("", "")
    seconds = f"{polish['seconds']:.0f}" if polish else ""
    return (f"`{name}`", str(row["seed"]), _answer(row), *_cells(row), *after, f"{row['seconds']:.0f}",
            f"{row['estimate_s']:.0f}", seconds)  # fmt: skip


def page(rows: Mapping[str, Mapping[str, Any]]) -> str:
    """The page of all rows, with the shares of estimates that are right."""
    rows = _distinct(rows)
    ordered = sorted(rows, key=lambda one: (one.split()[0], rows[one]["seed"], _order(rows[one])))
    machines = sorted({f"{row['machine']}, {row['date']}, pinnkit {row['code']}" for row in rows.values()})
    return "\n".join(
        [
            "# Estimated errors and polishing",
            "",
            LEGEND,
            "",
            *_shares(rows.values()),
            "",
            f"So far {len({key.split()[0] for key in rows})} problems are measured "
            f"(seeds: {', '.join(map(str, sorted({row['seed'] for row in rows.values()})))}), beside other work "
            "on the same cores: limits of time leave out less on a quiet machine.",
            "",
            "| " + " | ".join(HEAD) + " |",
            "| " + " | ".join("---" for _ in HEAD) + " |",
            *("| " + " | ".join(_line(key.split()[0], rows[key])) + " |" for key in ordered),
            "",
            "## Why an estimate is not known",
            "",
            *_reasons(rows, ordered),
            "",
            *(f"Measured on {one}, one thread each, with other work beside it.  " for one in machines),
            "",
        ]
    )


def _distinct(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The rows without stages that are those of a later one, as no time was left for more steps."""
    ends = {(key.split()[0], row["seed"]): key for key, row in rows.items()
            if row["method"] == "network" and row["seconds"] >= TRAINING_S}  # fmt: skip
    return {key: row for key, row in rows.items()
            if row["method"] != "network" or row["seconds"] < TRAINING_S or key in ends.values()}  # fmt: skip


def _order(row: Mapping[str, Any]) -> tuple[bool, float]:
    return row["method"] == "features", row["stage"]


def _shares(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """How many estimates there are, how many are right, and what they cost, by kind."""
    kinds: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        kind = _answer(row)
        kinds.setdefault(kind, []).append(row)
        if polished := _polished(row):
            kinds.setdefault("network, polished", []).append(polished)
    lines = ["| answers | judged | known | within a factor 2 | below a fifth | median cost (s) |",
             "| --- | --- | --- | --- | --- | --- |"]  # fmt: skip
    total: list[Mapping[str, Any]] = []
    for kind in sorted(kinds):
        total += kinds[kind]
        lines.append(_share(kind, kinds[kind]))
    return [*lines, _share("all", total)] if total else lines


def _share(kind: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """Fields and numbers count one by one."""
    judged = sum(sum(1 for one in row["errors"].values() if one and one > _floor(row)) for row in rows)
    found = [one for row in rows for one in ratios(row).values()]
    right = sum(1 / RIGHT <= one <= RIGHT for one in found)
    share = f"{right} ({right / len(found):.0%})" if found else "0"
    cost = float(np.median([row["estimate_s"] for row in rows]))
    low = sum(one < WRONG for one in found)
    return f"| {kind} | {judged} | {len(found)} | {share} | {low} | {cost:.1f} |"


def _floor(row: Mapping[str, Any]) -> float:
    return max(ROUNDING, 3 * (row["reference_error"] or 0.0))


def _reasons(rows: Mapping[str, Mapping[str, Any]], ordered: Sequence[str]) -> list[str]:
    found: dict[str, None] = {}
    for key in ordered:
        row = rows[key]
        for what, one in ((_answer(row), row), ("polished", _polished(row))):
            text = one and str(one["text"] or "")
            if text and "not known" in text:
                text = text[text.index("not known") :]
                found[f"- `{key.split()[0]}`, seed {row['seed']}, {what}: {text}"] = None
    return list(found)
