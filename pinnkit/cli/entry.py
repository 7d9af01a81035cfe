"""Start and end of a command: help, streams, exit codes, and errors that nothing else handles."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence

from pinnkit.cli.invocation import as_typed
from pinnkit.runs import environment
from pinnkit.runs.console import for_terminal

FINISHED, FAILED, WRONG, DIVERGED, INTERRUPTED = 0, 1, 2, 3, 130
PATIENCE = 20.0
"""Seconds that other processes than the first wait before they report a mistake, which is mostly that of all."""
SHOW = "PINNKIT_TRACEBACK"
"""The variable that, set to 1 in the shell, lets unexpected errors end in their traceback."""


def run(command: Callable[[], int | None]) -> int:
    """Run a command; its exit code. Whatever happens, it ends with a message and not with a traceback."""
    os.environ["MPLBACKEND"] = "agg"  # figures are files: an unknown backend, or one without a display, is in the way
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # where the terminal has no letter for a character
    try:
        os.getcwd()
    except FileNotFoundError:
        print_error("the working folder has been removed: change to one that is there")
        return WRONG
    try:
        code = command() or FINISHED
        if sys.stdout is not None:  # it may have been closed before the start
            sys.stdout.flush()
    except KeyboardInterrupt:
        print_error("interrupted")
        return INTERRUPTED
    except OSError as error:
        if error.filename is not None or error.errno not in (errno.EPIPE, errno.ENOSPC, errno.EIO):
            return _unforeseen(error)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left is dropped
        if error.errno != errno.EPIPE:  # whoever read has gone, such as head
            print_error(f"standard output cannot be written: {error.strerror}")
        return FAILED
    except Exception as error:
        return _unforeseen(error)
    return code


def asks_help(argv: Sequence[str], text: str) -> bool:
    """Whether the command line asks for help; prints it."""
    if not {"--help", "-h"} & set(argv):
        return False
    print(as_typed(text.strip()))
    return True


def print_error(message: object) -> None:
    """Print a message to standard error, from one process of each machine."""
    if environment.prints_errors():
        print(for_terminal(f"pinnkit: {message}", sys.stderr, "  "), file=sys.stderr)


def report_error(error: object) -> int:
    """Report what is wrong; the exit code for that."""
    print_error(error)
    return WRONG


def report_refusal(error: object) -> int:
    """Report what is wrong with a run, from the first process for all; the exit code for that.

    Another process that is still there after a while reports it itself: the first has found nothing wrong.
    """
    if environment.first() or any(environment.mistakes()):  # where these are, no number of a process is to be trusted
        return report_error(error)
    time.sleep(PATIENCE)  # the end of the first ends this one
    print(f"pinnkit: process {environment.rank()}: {error}", file=sys.stderr, flush=True)
    return WRONG


def _unforeseen(error: Exception) -> int:
    if os.environ.get(SHOW) == "1":
        raise error
    text = "".join(traceback.format_exception(error))
    try:
        handle, path = tempfile.mkstemp(prefix="pinnkit-traceback-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError:
        path = f"standard error with {SHOW}=1"
    first = " ".join(str(error).split())[:200]
    message = f"an error that should have been foreseen: {type(error).__name__}: {first}"
    print_error(f"{message}\nplease report it with {path}")
    return FAILED
