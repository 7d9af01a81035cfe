"""Error for problems outside the scope of the spectral reference."""

from __future__ import annotations


class UnsupportedProblem(ValueError):
    """The spectral reference cannot treat this problem; the message gives the reason and the alternatives."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"reference=spectral cannot treat this problem: {reason}. "
            "Give a closed form (exact: {...}) or a table (reference: table.npz) instead"
        )
