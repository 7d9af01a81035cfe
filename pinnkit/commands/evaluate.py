"""`python scripts/evaluate.py run=DIR`: read a run folder back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from pinnkit.commands.entry import FAILED, FINISHED, wrong
from pinnkit.commands.resume import saved
from pinnkit.language.errors import ProblemError, Report
from pinnkit.reporting.artifacts import RunFolder, RunFolderError
from pinnkit.settings import read_as
from pinnkit.understanding import understand


@dataclass(frozen=True)
class Request:
    """What is asked of evaluate.py, as key=value words."""

    run: str = ""
    """The run folder."""
    checkpoint: str = field(default="last", metadata={"choices": ("last", "best")})
    grid: int | None = field(default=None, metadata={"minimum": 2})
    """Points along each coordinate; None: as at the end of training. A table is evaluated at its own points."""
    export: str | None = field(default=None, metadata={"choices": ("csv",)})


def evaluate(argv: Sequence[str]) -> int:
    """Measure a trained network again; writes RUN/evaluation and returns the exit code.

    0, 2 for a mistake, 1 where the results cannot be written.
    """
    try:
        request = _request(argv)
        words = saved(Path(request.run), "run")
        problem, settings = understand(words)
    except ProblemError as error:
        return wrong(error)
    from pinnkit.commands.run import measure  # torch is loaded here, after every check
    from pinnkit.training.checkpoints import DamagedCheckpoint

    try:
        measure(problem, settings, RunFolder(Path(request.run)), request)
    except (ProblemError, RunFolderError, DamagedCheckpoint) as error:
        return wrong(error)
    except OSError as error:
        wrong(error)
        return FAILED
    return FINISHED


def _request(argv: Sequence[str]) -> Request:
    report = Report()
    words: dict[str, Any] = {}
    for word in argv:
        key, equals, value = word.partition("=")
        if not equals:
            report.add(word, "write run=DIR, and perhaps grid=401, checkpoint=best, export=csv")
        try:
            words[key] = value if key == "run" else yaml.safe_load(value)
        except yaml.YAMLError:
            report.add(key, f"{value!r} cannot be read: write grid=401, checkpoint=best or export=csv")
    request = read_as(Request, words, report)
    if not request.run and not report.mistakes:
        report.add("run", "is missing: write run=outputs/heat/...")
    report.raise_if_any()
    return request
