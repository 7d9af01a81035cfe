"""`python scripts/compare.py RUN_OR_FOLDER...`: runs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pinnkit.commands.entry import FAILED, FINISHED, wrong
from pinnkit.language.errors import Mistake, ProblemError
from pinnkit.reporting import compare as reporting
from pinnkit.reporting.artifacts import RunFolderError


def compare(argv: Sequence[str]) -> int:
    """Print the table, write OUT.csv and OUT.png (out=comparison); returns the exit code.

    0, 2 for a mistake, 1 where they cannot be written.
    """
    outs = [word.removeprefix("out=") for word in argv if word.startswith("out=")]
    folders = [Path(word) for word in argv if not word.startswith("out=")]
    try:
        if not folders or "" in outs:
            told = "write the run folders, or folders of several, and perhaps out=comparison"
            raise ProblemError([Mistake("command line", told)])
        found = reporting.compare(folders)
        table, figure = found.write(Path(outs[-1] if outs else "comparison"))
    except (ProblemError, RunFolderError) as error:
        return wrong(error)
    except OSError as error:
        wrong(error)
        return FAILED
    print(f"{found.as_text()}\nwritten to {table} and {figure}")
    return FINISHED
