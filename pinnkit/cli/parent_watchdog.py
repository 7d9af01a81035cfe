"""A program that ends with the process that started it: `python parent_watchdog.py -m MODULE ARGUMENTS...`.

The parent holds the other end of standard input and never writes. Its end of file says that the parent is gone,
however it ended: after SIGKILL too, on every POSIX system (prctl is Linux's alone, and a preexec_fn is unsafe beside
threads). The program is then sent SIGTERM, upon which training writes a checkpoint and ends.
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
WATCHDOG = str(Path(__file__).resolve())
"""It is started by its path: `-m` would search the working folder, whose files are the user's, for modules."""


def _watch(line: int) -> None:
    os.read(line, 1)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(128 + signal.SIGKILL)


def _run(program: list[str]) -> None:
    """Run a module (`-m MODULE ARGUMENTS...`) or a script (`SCRIPT ARGUMENTS...`) as Python would."""
    line = os.dup(sys.stdin.fileno())
    os.dup2(os.open(os.devnull, os.O_RDONLY), sys.stdin.fileno())
    threading.Thread(target=_watch, args=(line,), daemon=True).start()
    if program[0] == "-m":
        root = str(Path(WATCHDOG).parents[2])
        del sys.path[0]  # this file's folder, whose modules are named within their package
        if root not in sys.path:
            sys.path.append(root)
        sys.argv = program[1:]
        runpy.run_module(program[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv, sys.path[0] = program, str(Path(program[0]).parent)
        runpy.run_path(program[0], run_name="__main__")


if __name__ == "__main__":
    _run(sys.argv[1:])
