"""Writing a file whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Give a temporary path in the folder of `path`; rename it to `path` when the block ends well.

    The data is flushed to the disk before the rename, so `path` holds the former content or the new one and
    nothing between, even where the machine goes down. When the block raises, the temporary file is removed
    and `path` is left as it was.
    """
    # Not tempfile.mkstemp: its files are readable by their owner alone, and os.replace would keep that.
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        yield temporary
        with temporary.open("rb+") as written:
            os.fsync(written.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` in UTF-8, atomically, with its line ends kept as they are."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="")
