"""The page of the errors of shipped problems."""

import json

import pytest

from benchmark import library
from pinnkit.runs.shipped import problems
from tests.conftest import ROOT


def row(error, **errors):
    return {
        "status": "finished", "steps": 10, "train_time_s": 1.5, "compile_time_s": 0.0,
        "reference": "fem", "reference_error": 2e-10,
        "errors": errors, "error": error, "date": "2026-01-01", "machine": "2 CPUs", "code": "abc",
    }  # fmt: skip


def test_targets_are_of_shipped_problems():
    assert set(library.TARGETS) <= set(problems())


def test_rows_are_kept_and_replaced_and_a_missed_target_is_the_exit_code(tmp_path, monkeypatch):
    errors = {"fisher": 1e-8, "plate": 1.0}
    monkeypatch.setattr(library, "measured", lambda name, *_: row(errors[name], u=errors[name]))
    arguments = ["--out", str(tmp_path)]
    assert library.benchmark([*arguments, "fisher"], ROOT / "scripts") == 0
    assert library.benchmark([*arguments, "plate"], ROOT / "scripts") == 1
    page = (tmp_path / "problems.md").read_text()
    assert "| fisher | 1.0e-08 | 1e-07 | yes | u 1.0e-08 | fem (2.0e-10) | 10 | 2 | abc |" in page
    assert "| plate | 1.0e+00 | 1e-05 | no |" in page
    errors["plate"] = 1e-6
    assert library.benchmark([*arguments, "plate"], ROOT / "scripts") == 0
    assert set(json.loads((tmp_path / "problems.json").read_text())) == {"fisher", "plate"}


def test_an_unknown_problem_is_refused(capsys):
    with pytest.raises(SystemExit):
        library.benchmark(["fischer"], ROOT / "scripts")
    assert "there is no problem fischer" in capsys.readouterr().err
