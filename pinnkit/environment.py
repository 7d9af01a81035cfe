"""What the environment says of the processes of a run, before torch is loaded."""

from __future__ import annotations

import os
import subprocess

INTERACTIVE = ("bash", "interactive")
"""Names of SLURM jobs in which commands are typed, and not started by srun once for each task."""


def rank() -> int | None:
    """The number of this process among those that were started together; None where it was started alone.

    By torchrun (RANK), by srun (SLURM_PROCID), or by Lightning on one machine (LOCAL_RANK).
    """
    if "RANK" in os.environ:
        return int(os.environ["RANK"])
    if int(os.environ.get("SLURM_NTASKS", 1)) > 1 and os.environ.get("SLURM_JOB_NAME") not in INTERACTIVE:
        return int(os.environ.get("SLURM_PROCID", 0))
    if "LOCAL_RANK" in os.environ:
        return int(os.environ["LOCAL_RANK"])
    return None


def started() -> int | None:
    """How many processes torchrun (WORLD_SIZE) or srun (SLURM_STEP_NUM_TASKS) started together; None: not by these."""
    if rank() is None:
        return None
    found = os.environ.get("WORLD_SIZE") or os.environ.get("SLURM_STEP_NUM_TASKS")
    return int(found) if found else None


def requeued() -> bool:
    """Whether SLURM has started this job again, after it was interrupted."""
    return int(os.environ.get("SLURM_RESTART_COUNT", 0)) > 0


def job() -> str | None:
    """The number of the SLURM job that this process belongs to."""
    return os.environ.get("SLURM_JOB_ID")


def requeue(job: str) -> str | None:
    """Ask SLURM to start a job again; what it answers where it does not."""
    try:
        done = subprocess.run(["scontrol", "requeue", job], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return done.stderr.strip() or f"exit code {done.returncode}" if done.returncode else None


def first() -> bool:
    """Whether this process is the one that prints, and writes the run folder."""
    return not rank()
