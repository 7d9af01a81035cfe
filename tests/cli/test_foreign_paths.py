"""Paths of files that a problem names."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from pinnkit.language.errors import ProblemError
from pinnkit.problem.problem import Problem
from pinnkit.runs.validation import read_and_check
from pinnkit.settings import Settings
from tests.cli.hostile_files import HEAT
from tests.conftest import composed

TABLE = "x,t,u\n0,0,0\n"


def samples(data: str) -> str:
    return f"{HEAT}  samples: {{data: {data}}}\n"


@pytest.fixture
def outside(tmp_path) -> Path:
    """A table that lies beside the problem's folder, and a link to it from inside."""
    (tmp_path / "config" / "pde" / "tables").mkdir(parents=True)
    path = tmp_path / "config" / "table.csv"
    path.write_text(TABLE)
    (tmp_path / "config" / "pde" / "link.csv").symlink_to(path)
    (tmp_path / "config" / "pde" / "tables" / "inside.csv").write_text(TABLE)
    return path


@pytest.mark.parametrize("name", ["../table.csv", "tables/../../table.csv", "link.csv", "ABSOLUTE"])
@pytest.mark.parametrize("key", ["conditions.samples.data", "reference"])
def test_tables_lie_below_the_problems_folder(name, key, outside, write, conf):
    name = str(outside) if name == "ABSOLUTE" else name
    text = samples(name) if key != "reference" else f"{HEAT}reference: {name}\n"
    argv = write(text)
    with pytest.raises(ProblemError) as caught:
        read_and_check(composed(argv))
    (mistake,) = caught.value.mistakes
    assert mistake.key == key
    folder = outside.parent / "pde"
    assert mistake.message.startswith(f"'{folder / name}' lies outside the problem's folder '{folder}'")
    assert "outside_files=true" in mistake.message
    problem, chosen = read_and_check(composed([*argv, "outside_files=true"]))
    assert chosen.outside_files
    assert problem.reference == name or len(problem.conditions[-1].data["u_data"]) == 1


def test_tables_inside_and_references_of_the_user_are_read(outside, write, conf):
    read_and_check(composed(write(samples("tables/inside.csv"))))
    _, chosen = read_and_check(composed([*write(HEAT), f"reference={outside}"]))
    assert chosen.reference == str(outside)


def test_a_problem_in_python_reads_any_file_unless_told_otherwise(outside):
    words = yaml.safe_load(samples(outside))
    assert len(Problem(**words, folder=outside.parent / "pde").conditions[-1].data["x"]) == 1
    with pytest.raises(ProblemError, match="lies outside the problem's folder"):
        Problem(**words, folder=outside.parent / "pde", outside_files=False)


def test_a_run_from_python_keeps_that_its_files_may_lie_anywhere(outside):
    from pinnkit.runs.configuration import as_yaml  # torch waits until it is needed

    problem = Problem(**yaml.safe_load(samples(str(outside))), folder=outside.parent / "pde")
    again, _ = read_and_check(yaml.safe_load(as_yaml(problem, Settings())))
    assert again == problem


@pytest.mark.parametrize("name", ["x" * 300 + ".csv", "a\\0.csv", "\\ud800.csv", "circle.csv"])
def test_what_is_no_path_is_refused(name, write, conf, tmp_path):
    argv = write(samples(f'"{name}"'))
    (tmp_path / "config" / "pde" / "circle.csv").symlink_to("circle.csv")
    for more in ([], ["outside_files=true"]):
        with pytest.raises(ProblemError, match=r"conditions\.samples\.data: .*(is no path of a file|there is no file)"):
            read_and_check(composed([*argv, *more]))


@pytest.mark.parametrize("key", ["self", "outside_files", "folder", "words"])
def test_names_of_the_code_are_no_words_of_a_problem(key, write, conf):
    with pytest.raises(ProblemError, match=f"{key}: unknown key '{key}'"):
        read_and_check(composed(write(f"{HEAT}{key}: 1\n")))
