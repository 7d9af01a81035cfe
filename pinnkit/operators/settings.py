"""What can be chosen about derivatives."""

from __future__ import annotations

from dataclasses import dataclass, field

ENGINES = ("autograd",)


@dataclass(frozen=True)
class Operators:
    """How the derivatives of the fields are computed."""

    engine: str = field(default="autograd", metadata={"choices": ENGINES})
