"""The place of the shipped configuration."""

from __future__ import annotations

from pathlib import Path

import pinnkit


def conf() -> Path:
    """The folder of the shipped configuration: in the package of a wheel, beside the package in a source tree."""
    package = Path(pinnkit.__file__).resolve().parent
    packaged = package / "conf"
    return packaged if packaged.is_dir() else package.parent / "conf"
