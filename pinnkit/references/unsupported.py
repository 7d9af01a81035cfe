"""The error of a reference that cannot be computed."""

from __future__ import annotations


class UnsupportedProblem(ValueError):
    """pinnkit's own classical solver cannot treat this problem; the message says why, and what to use instead."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"reference=spectral cannot treat this problem: {reason}. "
            "Give a closed form (exact: {...}) or a table (reference: table.npz) instead"
        )
