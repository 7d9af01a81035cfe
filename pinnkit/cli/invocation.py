"""Command lines that start pinnkit, by the user and in processes of a run."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pinnkit

TRAIN = ("-m", "pinnkit", "train")
"""Arguments of Python that start `pinnkit train`."""
SUBCOMMANDS = ("train", "list", "new", "check", "evaluate", "compare", "sweep", "completion")


def typed(command: str) -> str:
    """The start of a command line as the user has typed it, such as `pinnkit train` or `python scripts/train.py`."""
    started = Path(sys.argv[0])
    if command in SUBCOMMANDS and started.stem == "pinnkit":
        return f"pinnkit {command}"
    if command in SUBCOMMANDS and started == Path(pinnkit.__file__).with_name("__main__.py"):
        return f"python -m pinnkit {command}"
    return f"python scripts/{command}.py"


def as_typed(text: str) -> str:
    """A text in which `python scripts/NAME.py` is replaced by how the user starts that command."""
    return re.sub(r"python scripts/(\w+)\.py", lambda found: typed(found[1]), text)
