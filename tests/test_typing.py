"""What the project promises about its annotations: they are shipped, and mypy passes over no module of them."""

import re

from tests.conftest import ROOT

FEW = 33
"""Lines whose mistakes of types are another package's: the number may only become smaller."""


def test_annotations_are_shipped_and_checked_everywhere():
    settings = (ROOT / "pyproject.toml").read_text()
    assert "ignore_errors" not in settings
    assert "check_untyped_defs = true" in settings
    assert (ROOT / "pinnkit" / "py.typed").is_file()
    assert "mypy" in (ROOT / ".ci" / "run").read_text().splitlines()


def test_mistakes_of_types_are_ignored_in_few_lines_and_by_their_code():
    lines = [line for path in (ROOT / "pinnkit").rglob("*.py") for line in path.read_text().splitlines()]
    ignored = [line for line in lines if "type: ignore" in line]
    assert len(ignored) <= FEW
    assert [line for line in ignored if not re.search(r"# type: ignore\[[a-z-]+\]", line)] == []
