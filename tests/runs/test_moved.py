"""Run folders whose problem names files that have been moved."""

import shutil
from pathlib import Path

import pytest
import yaml

import pinnkit
from pinnkit.cli.evaluate import evaluate
from pinnkit.cli.train import train
from pinnkit.reporting.artifacts import RunFolder
from pinnkit.runs.shipped import SHIPPED, conf
from tests.runs.small import CONF, WORDS, YAML

SAMPLES = "samples: {data: rows.csv}"


@pytest.fixture
def moved(tmp_path, monkeypatch):
    """A folder with a run whose problem has been moved from `old` to `new`."""
    monkeypatch.chdir(tmp_path)
    Path("old").mkdir()
    Path("old", "decay.yaml").write_text(YAML.replace("conditions: {", f"conditions: {{{SAMPLES}, "))
    Path("old", "rows.csv").write_text("t,u\n0.5,0.6\n")
    words = [word for word in WORDS if not word.startswith("pde=")]
    assert train(["old/decay.yaml", *words, "hydra.run.dir=run"], CONF) == 0
    shutil.move("old", "new")
    return Path("run")


def test_files_that_have_been_moved_are_named(moved, capsys):
    for command in (lambda: evaluate([f"run={moved}"]), lambda: train([f"resume={moved}"], CONF)):
        capsys.readouterr()
        assert command() == 2
        err = capsys.readouterr().err
        assert "there is no file" in err
        assert "problem_folder: there is no folder" in err
    with pytest.raises(pinnkit.ProblemError, match="problem_folder=FOLDER"):
        pinnkit.load(moved)
    assert pinnkit.load(moved, problem_folder="new")(t=[0.5])["u"].shape == (1,)
    assert evaluate([f"run={moved}", "problem_folder=new"]) == 0
    assert train([f"resume={moved}", "problem_folder=new", "trainer.max_steps=12"], CONF) == 0
    again = ["--config-dir", str(moved), "--config-name", "config", "problem_folder=new", "hydra.run.dir=again"]
    assert train(again, CONF) == 0
    assert yaml.safe_load(RunFolder(Path("again")).read_config())["problem_folder"] == str(Path("new").resolve())


def test_a_new_problem_has_its_files_beside_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert train(["pde=heat", "problem_folder=x"], CONF) == 2
    assert "problem_folder: is that of the problem file" in capsys.readouterr().err


def test_shipped_files_are_found_in_the_package_that_is_installed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = [*(word for word in WORDS if not word.startswith("pde=")), "trainer.max_steps=1", "hydra.run.dir=run"]
    assert train(["pde=heat", *words], CONF) == 0
    config = RunFolder(Path("run")).config
    text = config.read_text()
    assert yaml.safe_load(text)["problem_folder"] == SHIPPED
    shipped = conf() / "pde"
    for folder, found in ((SHIPPED, shipped), ("/gone/pinnkit/conf/pde", shipped), ("/gone", Path("/gone"))):
        config.write_text(text.replace(f"problem_folder: {SHIPPED}", f"problem_folder: {folder}"))
        assert pinnkit.load("run").problem.folder == found


def test_a_solution_needs_no_table_of_its_reference(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("decay.yaml").write_text(YAML.replace("exact: {u: exp(-rate*t)}", "reference: table.csv"))
    Path("table.csv").write_text("t,u\n0,1\n0.5,0.6\n1,0.37\n")
    words = [word for word in WORDS if not word.startswith("pde=")]
    assert train(["decay.yaml", *words, "hydra.run.dir=run"], CONF) == 0
    Path("table.csv").unlink()
    assert set(pinnkit.load("run")(t=[0.5])) == {"u"}
