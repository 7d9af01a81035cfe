"""Differential equations solved by physics-informed neural networks, from their text to a trusted answer."""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING, Any

from pinnkit.operators.compiler_cache import set_compiler_cache
from pinnkit.read_only import allow_pickles
from pinnkit.versions import __version__

if TYPE_CHECKING:  # what editors and type checkers see of the names that are loaded when they are first asked for
    from pinnkit.language.errors import ProblemError
    from pinnkit.problem.problem import Problem
    from pinnkit.reporting.artifacts import RunFolderError
    from pinnkit.runs.load import load
    from pinnkit.runs.pinn import PINN
    from pinnkit.runs.shipped_problems import list_problems, read_problem
    from pinnkit.runs.solution import Solution
    from pinnkit.runs.solve import solve
    from pinnkit.settings import Settings
    from pinnkit.training.checkpoint_reader import DamagedCheckpoint

__all__ = [
    "PINN",
    "DamagedCheckpoint",
    "Problem",
    "ProblemError",
    "RunFolderError",
    "Settings",
    "Solution",
    "__version__",
    "list_problems",
    "load",
    "read_problem",
    "solve",
]

logging.getLogger("pinnkit").addHandler(logging.NullHandler())  # a run prints and keeps what it logs; nothing else does
allow_pickles()
set_compiler_cache()  # before lightning is imported, which would have compiled code kept where others can write

_MODULES = {
    "PINN": "pinnkit.runs.pinn",
    "DamagedCheckpoint": "pinnkit.training.checkpoint_reader",
    "Problem": "pinnkit.problem.problem",
    "ProblemError": "pinnkit.language.errors",
    "RunFolderError": "pinnkit.reporting.artifacts",
    "Settings": "pinnkit.settings",
    "Solution": "pinnkit.runs.solution",
    "list_problems": "pinnkit.runs.shipped_problems",
    "load": "pinnkit.runs.load",
    "read_problem": "pinnkit.runs.shipped_problems",
    "solve": "pinnkit.runs.solve",
}


def __getattr__(name: str) -> Any:
    """Load a public name when it is first asked for: problems are read and checked without loading torch."""
    if name not in _MODULES:
        raise AttributeError(f"pinnkit has no attribute '{name}'; it has {', '.join(__all__)}")
    return getattr(importlib.import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    """The public names, those that are not loaded yet too."""
    return sorted(__all__)
