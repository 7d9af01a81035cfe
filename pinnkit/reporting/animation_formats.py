"""Formats of animations, and what stands in the way of one."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

FORMATS = ("gif", "mp4")


class CannotAnimateError(ValueError):
    """Why there is no animation, and what to do."""


def check_format(path: Path) -> None:
    """Refuse another file than a .gif or .mp4, and MP4 where no encoder is installed.

    Raises CannotAnimateError.
    """
    kind = path.suffix.removeprefix(".").lower()
    if kind not in FORMATS:
        raise CannotAnimateError(f"{path.name}: an animation is a {' or '.join(FORMATS)} file")
    if kind == "mp4" and find_spec("imageio_ffmpeg") is None:
        raise CannotAnimateError(
            'MP4 needs the package imageio-ffmpeg: pip install "pinnkit[animation]", or write a gif'
        )
