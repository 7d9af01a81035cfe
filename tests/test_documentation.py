"""The documentation: every word has an example, links lead somewhere, every page is in a toctree."""

import re

import pytest
import yaml

from tests.conftest import ROOT

DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", DOCS / "llms.txt", *sorted(DOCS.rglob("*.md"))]
BLOCKS = {
    f"{page.relative_to(ROOT)} {number}": yaml.safe_load(block)
    for page in PAGES
    for number, block in enumerate(re.findall(r"^```yaml\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE), 1)
}
"""Every block of YAML, by its page and its place there."""
PROBLEMS = {name: words for name, words in BLOCKS.items() if {"coordinates", "equations"} <= set(words)}


def test_each_page_on_the_words_of_a_problem_has_an_example():
    pages = {page.relative_to(ROOT).as_posix() for page in (DOCS / "language").glob("*.md")}
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


def toctree(page: str) -> set[str]:
    """The pages that the toctrees of a page name, patterns written out."""
    folder = (DOCS / page).parent
    blocks = re.findall(r"^```\{toctree\}\n(.*?)^```", (DOCS / page).read_text(), re.DOTALL | re.MULTILINE)
    entries = [line for block in blocks for line in block.split() if not line.startswith(":")]
    return {file.with_suffix("").as_posix() for entry in entries for file in folder.glob(f"{entry}.*")}


def test_every_page_is_in_a_toctree():
    pages = {page.with_suffix("").as_posix() for ending in ("md", "ipynb") for page in DOCS.rglob(f"*.{ending}")}
    assert pages - toctree("index.md") == {(DOCS / "index").as_posix()}
