"""The processes of a run, as the environment variables of torchrun, SLURM and Lightning have them."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator

INTERACTIVE = ("bash", "interactive")
"""Names of SLURM jobs in which commands are typed, and not started by srun once for each task."""


NUMBERS = {
    "RANK": "torchrun", "LOCAL_RANK": "torchrun", "WORLD_SIZE": "torchrun", "SLURM_NTASKS": "SLURM",
    "SLURM_PROCID": "SLURM", "SLURM_LOCALID": "SLURM", "SLURM_STEP_NUM_TASKS": "SLURM", "SLURM_RESTART_COUNT": "SLURM",
}  # fmt: skip
"""Variables that are whole numbers, 0 or more, and what sets them."""


def mistakes() -> Iterator[tuple[str, str]]:
    """Environment variables that are wrong, and why."""
    wrong = [name for name in NUMBERS if name in os.environ and _number(name) is None]
    for name in wrong:
        message = f"'{os.environ[name]}' is no whole number: {NUMBERS[name]} sets it; unset it to run alone"
        yield name, message
    if wrong:
        return
    rank, size = _number("RANK"), _number("WORLD_SIZE")
    if rank is not None and size is None:
        yield "RANK", f"{os.environ['RANK']}, but WORLD_SIZE is not set: start the command by torchrun, or unset RANK"
    elif rank is not None and size is not None and rank >= size:
        yield "RANK", f"{os.environ['RANK']} is not less than WORLD_SIZE={os.environ['WORLD_SIZE']}: unset both"
    elif "RANK" not in os.environ and _tasks() > 1 and "SLURM_STEP_NUM_TASKS" not in os.environ:
        message = f"{_tasks()}, but srun has not started this process: use srun, or set SLURM_NTASKS=1 to run alone"
        yield "SLURM_NTASKS", message


def _number(name: str) -> int | None:
    text = os.environ.get(name, "")
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None


def _tasks() -> int:
    """Of SLURM, where it may have started a process for each."""
    return 1 if os.environ.get("SLURM_JOB_NAME") in INTERACTIVE else _number("SLURM_NTASKS") or 1


def rank() -> int | None:
    """The number of this process among those that were started together; None where it was started alone.

    By torchrun (RANK), by srun (SLURM_PROCID), or by Lightning on one machine (LOCAL_RANK).
    """
    if "RANK" in os.environ:
        return _number("RANK")
    if _tasks() > 1:
        return _number("SLURM_PROCID") or 0
    return _number("LOCAL_RANK")


def prints_errors() -> bool:
    """Whether this process prints errors: it was started alone, or is the first on its machine."""
    local = _number("LOCAL_RANK") if "RANK" in os.environ else _number("SLURM_LOCALID")
    return rank() is None or not local


def process_count() -> int | None:
    """How many processes torchrun (WORLD_SIZE) or srun (SLURM_STEP_NUM_TASKS) started together; None: not by these."""
    if rank() is None:
        return None
    return _number("WORLD_SIZE") or _number("SLURM_STEP_NUM_TASKS")


def requeued() -> bool:
    """Whether SLURM has started this job again, after it was interrupted."""
    return (_number("SLURM_RESTART_COUNT") or 0) > 0


def job() -> str | None:
    """The number of the SLURM job that this process belongs to."""
    return os.environ.get("SLURM_JOB_ID")


def requeue(job: str) -> str | None:
    """Ask SLURM to start a job again; what it answers where it does not."""
    try:
        done = _scontrol("requeue", job)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return done.stderr.strip() or f"exit code {done.returncode}" if done.returncode else None


def queued_again() -> bool:
    """Whether SLURM has ended this job to start it again: a preemption, or `scontrol requeue`."""
    number = job()
    if number is None:
        return False
    try:
        found = re.search(r"\bRestarts=([0-9]+)", _scontrol("show", "job", number).stdout)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return found is not None and int(found[1]) > (_number("SLURM_RESTART_COUNT") or 0)


def _scontrol(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["scontrol", *words], capture_output=True, text=True, timeout=60)


def first() -> bool:
    """Whether this process is the one that prints, and writes the run folder."""
    return not rank()
