"""Problems written in the documentation are read, and checked, as they stand there."""

import re

import numpy as np
import pytest
import yaml

from pinnkit.problem.checks import check
from pinnkit.problem.problem import Problem
from tests.conftest import ROOT

BLOCKS = [
    pytest.param(block, id=f"{name} {number}")
    for name in ("unknowns", "tables")
    for number, block in enumerate(re.findall(r"```yaml\n(.*?)```", (ROOT / f"docs/{name}.md").read_text(), re.DOTALL))
]


@pytest.mark.parametrize("block", BLOCKS)
def test_it_is_a_problem(block, tmp_path):
    words = yaml.safe_load(block)
    names = [*words["coordinates"], "u"]
    rows = "\n".join(",".join(["0.5"] * len(names)) for _ in range(3))
    (tmp_path / "samples.csv").write_text(f"{','.join(names)}\n{rows}\n")
    axis = np.linspace(0, 1, 5)
    np.savez(tmp_path / "source.npz", x=axis, y=axis, q=1 + np.outer(axis, axis))
    assert check(Problem(folder=tmp_path, **words)).mistakes == []
