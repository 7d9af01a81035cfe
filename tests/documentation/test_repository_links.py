"""Links of a page in the built documentation."""

from __future__ import annotations

import importlib.util

import pytest

from tests.conftest import ROOT

spec = importlib.util.spec_from_file_location("repository", ROOT / "docs" / "_ext" / "repository.py")
repository = importlib.util.module_from_spec(spec)
spec.loader.exec_module(repository)


@pytest.mark.parametrize(
    ("text", "folder", "target", "expected"),
    [
        ("[a](shapes.md#b)", "docs/language", "docs/language", "[a](shapes.md#b)"),
        ("[a](../README.md)", "docs", "docs", "[a](index.md)"),
        ("[a](../../CONTRIBUTING.md#style)", "docs/language", "docs/language", "[a](../contributing.md#style)"),
        ("[a](../conf/train.yaml), b", "docs", "docs", "a, b"),
        ("[a](nowhere.md)", "docs", "docs", "[a](nowhere.md)"),
        ("[a](docs/language/shapes.md)", "", "docs", "[a](language/shapes.md)"),
        ("![a](images/family.png)", "docs", "docs", "![a](images/family.png)"),
        ("[a](https://b.c) [d](#e)", "docs", "docs", "[a](https://b.c) [d](#e)"),
        ("`[a](../README.md)`\n```text\n[a](../README.md)\n```\n", "docs", "docs", None),
    ],
)
def test_links_out_of_the_documentation_lead_to_its_pages_or_are_text(text, folder, target, expected):
    found = repository.linked(text, ROOT / folder, ROOT / target, ROOT / "docs")
    assert found == (text if expected is None else expected)


def test_patterns_that_add_no_page_are_left_out_of_the_contents(tmp_path):
    (tmp_path / "guides").mkdir()
    (tmp_path / "guides" / "own_network.md").touch()
    text = "tutorial*\nguides/own*\nguides/*\nexamples\n"
    assert repository.with_pages(text, tmp_path) == "guides/own*\nexamples\n"
