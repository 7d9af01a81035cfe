"""The notebooks run, and are kept with what they give."""

import ast
import json
import warnings

import pytest

import pinnkit
from tests.conftest import ROOT

FOLDER = ROOT / "docs" / "notebooks"
NAMES = ("a_shape", "first_problem", "inverse_problem_with_noise")
STEPS = 12


def cells_of(name):
    """The code cells of a notebook."""
    book = json.loads((FOLDER / f"{name}.ipynb").read_text(encoding="utf-8"))
    return [one for one in book["cells"] if one["cell_type"] == "code"]


def run(source, names):
    """The value of the last expression of a cell, as a notebook shows it."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names) if last else None


def test_these_are_all():
    assert sorted(path.stem for path in FOLDER.glob("*.ipynb")) == list(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_kept_with_its_outputs(name):
    cells = cells_of(name)
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert {output["output_type"] for output in outputs} <= {"execute_result", "stream", "display_data"}
    data = [output["data"] for output in outputs if "data" in output]
    assert sum("image/png" in one for one in data) >= 2
    shown = ["".join(one["text/markdown"]) for one in data if "text/markdown" in one]
    assert any(r"\begin{aligned}" in one and "| status | finished |" in one for one in shown)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert (FOLDER / f"{name}.ipynb").stat().st_size < 600_000


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_runs(name, tmp_path, monkeypatch):
    """In this process, with a few steps of training."""
    pytest.importorskip("xarray")
    monkeypatch.chdir(tmp_path)
    solve = pinnkit.solve

    def shortened(problem, folder, settings):
        quiet = {"callbacks": {"progress": False, "figures": False}, "logger": {"tensorboard": False}}
        return solve(problem, folder, {**settings, **quiet, "trainer": {"max_steps": STEPS}})

    monkeypatch.setattr(pinnkit, "solve", shortened, raising=False)
    names: dict = {}
    values = [run("".join(cell["source"]), names) for cell in cells_of(name)]
    assert names["solution"].metrics["steps"] == STEPS
    figures = [value for value in values if type(value).__name__ == "Figure"]
    assert len(figures) >= 2
    assert sum(hasattr(value, "_repr_markdown_") for value in values) >= 2


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_runs_in_a_kernel(name, tmp_path):
    """As it stands; what it shows is of the same kinds as what is kept."""
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    book = nbformat.read(FOLDER / f"{name}.ipynb", 4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nbclient.NotebookClient(book, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()
    kinds = [[sorted(output.get("data", {})) for output in cell.get("outputs", [])] for cell in book.cells]
    assert sum("image/png" in one for cell in kinds for one in cell) >= 2
    assert any("text/markdown" in one for cell in kinds for one in cell)
