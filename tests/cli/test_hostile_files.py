"""Hostile problem files: nothing in them runs code, hangs or takes unbounded memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from pinnkit.cli import yaml_files
from pinnkit.cli.yaml_files import check
from pinnkit.language.errors import ProblemError
from tests.cli.hostile_files import FILES, HEAT, PDE, SECONDS
from tests.conftest import timed


def refused(text: str | bytes, folder: Path) -> str:
    """What `check` says against a problem file, within the time; empty if it says nothing."""
    path = folder / "mine.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return timed(5 * SECONDS, _said, path)[1]


def _said(path: Path) -> str:
    try:
        check(path, f"pde/{path.name}")
    except ProblemError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("case", FILES)
def test_a_hostile_problem_file_is_refused_in_words(case, tmp_path):
    text, expected = FILES[case]
    said = refused(text, tmp_path)
    assert expected in said
    assert bool(said) == bool(expected)
    assert len(said) < 2000


def test_the_values_of_a_file_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(yaml_files, "NODES", 1000)
    assert refused("a: [" + "1," * 997 + "]", tmp_path) == ""
    assert "more than 1000 keys and values" in refused("a: [" + "1," * 998 + "]", tmp_path)


def test_every_shipped_problem_passes():
    files = sorted(PDE.glob("*/*.yaml"))
    assert len(files) > 10
    for path in files:
        check(path, f"pde/{path.name}")


def test_aliases_themselves_are_welcome(tmp_path):
    shared = HEAT.replace("[-1, 1]", "&range [-1, 1]").replace("t: [0, 1]", "t: *range")
    assert refused(shared, tmp_path) == ""
