from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pinnkit.cli import train as command

CONF = Path(__file__).resolve().parents[2] / "conf"


@pytest.fixture
def conf() -> Path:
    """The configuration that pinnkit ships."""
    return CONF


@pytest.fixture
def nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is refused fails the test if it starts a run, a sweep or Hydra."""
    for name in ("_single", "run_sweep", "_hydra"):
        monkeypatch.setattr(command, name, lambda *_: pytest.fail("a run would have started"))


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Runs and sweeps do not start; the list of those that would have."""
    runs: list[object] = []
    for name in ("_single", "run_sweep"):
        monkeypatch.setattr(command, name, lambda *given: runs.append(given) or 0)
    return runs


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
