"""`pinnkit new`: a problem file to start from."""

import pytest

from pinnkit.cli.main import pinnkit


def test_the_file_is_a_problem_whose_closed_form_is_right(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert pinnkit(["new", "rod"]) == 0
    assert pinnkit(["check", "rod.yaml"]) == 0
    told = capsys.readouterr().out
    assert "every check passed" in told
    assert "exact by construction" in told


def test_a_file_that_is_there_is_kept(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rod.yaml").write_text("mine")
    assert pinnkit(["new", "rod.yaml"]) == 2
    assert capsys.readouterr().err == "pinnkit: new: rod.yaml is there already; choose another name\n"
    assert (tmp_path / "rod.yaml").read_text() == "mine"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "write one name"),
        (["a", "b"], "write one name"),
        (["2x"], "'2x' is no name of a problem"),
        (["a b"], "'a b' is no name of a problem"),
    ],
)
def test_what_is_no_name_is_refused(words, told, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert pinnkit(["new", *words]) == 2
    assert told in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert pinnkit(["new", "missing/rod"]) == 1
    assert "missing/rod.yaml cannot be written: No such file or directory" in capsys.readouterr().err
