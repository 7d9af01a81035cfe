"""A run from Python, repeated and measured by the commands; checkpoints of another format."""

import pytest
import torch
import yaml

import pinnkit
from pinnkit.cli.evaluate import evaluate
from pinnkit.cli.train import train
from pinnkit.reporting.artifacts import RunFolder
from tests.runs.small import CONF, DECAY, solved


def test_a_run_from_python_is_repeated_by_the_command_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = solved("first", words={**DECAY, "name": "decay, in ${time}"})
    again = ["--config-dir", "first", "--config-name", "config"]
    assert train([*again, "hydra.run.dir=second"], CONF) == 0
    assert RunFolder("second").read_metrics()["relative_l2"] == first.metrics["relative_l2"]
    assert train([*again], CONF) == 0
    assert len(list(tmp_path.glob("outputs/decay_in_time/*/config.yaml"))) == 1


@pytest.mark.parametrize("arguments", [["resume=run"], ["--config-dir", "run", "--config-name", "config"], []])
def test_commands_name_what_was_given_in_python(arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    solved("run", words={**DECAY, "equations": {"decay": lambda p: p.u_t + p.rate * p.u}})
    capsys.readouterr()
    assert (train(arguments, CONF) if arguments else evaluate(["run=run"])) == 2
    err = capsys.readouterr().err
    assert "pde.equations.decay: was given in Python (<lambda>), and config.yaml cannot hold it: pass problem=" in err
    assert len(err.splitlines()) == 1


def test_a_checkpoint_of_another_format_is_named_once_by_its_format(tmp_path):
    solved(tmp_path)
    run = RunFolder(tmp_path)
    content = torch.load(run.last_checkpoint, weights_only=True)
    del content["weights"]
    content["pinnkit"]["format"] = 5
    for path in (run.last_checkpoint, run.previous_checkpoint):
        torch.save(content, path)
    with pytest.raises(pinnkit.DamagedCheckpoint, match="has the format 5, and this version of pinnkit reads"):
        pinnkit.load(tmp_path)
    with pytest.raises(pinnkit.ProblemError) as error:
        solved(tmp_path, resume=True)
    assert str(error.value).count("has the format 5") == 1


def test_the_configuration_of_a_run_from_python_has_the_head_of_one_from_the_command_line(tmp_path):
    solved(tmp_path)
    config = yaml.safe_load(RunFolder(tmp_path).read_config())
    assert list(config)[:3] == ["defaults", "hydra", "pde"]
