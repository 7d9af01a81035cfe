"""The documentation: problems in it are read and checked as they stand there, and links lead somewhere."""

import re

import numpy as np
import pytest
import yaml

from pinnkit.domains.triangle_mesh import icosphere
from pinnkit.problem.checks import check
from pinnkit.problem.problem import Problem
from tests.conftest import ROOT
from tests.domains.test_mesh_file import binary_stl

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCKS = {
    f"{page.relative_to(ROOT)} {number}": yaml.safe_load(block)
    for page in PAGES
    for number, block in enumerate(re.findall(r"^```yaml\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE), 1)
}
"""Every block of YAML, by its page and its place there."""
PROBLEMS = {name: words for name, words in BLOCKS.items() if {"coordinates", "equations"} <= set(words)}


@pytest.fixture
def folder(tmp_path):
    """The files that the examples name."""
    columns = ["x", "y", "t", "u"]
    rows = "\n".join(",".join(["0.5"] * len(columns)) for _ in range(3))
    (tmp_path / "samples.csv").write_text(f"{','.join(columns)}\n{rows}\n")
    axis = np.linspace(0, 1, 5)
    np.savez(tmp_path / "source.npz", x=axis, y=axis, q=1 + np.outer(axis, axis))
    (tmp_path / "part.stl").write_bytes(binary_stl(*icosphere(2, (0, 0, 0), 0.8)))
    return tmp_path


@pytest.mark.parametrize("name", PROBLEMS)
def test_each_problem_is_one_without_a_mistake(name, folder):
    assert check(Problem(folder=folder, **PROBLEMS[name])).mistakes == []


def test_each_page_on_the_words_of_a_problem_has_an_example():
    _, words, *_ = (ROOT / "docs" / "README.md").read_text().split("\n## ")
    pages = {f"docs/{page}" for page in re.findall(r"\((\w+\.md)\)", words)}
    assert len(pages) > 5
    assert pages - {name.rsplit(" ", 1)[0] for name in PROBLEMS} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_to_files_and_headings(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        path, _, heading = target.partition("#")
        if "://" in target:
            continue
        file = (page.parent / path) if path else page
        assert file.exists(), target
        anchors = {anchor(line) for line in file.read_text().splitlines() if line.startswith("#")} if heading else set()
        assert not heading or heading in anchors, target


def anchor(line: str) -> str:
    """The name that a heading has in links.

    >>> anchor("## Hard conditions, and why")
    'hard-conditions-and-why'
    """
    return re.sub(r"[^\w\- ]", "", line.lstrip("# ").lower()).replace(" ", "-")


def test_the_index_has_every_page():
    index = (ROOT / "docs" / "README.md").read_text()
    pages = [page.relative_to(ROOT / "docs").as_posix() for page in PAGES if page.is_relative_to(ROOT / "docs")]
    missing = [page for page in pages if page != "README.md" and f"({page})" not in index]
    assert missing == []
