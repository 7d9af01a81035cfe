"""Exports by `pinnkit evaluate` and by `Solution.export`, and values at points of the user's own."""

import json
from pathlib import Path

import numpy as np
import pytest

import pinnkit
from pinnkit.cli.evaluate import evaluate
from tests.runs.small import DECAY, QUICK, solved


@pytest.fixture(scope="module")
def solution(tmp_path_factory):
    return solved(tmp_path_factory.mktemp("exports") / "run")


def test_a_run_is_named_by_its_path_and_exported_in_several_formats(solution, capsys):
    folder = solution.folder / "evaluation"
    assert evaluate([str(solution.folder), "grid=5", "export=[csv, npz,vtk]"]) == 0
    assert f"export: {folder / 'solution.vtr'}\n" in capsys.readouterr().out
    found = np.genfromtxt(folder / "solution.csv", delimiter=",", names=True)
    t = np.linspace(0, 1, 5)
    np.testing.assert_allclose(found["u"], solution(t=t)["u"], rtol=1e-14)
    with np.load(folder / "solution.npz") as saved:
        np.testing.assert_allclose(saved["u_reference"], np.exp(-t), rtol=1e-14)
    facts = json.loads((folder / "export.json").read_text())
    assert facts["title"] == "decay"
    assert facts["coordinates_order"] == ["t"]
    assert facts["relative_l2"]["u"] == json.loads((folder / "metrics.json").read_text())["relative_l2"]["u"]


def test_what_takes_long_in_an_evaluation_is_told(tmp_path, capsys):
    words = {key: value for key, value in DECAY.items() if key != "exact"}
    solved(tmp_path / "run", words | {"reference": "spectral"}, QUICK | {"trainer": {"max_steps": 1}})
    capsys.readouterr()
    assert evaluate([str(tmp_path / "run"), "grid=5"]) == 0
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("reference: computing by ")
    assert "claimed error" in second


def test_values_at_points_of_a_file(solution, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("places.csv").write_text("label,t\n1,0.3\n2,0.1\n3,1.5\n")
    assert evaluate([str(solution.folder), "points=places.csv", "export=netcdf"]) == 0
    found = np.genfromtxt(solution.folder / "evaluation" / "points.csv", delimiter=",", names=True)
    assert found.dtype.names == ("t", "u", "u_reference", "residual_decay")
    np.testing.assert_allclose(found["u"][:2], solution(t=[0.3, 0.1])["u"], rtol=1e-14)
    np.testing.assert_allclose(found["u_reference"][:2], np.exp([-0.3, -0.1]), rtol=1e-14)
    assert np.isnan(found["u"][2])
    assert (solution.folder / "evaluation" / "points.nc").exists()
    Path("none.csv").write_text("x,u\n1,0.3\n")
    lacks = "'none.csv' has no column t: it has x, u, and t are needed"
    for name, message in [("none.csv", lacks), ("a.csv", "there is no file 'a.csv'")]:
        capsys.readouterr()
        assert evaluate([str(solution.folder), f"points={name}"]) == 2
        assert f"points: {message}" in capsys.readouterr().err


def test_solutions_are_exported_from_python(solution, tmp_path):
    (path,) = solution.export("netcdf", folder=tmp_path / "new", points=7)
    assert path == tmp_path / "new" / "solution.nc"
    with pytest.raises(pinnkit.ProblemError, match=r"export: 'vtx': one of .* did you mean 'vtk'"):
        solution.export("vtx")
