"""Versions of Python and of the packages by which a run's numbers come about."""

from __future__ import annotations

import platform
from importlib.metadata import version

PACKAGES = ("pinnkit", "torch", "lightning", "numpy")


def versions() -> dict[str, str]:
    """Name -> version, as metrics.json and checkpoints have them."""
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
