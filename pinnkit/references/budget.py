"""Budget of wall time and memory for computing a reference."""

from __future__ import annotations

import time
from collections.abc import Callable

DEFAULT_SECONDS = 60.0
DEFAULT_BYTES = 10**9


class OverBudget(Exception):
    """The time is over, or more memory is needed than allowed."""


class Budget:
    """Limits on the seconds from now on and on the bytes of one allocation.

    >>> Budget(seconds=60.0, memory=10**9).check_memory(8 * 4096**2)
    """

    def __init__(
        self, seconds: float = DEFAULT_SECONDS, memory: int = DEFAULT_BYTES, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.seconds, self.memory, self._clock = seconds, memory, clock
        self._began, self._worked = clock(), time.process_time()

    @property
    def elapsed(self) -> float:
        """Seconds so far."""
        return self._clock() - self._began

    @property
    def processor_time(self) -> float:
        """Seconds of processor time so far."""
        return time.process_time() - self._worked

    def check_time(self) -> None:
        """Raise OverBudget once the time is over."""
        if self.elapsed > self.seconds:
            raise OverBudget(f"{self.seconds:g} s are over")

    def check_memory(self, size: float) -> None:
        """Raise OverBudget if this many bytes are more than allowed."""
        if size > self.memory:
            raise OverBudget(f"{size / 1e9:.1f} GB of memory are needed and {self.memory / 1e9:g} GB are allowed")
