"""Error for problems outside the scope of a numerical reference."""

from __future__ import annotations

from pinnkit.problem.problem import Problem


class UnsupportedProblem(ValueError):
    """A numerical reference (`method`: spectral or fem) cannot treat this problem; `reason` says why, and the message
    too."""

    def __init__(self, reason: str, method: str = "spectral") -> None:
        super().__init__(
            f"reference={method} cannot treat this problem: {reason}. "
            "Give a closed form (exact: {...}) or a table (reference: table.npz) instead, or leave reference out: "
            "residuals and the verdict say how far to trust the answer"
        )
        self.reason = reason


def expect_one_region(problem: Problem) -> None:
    """Refuse fields that have a function in each part of the domain, and equations that hold in a part.

    Raises:
        UnsupportedProblem: naming the field or the equation.
    """
    if parted := next((one.name for one in problem.unknowns if one.parts), None):
        raise UnsupportedProblem(f"{parted} has a function of its own in each part of the domain: it takes one for all")
    if regional := next((one for one in problem.equations if one.region), None):
        raise UnsupportedProblem(f"the equation '{regional.name}' holds in {regional.region} alone, not everywhere")
