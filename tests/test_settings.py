from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from pinnkit.optimizers.methods.adam import Adam
from pinnkit.optimizers.methods.self_scaled import SSBroyden
from pinnkit.reading import classes
from pinnkit.settings import Settings
from tests import conftest
from tests.settings_reading import mistakes, read

CONF = Path(__file__).resolve().parents[1] / "conf"
GROUPS = {
    "callbacks", "experiment", "logger", "network", "operators", "optimizer", "pde", "sampling", "sweep", "trainer",
    "weighting",
}  # fmt: skip
"""The groups whose files are read by the tests of this module and, for pde, of tests/cli/test_check.py."""
LAUNCHERS = CONF / "hydra" / "launcher"
"""Its files are read by tests/runs/test_launchers.py."""

SEVERAL = ("phases", "stages")
UNIONS = {one.name: classes(one) for one in dataclasses.fields(Settings) if classes(one) and one.name not in SEVERAL}
"""The groups whose files name a part: group -> the classes of its parts by name."""

FILES = sorted(
    path.relative_to(CONF).with_suffix("") for path in CONF.rglob("*.yaml") if path.parent not in (CONF, LAUNCHERS)
)


def composed(*overrides: str) -> dict[str, Any]:
    """The configuration as the commands compose it, without the problem."""
    words = conftest.composed(overrides)
    return {key: value for key, value in words.items() if key not in ("pde", "problem_folder", "resume")}


# The files


def test_the_defaults_of_the_files_are_those_of_the_code():
    assert read(composed()) == Settings()


def test_the_files_write_out_every_key_of_the_code():
    """So that each can be changed on the command line without a + before it."""
    words = composed()
    for one in dataclasses.fields(Settings):
        assert one.name in words, f"{one.name} stands in no file of conf/"
        if one.name not in UNIONS and dataclasses.is_dataclass(one.default_factory):
            assert words[one.name].keys() == keys(one.default_factory)


@pytest.mark.parametrize(("group", "name"), [(group, name) for group, named in UNIONS.items() for name in named])
def test_every_part_has_a_file_with_its_name_and_its_keys(group, name):
    words, (field,) = composed(f"{group}={name}"), [one for one in dataclasses.fields(Settings) if one.name == group]
    tag = field.metadata["registry"].tag
    assert words[group][tag] == name
    assert words[group].keys() == {tag, *keys(UNIONS[group][name])}


def keys(kind: type) -> set[str]:
    return {one.name for one in dataclasses.fields(kind)}


def test_every_group_is_known_here():
    """A new group needs a test that reads its files."""
    assert {path.name for path in CONF.iterdir() if path.is_dir()} <= GROUPS | {"hydra"}
    assert {path.name for path in CONF.glob("*.yaml")} == {"train.yaml"}
    assert {path.parts[0] for path in FILES} <= GROUPS
    depths = {path.parts[0]: len(path.parts) for path in FILES}
    assert depths.pop("pde") == 3, "a problem lies in the folder of its kind"
    assert set(depths.values()) == {2}, "a file in a folder of a group is composed by no test"


@pytest.mark.parametrize("file", [path for path in FILES if path.parts[0] != "pde"], ids=str)
def test_every_file_composes_and_is_read(file):
    group, name = file.parts
    settings = read(composed(f"{'+' if group == 'sweep' else ''}{group}={name}"))
    if group in UNIONS:
        assert settings == dataclasses.replace(Settings(), **{group: UNIONS[group][name]()})


@pytest.mark.parametrize(
    ("override", "part", "expected"),
    [
        ("trainer=gpu", "trainer", {"accelerator": "gpu"}),
        ("logger=none", "logger", {"tensorboard": False}),
        ("callbacks=quiet", "callbacks", {"progress": False}),
    ],
)
def test_a_file_changes_what_it_is_named_for_and_nothing_else(override, part, expected):
    changed = dataclasses.replace(getattr(Settings(), part), **expected)
    assert read(composed(override)) == dataclasses.replace(Settings(), **{part: changed})


def test_overrides_reach_the_settings():
    settings = read(composed("network.width=40", "sampling.redraw_every=null", "seed=3", "trainer.max_time=5"))
    assert settings.network.width == 40
    assert settings.sampling.redraw_every is None
    assert settings.seed == 3
    assert (settings.trainer.max_time, type(settings.trainer.max_time)) == (5.0, float)
    assert settings.trainer.steps is None


