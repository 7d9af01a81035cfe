"""From the rows of all runs to medians and worst over the seeds, and whether the targets are met."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmark.accuracy_run import JINNS, OURS, at, first_below
from benchmark.targets import SPREAD, TARGETS, Goal

Row = Mapping[str, Any]


def summary(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """One row for each problem, optimizer and budget: medians, worst, and whether the target is met."""
    found = []
    for group in _groups([row for row in rows if row["framework"] == OURS]):
        problem = group[0]["problem"]
        goals = list(TARGETS[problem].goals) if problem in TARGETS else []
        known = {goal.seconds for goal in goals}
        budgets = sorted({row["seconds"] for row in group} - known, key=lambda one: one or math.inf)
        for goal in [*goals, *(Goal(budget, math.nan) for budget in budgets)]:
            results = [
                result for seed in sorted({row["seed"] for row in group}) for result in _result(group, seed, goal)
            ]
            if results:
                found.append(_judged(group[0], goal, results))
    return found


def _groups(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """The rows of one problem, optimizer and overrides: problems in the order of the targets."""
    order = list(TARGETS)
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        place = order.index(row["problem"]) if row["problem"] in order else len(order)
        groups.setdefault((place, row["problem"], label(row)), []).append(row)
    for key in sorted(groups):
        yield groups[key]


def label(row: Row) -> str:
    """What was compared: the optimizer with its overrides, or another framework's name."""
    return ", ".join([row["optimizer"], *row["overrides"]]) if row["framework"] == OURS else row["framework"]


def _result(group: Sequence[Row], seed: int, goal: Goal) -> Iterator[dict[str, Any]]:
    """What a seed reached within the goal's budget: from its own run, else from the shortest longer one."""
    runs = [row for row in group if row["seed"] == seed]
    own = next((row for row in runs if row["seconds"] == goal.seconds), None)
    if own is not None:
        yield {**own, "read_from": None, "reached": first_below(own["curve"], goal.error)}
        return
    longer = [row for row in runs if goal.seconds is not None and row["seconds"] and row["seconds"] > goal.seconds]
    if longer:
        run = min(longer, key=lambda row: row["seconds"])
        point = at(run["curve"], goal.seconds)
        reached = first_below(run["curve"], goal.error)
        yield {
            **run,
            "error": point[1] if point else None,
            "steps": point[2] if point else None,
            "read_from": run["seconds"],
            "reached": reached if reached <= goal.seconds else math.inf,
        }


def _judged(first: Row, goal: Goal, results: Sequence[Row]) -> dict[str, Any]:
    errors = [math.inf if row["error"] is None else row["error"] for row in results]
    median, worst = statistics.median(errors), max(errors)
    wanted = TARGETS[first["problem"]].seeds if first["problem"] in TARGETS else 1
    reasons = Counter("still running" if row["read_from"] else row["reason"] or row["status"] for row in results)
    chosen = {" then ".join(row["optimizers"]) for row in results if row["optimizers"]}
    steps = [row["steps"] for row in results if row["steps"] is not None]
    message = label(first)
    return {
        "problem": first["problem"],
        "measured": next((row["measured"] for row in results if row["measured"]), ""),
        "seconds": goal.seconds,
        "read_from": max((row["read_from"] for row in results if row["read_from"]), default=None),
        "optimizer": f"{message}: {' or '.join(sorted(chosen))}"
        if first["optimizer"] == "auto" and chosen
        else message,
        "seeds": len(results),
        "seeds_wanted": wanted,
        "median": median,
        "worst": worst,
        "target": None if math.isnan(goal.error) else goal.error,
        "met": None if math.isnan(goal.error) else median <= goal.error and worst <= SPREAD * median,
        "time_to_target": None if math.isnan(goal.error) else statistics.median(row["reached"] for row in results),
        "measured_while_training": any(row["curve"] for row in results),
        "steps": statistics.median(steps) if steps else None,
        "ended": "; ".join(f"{why} ({count})" if len(results) > 1 else why for why, count in reasons.items()),
    }


def missed(rows: Sequence[Row]) -> bool:
    """Whether a target is missed."""
    return any(row["met"] is False for row in summary(rows))


def sound(row: Row) -> bool:
    """Whether a run ended by itself, with finite numbers."""
    return row["status"] == "finished"


def against(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """For each problem that jinns was run on: the share of its time that pinnkit takes to its median error."""
    found = []
    for problem in dict.fromkeys(row["problem"] for row in rows if row["framework"] == JINNS):
        theirs = [row for row in rows if row["framework"] == JINNS and row["problem"] == problem and row["error"]]
        for seconds in sorted({row["seconds"] for row in theirs}):
            error = statistics.median(row["error"] for row in theirs if row["seconds"] == seconds)
            ours = [row for row in rows if row["framework"] == OURS and row["problem"] == problem]
            for group in _groups([row for row in ours if row["seconds"] and row["seconds"] >= seconds]):
                time = statistics.median(first_below(row["curve"], error) for row in group)
                words = {"problem": problem, "optimizer": label(group[0]), "seconds": seconds, "error": error}
                found.append({**words, "time": time, "share": time / seconds})
    return found
