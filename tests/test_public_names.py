"""The names that `import pinnkit` shows, and problems by their names."""

import ast
import importlib.metadata
from pathlib import Path

import pytest

import pinnkit
from pinnkit.runs import shipped


def test_dir_and_all_hold_every_public_name():
    assert dir(pinnkit) == sorted(pinnkit.__all__)
    assert {"Problem", "solve", "load", "Solution", "PINN", "list_problems", "__version__"} <= set(dir(pinnkit))
    assert all(getattr(pinnkit, name).__doc__ for name in dir(pinnkit))
    with pytest.raises(AttributeError, match="has no attribute 'Probelm'; it has PINN"):
        pinnkit.Probelm  # noqa: B018


def test_type_checkers_see_the_names_that_are_loaded_later():
    tree = ast.parse(Path(pinnkit.__file__).read_text())
    (block,) = (one for one in tree.body if isinstance(one, ast.If) and one.test.id == "TYPE_CHECKING")
    seen = {alias.name: one.module for one in block.body for alias in one.names}
    assert seen == pinnkit._MODULES
    assert set(seen) | {"__version__"} == set(pinnkit.__all__)
    assert (Path(pinnkit.__file__).parent / "py.typed").is_file()


def test_the_installed_version_is_that_of_the_code():
    assert importlib.metadata.version("pinnkit") == pinnkit.__version__


def test_shipped_problems_are_listed_and_read_by_name():
    every = pinnkit.list_problems()
    assert list(every) == list(shipped.problems())
    assert all(every.values())
    assert set(pinnkit.list_problems("inverse", "heat")) < set(pinnkit.list_problems("heat"))
    assert pinnkit.list_problems("no such word") == {}
    problem = pinnkit.read_problem("heat")
    assert (problem.name, problem.coordinates, str(problem.equations[0].residual)) == (
        "heat", ("x", "t"), "-alpha*u_xx + u_t",
    )  # fmt: skip


def test_a_problem_file_is_read_with_what_lies_beside_it(tmp_path):
    (tmp_path / "samples.csv").write_text("t,value\n0,1\n0.5,0.6\n")
    file = tmp_path / "decay.yaml"
    file.write_text(
        "coordinates: {t: [0, 1]}\nfields: [u]\nequations: u_t = -u\n"
        "conditions: {samples: {data: samples.csv, equations: u = value}}\n"
    )
    read = pinnkit.read_problem(file)
    assert read.conditions[0].data["value"].tolist() == [1, 0.6]
    assert pinnkit.read_problem(str(file)) == read


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("haet", "no shipped problem is called 'haet'; did you mean 'heat'"),
        ("none.yaml", "there is no file 'none.yaml'"),
        ("list.yaml", "is no mapping in YAML"),
        ("latin.yaml", "cannot be read"),
    ],
)
def test_a_name_that_gives_no_problem_is_answered(given, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("list.yaml").write_text("[1, 2]")
    Path("latin.yaml").write_bytes(b"name: \xe9\n")
    with pytest.raises(pinnkit.ProblemError, match=message):
        pinnkit.read_problem(given)
    with pytest.raises(TypeError, match="the path of a file is needed"):
        pinnkit.read_problem(3)
