"""The processes of a run on this machine, started by torch's elastic launcher, and its exit code."""

from __future__ import annotations

import os
import signal
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pinnkit.cli.invocation import TRAIN
from pinnkit.cli.parent_watchdog import WATCHDOG
from pinnkit.training.settings import Trainer

OURS = (2, 3, 130)
"""Exit codes by which a run says itself how it ended."""
REASONS = (2, 3)
"""Those of a process that ended first: the launcher interrupts the others then."""
LOST = 1


def processes(trainer: Trainer) -> int:
    """How many processes a run wants on this machine."""
    if trainer.devices is not None:
        return trainer.devices
    import torch

    return torch.cuda.device_count()


def launch(count: int, arguments: Sequence[str], folder: Path) -> int:
    """Train with these arguments in `count` processes; the exit code of the run.

    A process that ends without a message of its own (killed, out of memory) ends the others too, and so does the end
    of this one.

    Args:
        folder: the run folder.
    """
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // count)))
    settings = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=count,
        run_id=uuid.uuid4().hex,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        max_restarts=0,
        monitor_interval=0.5,
    )
    try:
        with _watched_by_children():
            elastic_launch(settings, sys.executable)(WATCHDOG, *TRAIN, *arguments)
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        codes = [one.exitcode for one in error.failures.values()]
        code = max((one for one in codes if one in REASONS), default=max(codes))
        lost = [one for one in error.failures.items() if one[1].exitcode not in (*OURS, -signal.SIGTERM)]
        if code in OURS and not (lost and code == 130):  # the launcher interrupts the others where one was lost
            return code
        rank, failure = lost[0] if lost else (rank, failure)
        how = signal.Signals(-failure.exitcode).name if failure.exitcode < 0 else f"exit code {failure.exitcode}"
        print(
            f"pinnkit: the process of rank {rank} ended by {how}, and the run with it; resume={folder} goes on from "
            "its last checkpoint",
            file=sys.stderr,
        )
        return LOST
    except SignalException:
        return 130
    return 0


@contextmanager
def _watched_by_children() -> Iterator[None]:
    """Standard input, which the processes inherit, ends with this process (see `parent_watchdog`)."""
    former = os.dup(0)
    line, end = os.pipe()
    os.dup2(line, 0)
    os.close(line)
    try:
        yield
    finally:
        os.dup2(former, 0)
        os.close(former)
        os.close(end)
