from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

CONF = Path(__file__).resolve().parents[2] / "conf"


@pytest.fixture
def conf() -> Path:
    """The configuration that pinnkit ships."""
    return CONF


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., list[str]]:
    """Write a problem file into a folder of its own; the words for the command line that choose it."""

    def written(text: str | bytes, name: str = "mine", **files: str) -> list[str]:
        folder = tmp_path / "config" / "pde"
        folder.mkdir(parents=True, exist_ok=True)
        for file, content in {f"{name}.yaml": text, **files}.items():
            (folder / file).write_bytes(content if isinstance(content, bytes) else content.encode())
        return ["--config-dir", str(folder.parent), f"pde={name}"]

    return written
