"""The screen and the log file of a run."""

from __future__ import annotations

import logging
import os
import re
import sys
import textwrap
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from logging.handlers import MemoryHandler
from pathlib import Path
from typing import TextIO

# Lightning's remarks that do not apply to pinnkit's loops, by the start of their message.
REMARKS = (
    "The 'train_dataloader' does not have many workers",
    "`isinstance(treespec, LeafSpec)` is deprecated",
    "The `srun` command is available on your system but is not used",
)


NEVER = logging.CRITICAL + 1
FIXED = "\u00a0"
"""A space at which no line is broken."""
COLUMNS = 80
"""Of a summary, and of a terminal that does not tell its width."""


COLOURS = {"green": 32, "yellow": 33, "red": 31}
VERDICTS = {"solved": "green", "falling": "yellow", "stalled": "yellow", "unsolved": "red"}
"""The colour of a line that tells a verdict, on a terminal."""


class _Screen(logging.Handler):
    """Prints records to standard error by tqdm, so that they do not tear the progress bar.

    Args:
        terminal: auto, with colours on a terminal; plain, without; quiet: warnings, and records of a verdict, alone.
    """

    def __init__(self, terminal: str) -> None:
        super().__init__()
        self.quiet, self.wraps = terminal == "quiet", terminal != "plain"
        self.colours = terminal != "plain" and takes_colours(sys.stderr)

    def emit(self, record: logging.LogRecord) -> None:
        from tqdm import tqdm  # tqdm is loaded with training alone

        verdict = getattr(record, "verdict", None)
        if self.quiet and verdict is None and record.levelno < logging.WARNING:
            return
        by_level = {logging.WARNING: "yellow", logging.ERROR: "red"}
        colour = VERDICTS.get(verdict) if verdict else by_level.get(record.levelno)
        text = for_terminal(self.format(record), sys.stderr, "  ") if self.wraps else self.format(record)
        tqdm.write(f"\x1b[{COLOURS[colour]}m{text}\x1b[0m" if self.colours and colour else text, file=sys.stderr)


def for_terminal(text: str, stream: TextIO | None, indent: str = "    ") -> str:
    """A text whose lines fit a stream that is a terminal; unchanged where it is none.

    Lines are broken at spaces alone, not beside a `=`, and go on behind an indent. A line with four spaces in front is
    a quotation, whose marks in the line below must stay where they are: it is left as it is.
    """
    if stream is None or stream.closed or not stream.isatty():
        return text
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        columns = 0
    wrapper = textwrap.TextWrapper(
        columns or COLUMNS, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    quoted = " " * 4
    kept = text.replace(" = ", f"{FIXED}={FIXED}").split("\n")
    lines = ([line] if line.startswith(quoted) else wrapper.wrap(line) or [""] for line in kept)
    return "\n".join(line for group in lines for line in group).replace(FIXED, " ")


def takes_colours(stream: TextIO) -> bool:
    """Whether a stream is a terminal with colours, and nobody has asked for none (see no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


@contextmanager
def silent() -> Iterator[LogBuffer]:
    """Print no more than errors while this is open: the first process reports the run."""
    log = logging.getLogger("pinnkit")
    former = log.level
    log.setLevel(logging.ERROR)
    try:
        yield LogBuffer()
    finally:
        log.level = former


class _FileHandler(logging.FileHandler):
    """Writes records to a file as long as that can be written: a full disk does not end a run by its log."""

    full = False

    def emit(self, record: logging.LogRecord) -> None:
        if not self.full:
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:
        self.full = True
        print(f"pinnkit: {self.baseFilename} cannot be written: it ends here", file=sys.stderr)

    def close(self) -> None:
        with suppress(OSError):
            super().close()


class LogBuffer:
    """Log records of a run, kept in memory until they have a file."""

    def __init__(self) -> None:
        self.handler: logging.Handler = MemoryHandler(capacity=0, flushLevel=NEVER, flushOnClose=False)

    def keep(self, path: Path) -> None:
        """Append to a file what has been logged so far, and what follows."""
        file = _FileHandler(path, encoding="utf-8")
        file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        early, self.handler = self.handler, file
        if isinstance(early, MemoryHandler):
            early.setTarget(file)
        early.flush()
        log = logging.getLogger("pinnkit")
        log.removeHandler(early)
        log.addHandler(file)


@contextmanager
def logged(terminal: str = "auto") -> Iterator[LogBuffer]:
    """Print and keep what pinnkit logs while this is open; `terminal`: how much, as in `callbacks.terminal`."""
    log = logging.getLogger("pinnkit")
    screen, kept = _Screen(terminal), LogBuffer()
    former = log.level, log.propagate
    log.setLevel(logging.INFO)
    log.propagate = False
    for handler in (screen, kept.handler):
        log.addHandler(handler)
    try:
        yield kept
    finally:
        for handler in (screen, kept.handler):
            log.removeHandler(handler)
            handler.close()
        log.level, log.propagate = former


@contextmanager
def suppress_library_logs() -> Iterator[None]:
    """Keep back messages of Lightning that do not concern a run of pinnkit, while this is open."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    former = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        for remark in REMARKS:
            warnings.filterwarnings("ignore", message=re.escape(remark))
        for logger in loggers:
            logger.setLevel(logging.WARNING)
        try:
            yield
        finally:
            for logger, level in zip(loggers, former, strict=True):
                logger.setLevel(level)
