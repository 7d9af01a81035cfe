"""Every code block of README.md and of docs/ does what its page says.

The blocks of a page run one after the other in one folder: problems are read and checked, settings are read, commands
and Python run with training cut to a few steps. Slow blocks run as they stand, with `pytest -m slow`.
"""

from __future__ import annotations

import dataclasses
import os
import stat
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import yaml

from pinnkit.domains.triangle_mesh import icosphere
from pinnkit.language.errors import ProblemError
from pinnkit.networks.settings import NETWORKS
from pinnkit.optimizers.settings import OPTIMIZERS
from pinnkit.problem.checks import check
from pinnkit.problem.problem import Problem
from pinnkit.problem.read import KEYS
from pinnkit.settings import Settings
from tests.conftest import ROOT
from tests.documentation.blocks import Block, blocks_of
from tests.documentation.commands import cut_training, run_shell
from tests.domains.test_mesh_file import binary_stl
from tests.settings_reading import read

PAGES = {
    page.relative_to(ROOT).as_posix(): blocks_of(page, ROOT)
    for page in [ROOT / "README.md", ROOT / "docs" / "llms.txt", *sorted((ROOT / "docs").rglob("*.md"))]
}
TESTED = {page: blocks for page, blocks in PAGES.items() if any(one.mark not in ("slow", "skip") for one in blocks)}
SLOW = {page: blocks for page, blocks in PAGES.items() if any(one.mark == "slow" for one in blocks)}
SETTINGS = {one.name for one in dataclasses.fields(Settings)}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working folder of a page, with the data files that examples name."""
    columns = ["x", "y", "t", "u"]
    rows = "\n".join(",".join(["0.5"] * len(columns)) for _ in range(3))
    (tmp_path / "samples.csv").write_text(f"{','.join(columns)}\n{rows}\n")
    axis = np.linspace(0, 1, 5)
    np.savez(tmp_path / "source.npz", x=axis, y=axis, q=1 + np.outer(axis, axis))
    (tmp_path / "part.stl").write_bytes(binary_stl(*icosphere(2, (0, 0, 0), 0.8)))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["pinnkit"])
    monkeypatch.setenv("MPLBACKEND", "agg")
    for registry in (NETWORKS, OPTIMIZERS):  # a page may register a part of its own
        monkeypatch.setattr(registry, "_parts", dict(registry))
    return tmp_path


@pytest.mark.parametrize("page", TESTED)
def test_the_blocks_of_a_page_run(page, folder, monkeypatch, capfd):
    cut_training(monkeypatch)
    names: dict[str, object] = {"__name__": "__main__"}
    for block in TESTED[page]:
        if block.mark not in ("slow", "skip"):
            run_block(block, folder, names, capfd)


@pytest.mark.slow
@pytest.mark.parametrize("page", SLOW)
def test_the_slow_blocks_of_a_page_run_as_they_stand(page, folder, monkeypatch, capfd):
    names: dict[str, object] = {"__name__": "__main__"}
    for block in SLOW[page]:
        if block.mark == "slow" and block.language == "bash":
            run_as_it_stands(block, folder)
        elif block.mark != "skip":
            with monkeypatch.context() as patch:
                if block.mark != "slow":
                    cut_training(patch)
                run_block(block, folder, names, capfd)


def run_block(block: Block, folder: Path, names: dict[str, object], capture: pytest.CaptureFixture) -> None:
    """Run, read or save a block; a mistake in it names its page and line."""
    if block.file:
        path = Path(block.file)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text)
    if block.language == "yaml":
        read_yaml(block, folder)
    elif block.language == "bash":
        run_shell(block.text, folder, block.reason, capture)
    elif block.language == "python" and not (block.file and named_later(block)):
        refused = pytest.raises(Exception) if block.mark == "refused" else warnings.catch_warnings()  # noqa: PT011
        with refused as caught:
            if block.mark != "refused":
                warnings.filterwarnings("ignore", "FigureCanvasAgg is non-interactive")  # plt.show()
            exec(compile(f"{chr(10) * (block.line - 1)}{block.text}", ROOT / block.page, "exec"), names)
        assert block.mark != "refused" or block.reason in str(caught.value)


def read_yaml(block: Block, folder: Path) -> None:
    """Check a problem, or read settings; other YAML is only parsed."""
    words = yaml.safe_load(block.text)
    assert isinstance(words, dict | list), block.place
    if "coordinates" in words and words.keys() <= set(KEYS):
        try:
            found = [str(one) for one in check(Problem(folder=folder, **words)).mistakes]
        except ProblemError as error:
            found = [str(error)]
        if block.mark == "refused":
            assert block.reason in "\n".join(found), block.place
        else:
            assert found == [], block.place
    elif isinstance(words, dict) and words.keys() <= SETTINGS:
        read(words)


def named_later(block: Block) -> bool:
    """Whether a later command of the page names the file of the block."""
    return any(one.language == "bash" and one.line > block.line and block.file in one.text for one in PAGES[block.page])


def run_as_it_stands(block: Block, folder: Path) -> None:
    """Run a block by bash, with `pinnkit` as this Python has it."""
    command = folder / "bin" / "pinnkit"
    command.parent.mkdir(exist_ok=True)
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pinnkit "$@"\n')
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    path = os.pathsep.join([str(command.parent), str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-ec", block.text], env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{block.place}: {done.stderr[-2000:]}"


def test_a_block_that_is_wrong_is_found(folder, monkeypatch, capfd):
    for language, text in [
        ("yaml", "coordinates: {x: [0, 1]}\nfields: [u]\nequations: u_xx = alhpa\n"),
        ("yaml", "trainer: {max_step: 3}\n"),
        ("bash", "pinnkit check pde=haet\n"),
        ("bash", "sbatch run.sh\n"),
        ("bash", 'pip install "pinnkit[nothing]"\n'),
        ("bash", "pinnkit evaluate run=outputs/heat/2026-01-31_12-00-00\n"),
        ("python", "assert False\n"),
    ]:
        with pytest.raises((AssertionError, ProblemError)):
            run_block(Block("page.md", 1, language, text), folder, {}, capfd)
    refused = Block("page.md", 1, "yaml", "coordinates: {x: [0, 1]}\nfields: [u]\nequations: u_xx = a\n", "refused")
    run_block(dataclasses.replace(refused, reason="unknown name 'a'"), folder, {}, capfd)
    with pytest.raises(AssertionError):
        run_block(dataclasses.replace(refused, reason="unknown name 'b'"), folder, {}, capfd)


def test_marks_and_names_of_files_are_read_from_a_page(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "Save this as `a.yaml`:\n\n```yaml\nx: 1\n```\n\n<!-- test: slow -->\n```bash\nls\n```\n"
        "<!-- test: skip, needs a GPU -->\n```python\nx\n```\n- item\n\n  ```bash\n  ls\n  ```\n"
    )
    found = blocks_of(page, tmp_path)
    assert [(one.language, one.line, one.mark, one.reason, one.file, one.text) for one in found] == [
        ("yaml", 4, "", "", "a.yaml", "x: 1\n"),
        ("bash", 9, "slow", "", "", "ls\n"),
        ("python", 13, "skip", "needs a GPU", "", "x\n"),
        ("bash", 18, "", "", "", "ls\n"),
    ]
    page.write_text("<!-- test: skip -->\n```bash\nls\n```\n")
    with pytest.raises(ValueError, match=r"page.md:2: write one of"):
        blocks_of(page, tmp_path)
