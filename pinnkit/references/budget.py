"""What computing a reference may take: seconds of wall time and bytes of memory."""

from __future__ import annotations

import time
from collections.abc import Callable

DEFAULT_SECONDS = 60.0
DEFAULT_BYTES = 10**9


class OverBudget(Exception):
    """The time is over, or more memory would be needed than may be taken."""


class Budget:
    """Seconds from now on, and bytes at once.

    >>> Budget(seconds=60.0, memory=10**9).expect(8 * 4096**2)
    """

    def __init__(
        self, seconds: float = DEFAULT_SECONDS, memory: int = DEFAULT_BYTES, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.seconds, self.memory, self._clock = seconds, memory, clock
        self._began, self._worked = clock(), time.process_time()

    @property
    def spent(self) -> float:
        """Seconds so far."""
        return self._clock() - self._began

    @property
    def worked(self) -> float:
        """Seconds of processor time so far, which other programs do not add to."""
        return time.process_time() - self._worked

    def check(self) -> None:
        """Raises OverBudget once the time is over."""
        if self.spent > self.seconds:
            raise OverBudget(f"{self.seconds:g} s are over")

    def expect(self, size: float) -> None:
        """Raises OverBudget where so many bytes are more than may be taken."""
        if size > self.memory:
            raise OverBudget(f"{size / 1e9:.1f} GB of memory are needed and {self.memory / 1e9:g} GB are allowed")
