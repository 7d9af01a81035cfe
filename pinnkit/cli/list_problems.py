"""`pinnkit list`: the shipped problems, a line each."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from textwrap import shorten

from pinnkit.cli.entry import FINISHED, asks_help, report_error
from pinnkit.language.errors import suggestion
from pinnkit.runs import shipped, shipped_problems

HELP = """
List the shipped problems by their kinds, each with a line that says what it is.

usage: python scripts/list.py [WORD ...]

  WORD    a kind (elliptic), or a part of a name or a description; all that are given must fit

examples:
  python scripts/list.py
  python scripts/list.py fluids
  python scripts/list.py inverse heat

`pinnkit train pde=NAME` solves one, and `pinnkit check pde=NAME` prints it. Exit codes: 0, or 2 where nothing fits.
"""
NARROWEST = 20
"""Columns of a description at least."""


def list_problems(argv: Sequence[str]) -> int:
    """Print the problems that fit all given words; returns the exit code: 0, or 2 where there is none."""
    if asks_help(argv, HELP):
        return FINISHED
    files = shipped.problems()
    found = shipped_problems.list_problems(*argv)
    if not found:
        known = [*sorted({path.parent.name for path in files.values()}), *files]
        return report_error(f"list: no problem fits '{' '.join(argv)}'{suggestion(argv[0], known)}")
    longest = max(map(len, found))
    width = max(shutil.get_terminal_size((80, 24)).columns - longest - 4, NARROWEST)
    for kind in sorted({files[name].parent.name for name in found}):
        print(kind)
        for name in found:
            if files[name].parent.name == kind:
                print(f"  {name:<{longest}}  {shorten(found[name], width, placeholder=' ...')}")
    return FINISHED
