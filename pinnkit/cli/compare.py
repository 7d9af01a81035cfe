"""`pinnkit compare`: runs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pinnkit.cli.entry import FAILED, FINISHED, asks_help, report_error
from pinnkit.language.errors import Mistake, ProblemError
from pinnkit.reporting import compare as reporting
from pinnkit.reporting.artifacts import RunFolderError

HELP = """
Runs side by side: a table on the screen and in OUT.csv, and a figure of their errors in OUT.png.

usage: python scripts/compare.py RUN_OR_FOLDER... [out=OUT]

  RUN_OR_FOLDER   a run folder, or a folder that holds several at any depth
  out=OUT         the table and the figure without their endings (default: comparison)

example:
  python scripts/compare.py outputs/heat sweeps/heat/trials/0007 out=results/heat

Exit codes: 0 finished, 2 a folder is no run and holds none, 1 the results cannot be written.
"""


def compare(argv: Sequence[str]) -> int:
    """Print the table, write OUT.csv and OUT.png (out=comparison); returns the exit code.

    0, 2 for a mistake, 1 where they cannot be written.
    """
    if asks_help(argv, HELP):
        return FINISHED
    outs = [one.removeprefix("out=") for one in argv if one.startswith("out=")]
    folders = [Path(one) for one in argv if not one.startswith("out=")]
    out = Path(outs[-1] if outs else "comparison")
    try:
        if not folders or "" in outs:
            message = "write the run folders, or folders of several, and perhaps out=comparison"
            raise ProblemError([Mistake("command line", message)])
        found = reporting.compare(folders)
        table, figure = found.write(out)
    except (ProblemError, RunFolderError) as error:
        return report_error(error)
    except OSError as error:
        report_error(f"out={out}: cannot be written: {error.strerror or error}")
        return FAILED
    print(f"{found.as_text()}\nwritten to {table} and {figure}")
    return FINISHED
