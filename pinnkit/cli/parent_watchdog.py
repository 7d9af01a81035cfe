"""A script that ends with whoever started it: `python -m pinnkit.cli.parent_watchdog SCRIPT WORDS...`.

The starter holds the other end of standard input and never writes. Its end of file tells that the starter is gone,
however it went: after SIGKILL too, on every POSIX system (prctl is Linux's alone, and a preexec_fn is unsafe beside
threads). The script is then sent SIGTERM, upon which training writes a checkpoint and ends.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time
from pathlib import Path

GRACE = 60.0
"""Seconds in which a run that was sent SIGTERM must have ended; then it is killed."""


def _watch(line: int) -> None:
    os.read(line, 1)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(128 + signal.SIGKILL)


def _run(script: str, words: list[str]) -> None:
    line = os.dup(sys.stdin.fileno())
    os.dup2(os.open(os.devnull, os.O_RDONLY), sys.stdin.fileno())
    threading.Thread(target=_watch, args=(line,), daemon=True).start()
    sys.argv, sys.path[0] = [script, *words], str(Path(script).parent)
    runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    _run(sys.argv[1], sys.argv[2:])
