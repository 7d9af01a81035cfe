"""Signals that end a run, before, during and after training."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)
"""SIGHUP comes from a terminal that is closed; SIGUSR1 is what SLURM sends before the time of a job is over
(`--signal=USR1@120`)."""
REQUEUES = "SIGUSR1"


class Interrupted(BaseException):
    """A signal that came before training or after it. It is no Exception, so that handlers of errors let it pass."""

    def __init__(self, name: str) -> None:
        super().__init__(f"interrupted by {name}")
        self.name = name


def handled_signals() -> list[signal.Signals]:
    """The signals that this process handles: under nohup SIGHUP is ignored, and stays so."""
    return [one for one in SIGNALS if one != signal.SIGHUP or signal.getsignal(one) != signal.SIG_IGN]


@contextmanager
def raise_on_signal() -> Iterator[None]:
    """Raise Interrupted where a signal comes while this is open; in the main thread, the only one that gets signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: Any) -> None:
        raise Interrupted(signal.Signals(number).name)

    former = {number: signal.signal(number, interrupt) for number in handled_signals()}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