@pytest.mark.parametrize("override", ["weighting.weights.ends=10", "weighting.weights={ends: 10}"])
def test_weights_are_given_by_the_names_of_terms(override):
    assert read(composed(override)).weighting.weights == {"ends": 10}
    assert read(composed(override, "weighting.weights.heat=2")).weighting.weights == {"ends": 10, "heat": 2}


@pytest.mark.parametrize("override", ["manufactured.u='sin(x)*t'", "manufactured={u: 'sin(x)*t'}"])
def test_manufactured_solutions_are_given_by_the_names_of_fields(override):
    assert read(composed(override)).manufactured == {"u": "sin(x)*t"}


# Phases


def test_phases_by_name_or_with_settings():
    settings = read({"phases": [{"name": "adam", "steps": 300, "learning_rate": 1}, "ssbroyden"]})
    assert settings.phases == (
        Adam(learning_rate=1.0, steps=300),
        SSBroyden(),
    )
    assert read({"optimizer": "adam"}).optimizer == Adam()


@pytest.mark.parametrize(
    ("words", "key", "message"),
    [
        ({"phases": "adam"}, "phases", "'adam' is not a list of phases: write [{name: adam, steps: 300}, ssbroyden]"),
        ({"phases": ["adam", "ssbroyden"]}, "phases[1].steps", "a phase of adam ends only by its steps"),
        (
            {"phases": ["soap", "ssbroyden"]},
            "phases[1].steps",
            "a phase of soap ends only by its steps: write {name: soap, steps: 300}",
        ),
        ({"phases": []}, "phases", "[] is not a list of phases"),
        ({"phases": ["ssbroyden", 5]}, "phases[2]", "5 is no optimizer: write adam, or {name: adam} with settings"),
        ({"phases": ["adm"]}, "phases[1].name", "unknown optimizer 'adm'; did you mean 'adam'?"),
        ({"phases": ["auto"]}, "phases[1].name", "unknown optimizer 'auto'"),
        ({"phases": [{"name": "adam", "step": 3}]}, "phases[1].step", "unknown key 'step'; did you mean 'steps'?"),
        ({"phases": [{"name": "adam", "steps": 0}]}, "phases[1].steps", "0: at least 1 is needed"),
        (
            {"optimizer": {"name": "ssbroydn"}},
            "optimizer.name",
            "unknown optimizer 'ssbroydn'; did you mean 'ssbroyden'?",
        ),
        ({"optimizer": {"steps": 5}}, "optimizer", "is no optimizer: write adam, or {name: adam}"),
        (
            {"optimizer": {"name": "auto", "steps": 5}},
            "optimizer.steps",
            "unknown key 'steps': auto has no settings of its own",
        ),
        ({"optimizer": {"name": "adam", "learning_rate": 0}}, "optimizer.learning_rate", "0: more than 0 is needed"),
        ({"optimizer": {"name": "soap", "beta1": 1}}, "optimizer.beta1", "1: less than 1 is needed"),
        ({"phases": [{"name": "adam", "steps": 1, "beta1": 1.5}]}, "phases[1].beta1", "1.5: less than 1 is needed"),
    ],
)
def test_wrong_phases_are_refused(words, key, message):
    found = mistakes(words)
    assert list(found) == [key]
    assert message in found[key]


def test_an_experiment_comes_after_the_groups_and_the_keys_of_train_yaml(tmp_path):
    quick = read(composed("experiment=quick", "network.depth=4"))
    assert (quick.network.width, quick.network.depth, quick.trainer.max_time) == (12, 4, 5.0)
    (tmp_path / "experiment").mkdir()
    own = "# @package _global_\ndefaults: [override /sampling: grid]\nseed: 5\nphases: [adam]\n"
    (tmp_path / "experiment" / "mine.yaml").write_text(own)
    words = conftest.composed(["--config-dir", str(tmp_path), "experiment=mine"])
    settings = read({key: value for key, value in words.items() if key not in ("pde", "problem_folder", "resume")})
    assert (settings.seed, settings.phases, settings.sampling.name) == (5, (Adam(),), "grid")
