"""The clock of training time."""

from __future__ import annotations

import time

from pinnkit.operators.compiled import CompileTime


class Clock:
    """Seconds of training: those of compiling, and those before `start`, are no part of it."""

    def __init__(self) -> None:
        self.compile_time = CompileTime()
        self._origin: float | None = None

    def start(self, trained: float) -> None:
        """Go on from so many seconds of training."""
        self._origin = self._now() - trained

    @property
    def started(self) -> bool:
        """Whether it runs."""
        return self._origin is not None

    def seconds(self) -> float:
        """Seconds of training so far."""
        assert self._origin is not None
        return self._now() - self._origin

    def _now(self) -> float:
        return time.perf_counter() - self.compile_time.seconds
