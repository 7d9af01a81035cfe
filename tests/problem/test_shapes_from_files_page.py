"""The examples of docs/shapes_from_files.md."""

import re

import pytest
import yaml

from pinnkit.domains.triangle_mesh import icosphere
from pinnkit.problem.checks import check
from pinnkit.problem.problem import Problem
from tests.conftest import ROOT
from tests.domains.test_mesh_file import binary_stl

PAGE = (ROOT / "docs" / "shapes_from_files.md").read_text(encoding="utf-8")
EXAMPLES = [text for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if "equations" in text]


@pytest.mark.parametrize("text", EXAMPLES)
def test_each_example_is_a_problem_without_a_mistake(text, tmp_path):
    (tmp_path / "part.stl").write_bytes(binary_stl(*icosphere(2, (0, 0, 0), 0.8)))
    assert not check(Problem(**yaml.safe_load(text), folder=tmp_path)).mistakes


def test_the_page_has_examples():
    assert len(EXAMPLES) == 2
