"""Differential equations solved by physics-informed neural networks, from their text to a trusted answer."""

from __future__ import annotations

import importlib
import logging
from typing import Any

from pinnkit.operators.compiler_cache import set_compiler_cache

__all__ = ["DamagedCheckpoint", "Problem", "ProblemError", "RunFolderError", "Settings", "Solution", "load", "solve"]

logging.getLogger("pinnkit").addHandler(logging.NullHandler())  # a run prints and keeps what it logs; nothing else does
set_compiler_cache()  # before lightning is imported, which would have compiled code kept where others can write

_MODULES = {
    "DamagedCheckpoint": "pinnkit.training.checkpoint_reader",
    "Problem": "pinnkit.problem.problem",
    "ProblemError": "pinnkit.language.errors",
    "RunFolderError": "pinnkit.reporting.artifacts",
    "Settings": "pinnkit.settings",
    "Solution": "pinnkit.runs.solution",
    "load": "pinnkit.runs.load",
    "solve": "pinnkit.runs.solve",
}


def __getattr__(name: str) -> Any:
    """Load a public name when it is first asked for: problems are read and checked without loading torch."""
    if name not in _MODULES:
        raise AttributeError(f"pinnkit has no attribute '{name}'; it has {', '.join(__all__)}")
    return getattr(importlib.import_module(_MODULES[name]), name)
