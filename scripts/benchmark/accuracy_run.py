"""One run under a time budget, in a process of its own: how it ended, and its error over the time of training."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pinnkit.reporting.artifacts import RunFolder, RunFolderError

OURS, DEEPXDE, JINNS = "pinnkit", "DeepXDE", "jinns"
GRADIENT = "gradient_matching"
SLACK = 300.0
"""Seconds that a process may take beyond its training: imports, set-up, the evaluation at the end."""
UNBOUNDED = 3600.0
"""Seconds of training after which a run with the defaults, which ends by itself, is taken to hang."""
GRACE = 20.0
"""Seconds between asking a process to end and ending it."""

Curve = list[list[float]]
"""[seconds of training, error, steps] for each measurement."""


@dataclass(frozen=True)
class Run:
    """What is run: a framework on a problem with an optimizer and a seed, for some seconds (None: until it ends)."""

    problem: str
    optimizer: str
    seed: int
    seconds: float | None
    overrides: tuple[str, ...] = ()
    framework: str = OURS

    def words(self) -> dict[str, Any]:
        return {**vars(self), "overrides": list(self.overrides)}

    @property
    def folder(self) -> str:
        budget = "default" if self.seconds is None else f"{self.seconds:g}s"
        parts = (self.framework, self.problem, self.optimizer, budget, f"seed{self.seed}")
        return "_".join(part for part in parts if part)

    @property
    def patience(self) -> float:
        """Seconds after which the process is ended."""
        return (UNBOUNDED if self.seconds is None else self.seconds) + SLACK


def train(run: Run, scripts: Path, folder: Path) -> dict[str, Any]:
    """Train by scripts/train.py into a new folder; the row of the run, whatever happens to it.

    Keys: those of `Run`, status, reason, measured (what the error is of), error (None: there is none), steps,
    evaluations, train_time_s, wall_time_s, optimizers (what `auto` chose), curve, versions.
    """
    line = [sys.executable, str(scripts / "train.py"), f"pde={run.problem}", f"optimizer={run.optimizer}"]
    line += [f"seed={run.seed}", "callbacks=quiet", f"hydra.run.dir='{folder}'", "overwrite=true"]
    line += [] if run.seconds is None else [f"trainer.max_time={run.seconds:g}"]
    code = execute([*line, *run.overrides], folder, run.patience)
    return {**run.words(), **outcome(run, folder, code)}


def execute(line: Sequence[str], folder: Path, patience: float, **environment: str) -> int | None:
    """Run a program whose output goes to folder/stdout and folder/stderr; its exit code, None where it took too long.

    What the program has started itself ends with it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "stdout").open("w") as out, (folder / "stderr").open("w") as err:
        process = subprocess.Popen(
            line, stdout=out, stderr=err, start_new_session=True, env={**os.environ, **environment}
        )
        try:
            return process.wait(patience)
        except subprocess.TimeoutExpired:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(GRACE)
            return None
        finally:  # after Ctrl-C too
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def last_message(folder: Path) -> str:
    """The last line that a program wrote to stderr."""
    lines = [line.strip() for line in (folder / "stderr").read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "nothing was printed"


def outcome(run: Run, folder: Path, code: int | None) -> dict[str, Any]:
    """How a run ended, from its exit code and its folder."""
    try:
        metrics = RunFolder(folder).read_metrics()
    except RunFolderError:
        metrics = {"status": "failed", "reason": f"exit {code}: {last_message(folder)}" if code is not None else None}
    if code is None:
        metrics |= {"status": "hung", "reason": f"no end after {run.patience:g} s"}
    elif code and metrics["status"] == "finished":
        metrics |= {"status": "failed", "reason": f"exit {code}: {last_message(folder)}"}
    what, error = measured(run.problem, metrics, folder)
    row = {key: metrics.get(key) for key in ("status", "reason", "steps", "evaluations", "train_time_s", "wall_time_s")}
    if metrics.get("not_finite"):
        row |= {"status": "not finite", "reason": f"not finite: {', '.join(metrics['not_finite'])}"}
    elif metrics["status"] == "finished" and what and error is None:
        row |= {"status": "not finite", "reason": f"not finite: {what}"}
    row |= {"optimizers": metrics.get("optimizers", []), "versions": metrics.get("versions", {})}
    if row["status"] != "finished":
        error = None
    return {**row, "measured": what, "error": error, "curve": curve(folder, metrics, run.problem)}


def measured(name: str, metrics: Mapping[str, Any], folder: Path) -> tuple[str, float | None]:
    """What a problem is judged by, and its value: None where it is not known or not finite."""
    coefficients = {
        key: one["relative_error"] for key, one in metrics.get("learned", {}).items() if one.keys() > {"value"}
    }
    if coefficients:
        return _worst("relative error of", coefficients)
    if name == GRADIENT and metrics["status"] == "finished":
        from benchmark.gradient_error import POINTS, gradient_error  # torch is loaded for this problem alone

        return f"relative L2 of the gradient, {POINTS} new points", _finite(gradient_error(folder))
    return _worst("relative L2 of", metrics.get("relative_l2", {}))


def _worst(what: str, errors: Mapping[str, float | None]) -> tuple[str, float | None]:
    if not errors:
        return "", None
    name = max(errors, key=lambda key: math.inf if errors[key] is None else errors[key])
    return f"{what} {name}", _finite(errors[name])


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def curve(folder: Path, metrics: Mapping[str, Any], name: str) -> Curve:
    """The error that a problem is judged by over the time of training, from the last checkpoint's record.

    Empty where no checkpoint was written, and for `gradient_matching`, whose gradient is measured at the end alone.
    """
    checkpoint = RunFolder(folder).last_checkpoint
    if name == GRADIENT or not checkpoint.is_file():
        return []
    import torch  # slow to load, and not needed before the first run is over

    rows = torch.load(checkpoint, map_location="cpu", weights_only=True)["callbacks"]["Record"]["rows"]
    if "learned" not in metrics and any(row["learned"] for row in rows):
        return []  # a failed run does not tell the exact coefficients
    exact = {key: one["exact"] for key, one in metrics.get("learned", {}).items() if "exact" in one}
    found = []
    for row in rows:
        if not row["errors"]:
            continue
        errors = row["errors"]
        if exact:
            errors = {key: abs(row["learned"][key] - truth) / abs(truth or 1.0) for key, truth in exact.items()}
        if all(map(math.isfinite, errors.values())):
            found.append([row["time_s"], max(errors.values()), row["step"]])
    return found


def first_below(points: Curve, error: float) -> float:
    """Seconds until the first measurement that is at most this; infinite where none is."""
    return next((time for time, found, *_ in points if found <= error), math.inf)


def at(points: Curve, seconds: float) -> list[float] | None:
    """The last measurement before this time."""
    return next((point for point in reversed(points) if point[0] <= seconds), None)


def train_peer(run: Run, python: str, module: str, here: Path, data: Path, folder: Path) -> dict[str, Any]:
    """Run another framework's module by its own interpreter; the row of the run, with the keys of `train`."""
    line = [python, "-m", module, "--problem", run.problem, "--seconds", f"{run.seconds:g}", "--seed", str(run.seed)]
    # As pinnkit's own runs do: threads that wait by spinning slow each other down where a core is taken.
    spin = os.environ.get("GOMP_SPINCOUNT", "2000")
    code = execute([*line, "--data", str(data)], folder, run.patience, PYTHONPATH=str(here), GOMP_SPINCOUNT=spin)
    points: Curve = []
    versions: dict[str, str] = {}
    for text in (folder / "stdout").read_text(errors="replace").splitlines():
        if text.startswith("{"):
            message = json.loads(text)
            versions |= message.get("versions", {})
            if "error" in message:
                points.append([message["time"], message["error"], message["step"]])
    reason = f"{run.seconds:g} s of training are over"
    if points and points[-1][0] < run.seconds:
        reason = "it ended by itself"
    row = {"status": "finished", "reason": reason}
    if code is None:
        row = {"status": "hung", "reason": f"no end after {run.patience:g} s"}
    elif code or not points:
        row = {"status": "failed", "reason": f"exit {code}: {last_message(folder)}"}
    elif not math.isfinite(points[-1][1]):
        row = {"status": "not finite", "reason": "not finite: the error"}
    points = [point for point in points if math.isfinite(point[1])]
    row |= {"measured": "relative L2 of u", "error": points[-1][1] if points and row["status"] == "finished" else None}
    row |= {"steps": int(points[-1][2]) if points else None, "train_time_s": points[-1][0] if points else None}
    return {**run.words(), **row, "evaluations": None, "optimizers": [], "versions": versions, "curve": points}
