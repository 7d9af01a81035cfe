"""Engine of a run, and the cache of measured speeds."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pinnkit.operators.compiler_cache import private_folder
from pinnkit.operators.settings import ENGINES

SIZE = 100_000
"""Bytes of a cache file that are read at most."""


@dataclass(frozen=True)
class EngineChoice:
    """An engine with its chunk size and threads, the reason of the choice, and its measurements.

    Attributes:
        chunk: points of a group in one chunk at most; None: the engine's own rule.
        milliseconds: engine -> time of one evaluation of losses and gradient.
        compile_s: seconds that recording and compiling took in this run.
    """

    engine: str
    chunk: int | None = None
    threads: int = 1
    reason: str = ""
    milliseconds: dict[str, float] = field(default_factory=dict)
    compile_s: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for metrics.json and checkpoints."""
        return asdict(self)


def content_key(*parts: object) -> str:
    """Key of a measurement: equal for equal content."""
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:32]


def load_measurement(key: str) -> dict[str, Any] | None:
    """The measurement of an earlier run for this key, if there is a valid one."""
    try:
        with _path(key).open("rb") as file:
            found = json.loads(file.read(SIZE))
    except (OSError, ValueError, RecursionError):
        return None
    if not (isinstance(found, dict) and found.get("engine") in ENGINES[1:] and "chunk" in found):
        return None
    chunk = found["chunk"]
    return found if chunk is None or (type(chunk) is int and chunk > 0) else None


def save_measurement(key: str, measured: dict[str, Any]) -> None:
    """Save a measurement; without access to the folder it is measured again next time."""
    try:
        path = _path(key)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}.tmp")
        temporary.write_text(json.dumps(measured))
        os.replace(temporary, path)
    except OSError:
        return


def _path(key: str) -> Path:
    return private_folder() / "choices" / f"{key}.json"
