"""The version of pinnkit, and those of what a run's numbers come about by."""

from __future__ import annotations

import platform
from importlib.metadata import version

__version__ = "0.1.0"
"""The one place of pinnkit's version: the packages that are built have it too."""

PACKAGES = ("torch", "lightning", "numpy")


def versions() -> dict[str, str]:
    """Name -> version, as metrics.json and checkpoints have them."""
    packages = {name: version(name) for name in PACKAGES}
    return {"python": platform.python_version(), "pinnkit": __version__, **packages}
