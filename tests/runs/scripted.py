"""Runs of scripts/train.py in processes of their own."""

import os
import time
from pathlib import Path

from tests.processes import Command

ROOT = Path(__file__).resolve().parents[2]
SMALL = [
    "network.width=8", "network.depth=2", "sampling.equations=60", "sampling.conditions=12", "sampling.redraw_every=25",
    "operators=autograd", "callbacks=quiet", "callbacks.figures=false", "logger=none",
]  # fmt: skip
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def start(*words, cwd):
    return Command("train.py", *words, cwd=cwd)


def finish(process, code=0):
    _, told = process.communicate(timeout=240)
    assert process.returncode == code, told
    assert "Traceback" not in told
    return told


def begun(process, folder):
    """The path of a run's last checkpoint, once there is one."""
    checkpoint = folder / "checkpoints" / "last.ckpt"
    while not checkpoint.exists():
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.1)
    return checkpoint
