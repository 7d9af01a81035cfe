"""Experiments: files that change several groups at once."""

from __future__ import annotations

import pytest
import yaml

from pinnkit.cli.check import check
from tests.conftest import ROOT, composed

EXPERIMENTS = sorted(path.stem for path in (ROOT / "conf" / "experiment").glob("*.yaml"))


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_setting_that_an_experiment_names_takes_effect(name):
    named = yaml.safe_load((ROOT / "conf" / "experiment" / f"{name}.yaml").read_text(encoding="utf-8"))
    choices = {key.removeprefix("override /"): value for one in named.pop("defaults") for key, value in one.items()}
    found, usual = composed([f"experiment={name}"]), composed([])
    assert len({*choices, *named}) > 2
    for group, choice in choices.items():
        own = named.get(group, {})
        chosen = composed([f"{group}={choice}"])[group]
        assert {key: value for key, value in found[group].items() if key not in own} == {
            key: value for key, value in chosen.items() if key not in own
        }
    for group, settings in named.items():
        for key, value in settings.items() if isinstance(settings, dict) else ():
            assert found[group][key] == value != usual[group].get(key)
        if not isinstance(settings, dict):
            assert found[group] == settings != usual[group]


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_passes_every_check(name, conf, capsys):
    text = (ROOT / "conf" / "experiment" / f"{name}.yaml").read_text(encoding="utf-8")
    problem = [] if "override /pde" in text else ["pde=burgers"]
    assert check([*problem, f"experiment={name}"], conf) == 0


def test_an_experiment_sets_keys_of_the_top_too_and_gives_way_to_the_command_line(tmp_path):
    (tmp_path / "experiment").mkdir()
    text = "# @package _global_\ndefaults: [override /optimizer: adam]\nseed: 7\nnetwork: {width: 9}\n"
    (tmp_path / "experiment" / "mine.yaml").write_text(text)
    config = composed(["--config-dir", str(tmp_path), "experiment=mine", "network.width=5"])
    assert (config["seed"], config["optimizer"]["name"], config["network"]["width"]) == (7, "adam", 5)
    assert composed(["experiment=quick", "optimizer=adam"])["optimizer"]["name"] == "adam"
