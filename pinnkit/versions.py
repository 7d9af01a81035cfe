"""The version of pinnkit, those of what a run's numbers come about by, and the commit of its source."""

from __future__ import annotations

import functools
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

__version__ = "0.1.0"
"""The one place of pinnkit's version: the packages that are built have it too."""

PACKAGES = ("torch", "lightning", "numpy")


def versions() -> dict[str, str]:
    """Name -> version, as metrics.json and checkpoints have them."""
    packages = {name: version(name) for name in PACKAGES}
    return {"python": platform.python_version(), "pinnkit": __version__, **packages}


@functools.cache
def commit() -> str | None:
    """The commit of pinnkit's source, with `-dirty` where that was changed; None where it is no checkout of git."""
    source = Path(__file__).resolve().parents[1]
    if not (source / ".git").exists():  # a package in an environment may lie in the checkout of another project
        return None
    command = ["git", "-C", str(source), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None
