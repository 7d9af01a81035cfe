"""The problems of docs/examples: each is read and checked as it stands there, and has its line on the page."""

import re

import pytest
import yaml

from pinnkit.problem.checks import check
from pinnkit.problem.problem import Problem
from tests.conftest import ROOT

FOLDER = ROOT / "docs" / "examples"
FILES = sorted(FOLDER.glob("*.yaml"))
LINES = 25


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_it_is_a_problem_without_a_mistake_or_a_warning(file):
    text = file.read_text(encoding="utf-8")
    report = check(Problem(folder=FOLDER, **yaml.safe_load(text)))
    assert [str(one) for one in (*report.mistakes, *report.warnings)] == []
    assert len(text.splitlines()) <= LINES
    assert yaml.safe_load(text)["name"] == file.stem


def test_the_page_has_a_line_for_each():
    page = (ROOT / "docs" / "examples.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"\(examples/(\w+)\.yaml\)", page)) == [file.stem for file in FILES]
