"""`pinnkit list`, and problems that lie in a folder for each kind."""

import pytest

from pinnkit.cli.list_problems import list_problems
from pinnkit.cli.main import pinnkit
from pinnkit.cli.yaml_files import located
from pinnkit.language.errors import ProblemError
from pinnkit.runs.shipped import conf, problems


def test_each_shipped_problem_has_a_line_below_its_kind(capsys):
    assert pinnkit(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for name, path in problems().items():
        place = next(number for number, line in enumerate(lines) if line.split()[:1] == [name])
        assert len(lines[place].split()) > 3, f"{name} has no description"
        assert next(line for line in reversed(lines[:place]) if not line.startswith(" ")) == path.parent.name
    assert max(map(len, lines)) <= 80


def test_names_of_shipped_problems_differ():
    names = [path.stem for path in (conf() / "pde").glob("*/*.yaml")]
    assert sorted(set(names)) == sorted(names) == sorted(problems())


def test_words_choose_and_a_wrong_one_is_answered(capsys):
    assert list_problems(["inverse", "noisy"]) == 0
    assert capsys.readouterr().out.split()[:2] == ["inverse", "heat_inverse_noisy"]
    assert list_problems(["eliptic"]) == 2
    assert "no problem fits 'eliptic'; did you mean 'elliptic'?" in capsys.readouterr().err


def test_a_name_is_found_below_its_kind_and_two_of_one_name_are_refused(tmp_path):
    for kind in ("a", "b"):
        (tmp_path / "pde" / kind).mkdir(parents=True)
        (tmp_path / "pde" / kind / "mine.yaml").write_text("{}")
    (tmp_path / "pde" / "b" / "other.yaml").write_text("{}")
    assert located(tmp_path, "pde/other.yaml") == tmp_path / "pde" / "b" / "other.yaml"
    assert located(tmp_path, "pde/a/mine.yaml") == tmp_path / "pde" / "a" / "mine.yaml"
    with pytest.raises(ProblemError, match="'mine' is the name of 2 problems: write pde=a/mine or pde=b/mine"):
        located(tmp_path, "pde/mine.yaml")


@pytest.mark.parametrize("choice", ["burgers", "parabolic/burgers", "burgers.yaml"])
def test_a_problem_is_checked_by_its_name_or_its_path(choice, capsys):
    """Its table lies in the folder of all shipped problems."""
    assert pinnkit(["check", f"pde={choice}"]) == 0
    assert "tables/burgers.npz" in capsys.readouterr().out
