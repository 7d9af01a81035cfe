"""Registry of the shapes that a problem may name."""

from pinnkit.registry import Registry

SHAPES = Registry("shape", "pinnkit.domains.shapes")
