"""Command lines that say something else than was meant, and what they are answered."""

from __future__ import annotations

from pathlib import Path

import pytest

from pinnkit.cli.check import check
from pinnkit.cli.train import train
from pinnkit.runs.configuration import repeatable
from tests.cli.test_problem_files import YAML
from tests.conftest import composed


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


@pytest.mark.parametrize("words", [["decay.yaml", "pde=heat"], ["pde=heat", "pde=wave"], ["decay.yaml", "./x.yml"]])
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
    assert train(["pde=heat", "network.wdith=10", "trainer.max_tme=5", "network.width=5"], conf) == 2
    err = capsys.readouterr().err
    assert "network.wdith: unknown key" in err
    assert "trainer.max_tme: unknown key" in err


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
