"""The error of a problem that finite elements cannot treat."""

from __future__ import annotations

from pinnkit.references.unsupported import UnsupportedProblem

METHOD = "fem"


def unsupported(reason: str) -> UnsupportedProblem:
    """The error that says why this reference cannot treat a problem."""
    return UnsupportedProblem(reason, METHOD)
