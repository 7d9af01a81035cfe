"""What of the boundary of a solid lies in a domain."""

from __future__ import annotations

from collections.abc import Collection

from pinnkit.domains.combination import STEP
from pinnkit.domains.shape import Shape
from pinnkit.domains.trimmed import Trimmed


def rim(shape: Shape, domain: Shape, own: Collection[str]) -> tuple[Shape, ...]:
    """The parts of a solid's boundary in the closure of a domain, with normals out of the domain.

    Where the domain lies on both sides the normals point out of the solid.

    Args:
        own: the coordinates in which the normals may lie.
    """
    if shape == domain:
        return shape.boundary(own)
    size = STEP * max(upper - lower for lower, upper in domain.bounds.values())
    parts = []
    for base in shape.boundary(own):
        for side in (1, -1):
            part = Trimmed(base, domain, side, size, inner=side == 1, of=shape)
            if not part.is_empty:
                parts.append(part)
    return tuple(parts)
