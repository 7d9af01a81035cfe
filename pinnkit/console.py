"""What a run prints, and what it keeps of that in its log."""

from __future__ import annotations

import logging
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Lightning's remarks that do not apply to pinnkit's loops, by the start of their message.
REMARKS = (
    "The 'train_dataloader' does not have many workers",
    "`isinstance(treespec, LeafSpec)` is deprecated",
)


class _PlainHandler(logging.Handler):
    """Prints records to standard error by tqdm, so that they do not tear the progress bar."""

    def emit(self, record: logging.LogRecord) -> None:
        from tqdm import tqdm  # tqdm is loaded with training alone

        tqdm.write(self.format(record), file=sys.stderr)


@contextmanager
def silent() -> Iterator[None]:
    """While this is open, pinnkit prints no more than errors: another process tells of the run."""
    log = logging.getLogger("pinnkit")
    former = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.level = former


@contextmanager
def written_to(path: Path) -> Iterator[None]:
    """While this is open, what pinnkit logs is printed and appended to a file."""
    log = logging.getLogger("pinnkit")
    file = logging.FileHandler(path, encoding="utf-8")
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    screen = _PlainHandler()
    former = log.level, log.propagate
    log.setLevel(logging.INFO)
    log.propagate = False
    handlers = (file, screen)
    for handler in handlers:
        log.addHandler(handler)
    try:
        yield
    finally:
        for handler in handlers:
            log.removeHandler(handler)
        file.close()
        log.level, log.propagate = former


@contextmanager
def quiet() -> Iterator[None]:
    """While this is open, Lightning keeps to itself what does not concern a run of pinnkit."""
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
