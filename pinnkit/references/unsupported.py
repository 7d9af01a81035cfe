"""Error for problems outside the scope of a numerical reference."""

from __future__ import annotations


class UnsupportedProblem(ValueError):
    """A numerical reference (`method`: spectral or fem) cannot treat this problem; the message says why."""

    def __init__(self, reason: str, method: str = "spectral") -> None:
        super().__init__(
            f"reference={method} cannot treat this problem: {reason}. "
            "Give a closed form (exact: {...}) or a table (reference: table.npz) instead"
        )
