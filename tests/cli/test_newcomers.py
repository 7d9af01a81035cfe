"""Command lines that say something else than was meant, and what they are answered."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from pinnkit.cli import main
from pinnkit.cli.check import check
from pinnkit.cli.compare import compare
from pinnkit.cli.evaluate import evaluate
from pinnkit.cli.train import train
from pinnkit.runs.configuration import repeatable
from pinnkit.runs.validation import read_and_check
from tests.cli.test_problem_files import YAML
from tests.conftest import composed

DISK = """\
coordinates: {x: [-1, 1], y: [-1, 1]}
fields: [u]
shapes: {a: {disk: {center: [0, 0], radius: 1}}}
domain: a
equations: {poisson: laplacian(u) = -4}
conditions: {edge: {at: boundary, equations: u = 0}}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("decay.yaml", "x.yml"):
        (tmp_path / name).write_text(YAML)
    return tmp_path


@pytest.fixture
def saved(folder, conf) -> list[str]:
    """Arguments that repeat a run, of which config.yaml alone is there."""
    config = composed(["decay.yaml", "optimizer=ssbroyden", "optimizer.max_parameters=900"])
    (folder / "run").mkdir()
    (folder / "run" / "config.yaml").write_text(repeatable(config, "decay"))
    return ["--config-dir", "run", "--config-name", "config"]


@pytest.mark.parametrize("words", [["decay.yaml", "pde=heat"], ["pde=heat", "decay.yaml"], ["decay.yaml", "./x.yml"]])
def test_two_problems_are_refused(words, conf, capsys, nothing_starts):
    for command in (train, check):
        assert command(words, conf) == 2
        assert f"names 2 problems, {' and '.join(words)}: write one" in capsys.readouterr().err


def test_the_folder_of_a_run_is_no_folder_of_configuration_files(saved, conf, capsys, nothing_starts):
    assert train(["--config-dir", "run"], conf) == 2
    err = capsys.readouterr().err
    assert "'run' is the folder of a run: add --config-name config, or write resume=run" in err
    Path("run", "pde").mkdir()
    assert check(["--config-dir", "run"], conf) == 0


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("netwrok.width=10", "netwrok: unknown key 'netwrok'; did you mean 'network'?"),
        ("weighting.weigths.ends=10", "weighting.weigths: unknown key 'weigths'; did you mean 'weights'?"),
        ("network.wdith=10", "network.wdith: unknown key 'wdith'; did you mean 'width'?"),
    ],
)
def test_a_misspelt_group_is_named(override, message, conf, capsys, nothing_starts):
    assert train(["pde=heat", override], conf) == 2
    assert message in capsys.readouterr().err


def test_all_wrong_overrides_are_named_together(conf, capsys, nothing_starts):
    assert train(["pde=heat", "network.wdith=10", "trainer.max_tme=5", "hydra.job.chdir=true"], conf) == 2
    err = capsys.readouterr().err
    assert "network.wdith: unknown key" in err
    assert "trainer.max_tme: unknown key" in err
    assert "hydra.job.chdir: true" in err


def test_files_are_chosen_in_the_place_of_what_a_run_has_used(saved, conf):
    for words in (["optimizer=adam", "optimizer.learning_rate=0.5"], ["optimizer.learning_rate=0.5", "optimizer=adam"]):
        config = composed([*saved, *words, "operators=jets", "sampling=sobol", "seed=3"])
        assert config["optimizer"]["name"] == "adam"
        assert config["optimizer"]["learning_rate"] == 0.5
        assert "max_parameters" not in config["optimizer"]
        assert (config["operators"]["engine"], config["sampling"]["method"], config["seed"]) == ("jets", "sobol", 3)
        assert config["pde"]["name"] == "decay"


def test_the_problem_of_a_run_is_no_choice(saved, conf, capsys, nothing_starts):
    assert train([*saved, "pde=heat"], conf) == 2
    err = capsys.readouterr().err
    assert "pde: the configuration chooses no file of conf/pde: leave pde= out, or set its keys" in err
    assert "+pde" not in err


def test_a_place_that_is_none_is_told_with_those_there_are(conf, capsys):
    Path("disk.yaml").write_text(DISK.replace("at: boundary", "at: rim"))
    assert check(["disk.yaml"], conf) == 2
    assert "conditions.edge.at: there is no place 'rim'; valid are boundary, a" in capsys.readouterr().err


def test_a_line_that_only_touches_a_disk_is_warned_of(caplog):
    for place, warned in (("x = 1", 1), ("boundary", 0), ("x = 0", 0), ("{x: 1, y: 0}", 0)):
        caplog.clear()
        text = DISK.replace("at: boundary", f"at: {place}")
        read_and_check({"pde": yaml.safe_load(text)})
        touches = "conditions.edge.at: 'x = 1' touches the domain in a single point: its rim is at: boundary"
        assert caplog.text.count(touches) == warned


def test_a_pipe_is_not_proposed_in_its_own_place(conf, capsys):
    os.mkfifo("pipe.yaml")
    assert check(["pipe.yaml"], conf) == 2
    err = capsys.readouterr().err
    assert "'pipe.yaml' is no regular file" in err
    assert "did you mean" not in err


def test_evaluate_says_how_a_folder_is_named(folder, capsys):
    (folder / "out").mkdir()
    assert evaluate(["out"]) == 2
    assert "run: out: there is no config.yaml in it; expected a run folder" in capsys.readouterr().err
    assert evaluate(["out", "run=other"]) == 2
    assert "run: is given twice, 'out' and 'other'" in capsys.readouterr().err
    assert evaluate(["grid=5"]) == 2
    assert "run: is missing: write outputs/heat/..., the folder of a run" in capsys.readouterr().err


def test_every_command_answers_for_the_version_and_help_is_a_command(capsys):
    for argv in (["train", "--version"], ["evaluate", "--version"], ["--version"]):
        assert main.pinnkit(argv) == 0
        assert capsys.readouterr().out.startswith("pinnkit ")
    assert main.pinnkit(["help"]) == 0
    assert "usage: pinnkit COMMAND" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("radius: 1", "radius: 9", "domain: the shape 'a' reaches from x = -9 to 9"),
        ("equations: u = 0", "equations: n_z*u = 0", "unknown name 'n_z'; did you mean 'n_"),
        ("equations: u = 0", "equations: n_theta*u = 0", "unknown name 'n_theta'; valid are n_x, n_y,"),
    ],
)
def test_one_mistake_makes_one_message(old, new, message, conf, capsys):
    Path("disk.yaml").write_text(DISK.replace(old, new))
    assert check(["disk.yaml"], conf) == 2
    err = capsys.readouterr().err
    assert message in err
    assert "used nowhere" not in err


def test_messages_of_choices_folders_and_problems_are_short(saved, conf, capsys):
    assert evaluate(["run=run", "export=xls"]) == 2
    assert capsys.readouterr().err.count("csv") == 1
    (Path("run") / "metrics.json").write_text('{"status": "finished", "relative_l2": {"u": 0.1}}')
    assert compare(["run", "out=/proc/x"]) == 1
    assert "out=/proc/x: cannot be written: " in capsys.readouterr().err
    (Path("run") / "checkpoints").mkdir()
    (Path("run") / "checkpoints" / "last.ckpt").touch()
    assert train(["pde=heat", "resume=run"], conf) == 2
    assert "pde: is 'decay' in the run that goes on" in capsys.readouterr().err
