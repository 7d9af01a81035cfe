"""Settings of the operators."""

from __future__ import annotations

from dataclasses import dataclass, field

ENGINES = ("auto", "autograd", "compiled", "jets")


@dataclass(frozen=True)
class Operators:
    """How the derivatives of the fields are computed."""

    engine: str = field(default="auto", metadata={"choices": ENGINES})
    """autograd: nested automatic differentiation, the definition; compiled: the same, recorded once and compiled;
    jets: Taylor mode, recorded and compiled; auto: what is fastest for this run."""
    chunk: int | None = field(default=None, metadata={"minimum": 1})
    """Points evaluated at once; the gradient is the sum over the chunks. None: chosen for cache and memory."""
    directions: int | None = field(default=None, metadata={"minimum": 1})
    """Estimate Laplacians in more coordinates than this from so many random ones in each step (STDE, arXiv
    2412.00088); None: exactly."""
