"""The shapes that a problem may name, by the word for their kind."""

from pinnkit.registry import Registry

SHAPES = Registry("shape", "pinnkit.domains.shapes")
