"""The page of the commands: what `pinnkit COMMAND --help` prints, and the exit codes."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Sequence

from documentation.markdown import block, table
from pinnkit.cli import entry, main
from pinnkit.runs import shipped

HEAD = """\
# Commands

`pinnkit COMMAND`, `python -m pinnkit COMMAND` and, in a clone, `python scripts/COMMAND.py` are the same, from any
folder. A mistake is answered in words before anything is trained, all mistakes together, each with its key.

`python scripts/make_documentation.py` makes this page from the commands.

## Exit codes
"""
EXIT_CODES = [
    (entry.FINISHED, "finished"),
    (entry.FAILED, "a process of the run was lost, a file could not be written, or an error was not foreseen"),
    (entry.WRONG, "the command line, the configuration or the problem is wrong; nothing was trained"),
    (entry.DIVERGED, "training diverged (the term, the point and the last good checkpoint are named), or no trial of a "
     "sweep came to a value"),
    (entry.INTERRUPTED, "interrupted by a signal; a checkpoint was written, and `resume=RUN_FOLDER` goes on"),
]  # fmt: skip
TAIL = """\
`PINNKIT_TRACEBACK=1` in the shell shows the traceback of an error that was not foreseen; otherwise the message names
the file that holds it. A verdict of `unsolved` leaves the exit code at 0: the run did what it was asked to.
"""


def page() -> str:
    """The page as Markdown."""
    codes = table(("code", "meaning"), [(str(number), meaning) for number, meaning in EXIT_CODES])
    parts = [HEAD, codes, TAIL, "## `pinnkit`", block(printed([]))]
    for name in main.COMMANDS:
        parts += [f"## `pinnkit {name}`", block(printed([name, "--help"]))]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def printed(argv: Sequence[str]) -> str:
    """What `pinnkit` prints, started by that name; the folder of the configuration is called conf."""
    started, sys.argv = sys.argv, ["pinnkit"]
    try:
        with contextlib.redirect_stdout(io.StringIO()) as out:
            main.pinnkit(argv)
    finally:
        sys.argv = started
    return out.getvalue().replace(str(shipped.conf()), "conf")
