"""PINNacle's problems: their files, the random fields of three of them, and the page of their errors."""

import json

import numpy as np
import pytest
import yaml

from benchmark import pinnacle, pinnacle_fields
from pinnkit.runs.shipped import conf, problems
from pinnkit.runs.shipped_problems import list_problems
from tests.conftest import ROOT

FOLDER = conf() / "pde" / "pinnacle"
BLOCKS = ROOT.parent / "shared" / "references" / "pinnacle"


def words(name):
    return yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))


def row(error, **errors):
    return {
        "status": "finished", "steps": 3, "train_time_s": 1.5, "wall_time_s": 2.0, "reference": "fem",
        "reference_error": 2e-10, "verdict": "solved", "relative_l2": errors, "estimated_error": {"u": 3e-9, "v": None},
        "method": "features", "error": error, "asked": ["auto"], "max_time": 60.0, "date": "2026-01-01",
        "machine": "2 CPUs", "code": "abc",
    }  # fmt: skip


def test_every_problem_of_the_paper_is_a_file_that_names_it():
    assert {path.stem for path in FOLDER.glob("*.yaml")} == set(pinnacle.PROBLEMS)
    assert len(pinnacle.PROBLEMS) == 22
    assert set(pinnacle.NOTES) <= set(pinnacle.PROBLEMS)
    described = list_problems()
    for name, (paper, _) in pinnacle.PROBLEMS.items():
        assert f"PINNacle's {paper}," in described[name]
        assert problems()[name] == FOLDER / f"{name}.yaml"


def test_random_fields_are_those_of_their_seeds():
    assert words("heat2d_vc")["define"]["s"] == pinnacle_fields.heat_field()
    assert words("wave2d_cg")["define"]["s"] == pinnacle_fields.wave_field()
    start = words("burgers2d")["define"]
    assert (start["u_start"], start["v_start"]) == pinnacle_fields.burgers_fields()


def test_the_squares_of_poisson2d_ms_have_the_coefficients_of_the_benchmark():
    """PINNacle counts the source's waves anew in every square: the sign of sin(pi x/4) sin(pi y/4) alternates."""
    if not BLOCKS.is_dir():
        pytest.skip(f"there is no {BLOCKS}: the tables by others are not shipped")
    a = np.loadtxt(BLOCKS / "poisson_2d_many_areas_a.txt")
    f = np.loadtxt(BLOCKS / "poisson_2d_many_areas_f.txt").reshape(5, 5, 2, 2)
    problem = words("poisson2d_ms")
    for i in range(5):
        for j in range(5):
            number = f"{i + 1}{j + 1}"
            assert problem["parameters"][f"a{number}"] == pytest.approx(a[i, j], rel=1e-8)
            lower = problem["shapes"][f"b{number}"]["box"]["lower"]
            assert lower == [-10 + 4 * i, -10 + 4 * j]
            right = problem["equations"][f"b{number}"]["equation"].partition("=")[2]
            x, y = lower[0] + 1.0, lower[1] + 2.5
            wave = np.sin(np.pi * (x + 10) / 4) * np.sin(np.pi * (y + 10) / 4)
            constant, sign, rest = right.split()
            found = float(constant) + float(sign + rest.removesuffix("*wave")) * wave
            known = f[i, j, 0, 0] + f[i, j, 1, 1] * np.sin(np.pi / 4) * np.sin(np.pi * 2.5 / 4)
            assert found == pytest.approx(known, abs=1e-8)
    assert len(problem["conditions"]) == 1 + 40


def test_the_error_is_that_of_all_fields_together():
    arrays = {
        "x": np.zeros(3),
        "u": np.array([1.0, 2.0, np.nan]),
        "u_reference": np.array([1.0, 1.0, 5.0]),
        "v": np.array([[0.0, 3.0]]),
        "v_reference": np.array([[0.0, 4.0]]),
    }
    assert pinnacle.joint_error(arrays) == pytest.approx(np.sqrt((1 / 2 + 1 / 2) / (2 / 2 + 16 / 2)))
    assert pinnacle.joint_error({"u": np.ones(2)}) is None


def test_rows_are_kept_and_replaced_and_a_row_above_the_paper_is_the_exit_code(tmp_path, monkeypatch):
    errors = {"ks": 1e-5, "gs": 1.0}
    monkeypatch.setattr(pinnacle, "measured", lambda name, *_: row(errors[name], u=errors[name]))
    arguments = ["--out", str(tmp_path)]
    assert pinnacle.benchmark([*arguments, "ks"], ROOT / "scripts") == 0
    assert pinnacle.benchmark([*arguments, "gs"], ROOT / "scripts") == 1
    page = (tmp_path / "pinnacle.md").read_text()
    assert "Of 2 problems so far 1 are below the best of the table, 1 below 1e-02, 1 below 1e-04." in page
    line = "| `ks` | KS | 1.0e-05 | 9.6e-01 | yes | u 1.0e-05 | 3.0e-09 | fem (2.0e-10) | solved | 2 | features | "
    assert line in page
    assert "| `gs` | GS | 1.0e+00 | 8.0e-02 | no |" in page
    errors["gs"] = None
    assert pinnacle.benchmark([*arguments, "gs"], ROOT / "scripts") == 1
    assert "| `gs` | GS | none (finished) | 8.0e-02 | no |" in (tmp_path / "pinnacle.md").read_text()
    errors["gs"] = 1e-3
    assert pinnacle.benchmark([*arguments, "gs"], ROOT / "scripts") == 0
    assert set(json.loads((tmp_path / "pinnacle.json").read_text())) == {"ks", "gs"}
    before = (tmp_path / "pinnacle.md").read_text()
    assert pinnacle.benchmark([*arguments, "--page"], ROOT / "scripts") == 0
    assert (tmp_path / "pinnacle.md").read_text() == before


def test_an_unknown_problem_is_refused(capsys):
    with pytest.raises(SystemExit):
        pinnacle.benchmark(["kss"], ROOT / "scripts")
    assert "there is no problem kss" in capsys.readouterr().err
