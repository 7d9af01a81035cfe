"""The path of a problem file in the place of a problem's name."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from pinnkit.cli.arguments import parse
from pinnkit.cli.check import check
from pinnkit.cli.sweep import sweep
from pinnkit.cli.train import train
from pinnkit.language.errors import ProblemError
from tests.conftest import ROOT, composed

YAML = """\
coordinates: {t: [0, 1]}
fields: [u]
equations: {decay: u_t = -u}
conditions: {start: {at: t = 0, equations: u = 1}}
exact: {u: exp(-t)}
"""
QUICK = [
    "network.width=5", "network.depth=1", "sampling.equations=20", "operators=autograd", "optimizer=ssbroyden",
    "trainer.max_steps=3", "callbacks=quiet", "callbacks.figures=false", "logger=none",
]  # fmt: skip
SAMPLES = YAML.replace("exact: {u: exp(-t)}", "").replace("conditions: {", "conditions: {seen: {data: rows.csv}, ")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    """A folder to work in, with a problem and its data below it."""
    monkeypatch.chdir(tmp_path)
    below = tmp_path / "below"
    below.mkdir()
    (below / "decay.yaml").write_text(YAML)
    (below / "samples.yaml").write_text(SAMPLES)
    (below / "rows.csv").write_text("t,u\n0.5,0.6\n")
    return below


@pytest.mark.parametrize("argument", ["below/decay.yaml", "pde=below/decay.yaml", "./below/decay.yaml"])
def test_a_path_chooses_the_problem(argument, folder):
    config = composed([argument])
    assert config["pde"] == {**yaml.safe_load(YAML), "name": "decay"}
    assert config["problem_folder"] == str(folder)


def test_overrides_reach_the_problem_and_a_folder_of_configuration_stays_in_use(folder):
    (folder / "network").mkdir()
    (folder / "network" / "tiny.yaml").write_text("defaults: [mlp, _self_]\nwidth: 4\n")
    words = ["--config-dir", str(folder), "below/decay.yaml", "network=tiny", "+pde.description=short"]
    config = composed(words)
    assert (config["network"]["width"], config["pde"]["description"], config["pde"]["fields"]) == (4, "short", ["u"])


def test_a_path_wins_over_a_shipped_problem_of_its_name_and_a_name_over_nothing(folder):
    (folder / "heat.yaml").write_text(YAML)
    assert composed(["pde=below/heat.yaml"])["pde"]["fields"] == ["u"]
    assert "description" not in composed(["pde=below/heat.yaml"])["pde"]
    assert composed(["pde=heat.yaml"])["pde"]["description"] == composed(["pde=heat"])["pde"]["description"]


ODD = [
    "my problem", "it's", 'say "u"', "Wärme", "a=b", "a,b", "a$b", "${pde}", "{a}", "[a]", "null", "1e3", "-x", "a.b",
    "a:b", "~", "#a", "a@b",
]  # fmt: skip


@pytest.mark.parametrize("stem", ODD)
def test_any_name_of_a_file_works(stem, folder):
    (folder / f"{stem}.yaml").write_text(YAML)
    path = f"below/{stem}.yaml"
    for argument in (path, f"pde={path}"):
        arguments = parse([argument])
        assert [*arguments.files.values()] == [folder / f"{stem}.yaml"]
        config = composed([argument])
        assert config["pde"]["equations"] == {"decay": "u_t = -u"}
        assert config["problem_folder"] == str(folder)
        assert "/" not in config["pde"]["name"]
        assert composed(arguments.restart_arguments())["pde"] == config["pde"]  # as another process of the run is told


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("below/decya.yaml", "pde: there is no file 'below/decya.yaml'; did you mean 'decay.yaml'?"),
        ("pde=below/none.yml", "pde: there is no file 'below/none.yml'"),
        ("pde=none.yaml", "pde: there is no file 'none.yaml', nor a problem of that name"),
        ("below", "pde: 'below' is a folder: name a problem file in it, such as below/my_problem.yaml"),
        ("pde=below/", "pde: 'below/' is a folder"),
        ("below/rows.csv", "command line: 'below/rows.csv': the name of a problem file ends in .yaml"),
        ("below/rows", "command line: 'below/rows': write KEY=VALUE"),
        ("below/decay", "command line: 'below/decay': the file is called 'below/decay.yaml'; write the whole name"),
        ("heat", "command line: 'heat': write KEY=VALUE, such as pde=heat, or the path of a problem file (.yaml)"),
        ("x" * 5000 + ".yaml", "pde: there is no file 'xxx"),
        ("below/bad.yaml", "bad.yaml: is no mapping"),
        ("below/evil.yaml", "exact._target_: a key such as '_target_' names code to run"),
        ("below/others.yaml", "others.yaml: has a key 'defaults'"),
        ("below/package.yaml", "package.yaml: has a line '# @package'"),
        ("below/twice.yaml", "twice.yaml: is not YAML: while constructing a mapping"),
        ("below/wrong.yaml", "equations.decay: unknown name 'v'"),
    ],
)
def test_what_is_no_problem_is_refused_in_words(argument, message, folder, conf, capsys, nothing_starts):
    (folder / "bad.yaml").write_text("[1]\n")
    (folder / "evil.yaml").write_text(YAML.replace("exact: {", "exact: {_target_: os.system, "))
    (folder / "others.yaml").write_text(f"{YAML}defaults: [/pde/heat]\n")
    (folder / "package.yaml").write_text(f"# @package _global_\n{YAML}")
    (folder / "twice.yaml").write_text(f"{YAML}fields: [v]\n")
    (folder / "wrong.yaml").write_text(YAML.replace("-u}", "-v}"))
    for command in (train, check):
        assert command([argument], conf) == 2
        err = capsys.readouterr().err
        assert f"pinnkit: {message}" in err or message in err.splitlines()[0]
        assert "Traceback" not in err


def test_data_files_are_found_beside_the_problem_file(conf, capsys):
    assert check(["below/samples.yaml"], conf) == 0
    assert "at the 1 rows of rows.csv" in capsys.readouterr().out


def test_two_files_of_one_name_are_two_problems(folder):
    (folder / "more").mkdir()
    (folder / "more" / "decay.yaml").write_text(YAML)
    arguments = parse(["-m", "pde=below/decay.yaml,below/more/decay.yaml,heat"])
    assert arguments.overrides == ("pde=decay,decay_2,heat",)
    assert [*arguments.files.values()] == [folder / "decay.yaml", folder / "more" / "decay.yaml"]
    assert parse(["pde=choice('below/decay.yaml',heat)"]).overrides == ("pde=choice(decay,heat)",)


def test_a_run_is_named_after_the_file_and_goes_on(folder, conf):
    assert train(["below/decay.yaml", *QUICK], conf) == 0
    (run,) = Path("outputs", "decay").iterdir()
    kept = yaml.safe_load((run / "config.yaml").read_text())
    assert (kept["pde"]["name"], kept["problem_folder"]) == ("decay", str(folder))
    assert train([f"resume={run}", "trainer.max_steps=5"], conf) == 0
    assert train([f"resume={run}", "below/decay.yaml", "trainer.max_steps=6"], conf) == 0
    assert train([f"resume={run}", "below/samples.yaml"], conf) == 2


def test_a_sweep_takes_paths(folder, conf):
    words = ["-m", "pde=below/decay.yaml,below/samples.yaml", *QUICK, "hydra.sweep.dir=sweep"]
    assert train(words, conf) == 0
    names = [yaml.safe_load(Path("sweep", number, "config.yaml").read_text())["pde"]["name"] for number in "01"]
    assert names == ["decay", "samples"]


def test_several_processes_find_the_file_from_a_folder_with_modules_of_the_user(tmp_path):
    """What lies in the working folder is not imported in the place of what pinnkit imports."""
    (tmp_path / "yaml.py").write_text("raise ImportError('the module of the user')")
    words = ["below/decay.yaml", *QUICK, "trainer=ddp_cpu", "hydra.run.dir=run"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    line = [sys.executable, str(ROOT / "scripts" / "train.py"), *words]
    done = subprocess.run(line, capture_output=True, text=True, timeout=240, env=environment)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "checkpoints" / "last.ckpt").is_file()


def test_the_search_of_settings_takes_a_path(conf, monkeypatch):
    started = []
    monkeypatch.setattr("pinnkit.cli.sweep._search", lambda study, request, train: started.append(study))
    assert sweep(["sweep.folder=s", "below/decay.yaml", "network.width=5,6"], conf) == 3
    assert len(started) == 1
    with pytest.raises(ProblemError):
        composed(["below/none.yaml"])
