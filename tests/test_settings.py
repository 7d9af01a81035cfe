from __future__ import annotations

import dataclasses
import typing
from pathlib import Path
from typing import Any

import pytest

from pinnkit.language.errors import Report
from pinnkit.networks.settings import SMOOTHNESS
from pinnkit.optimizers.settings import OPTIMIZERS, Adam, SelfScaled
from pinnkit.sampling.settings import METHODS
from pinnkit.settings import PhaseSettings, Settings, read_as, read_settings
from tests import conftest

CONF = Path(__file__).resolve().parents[1] / "conf"
GROUPS = {
    "callbacks", "experiment", "logger", "network", "operators", "optimizer", "pde", "sampling", "sweep", "trainer",
    "weighting",
}  # fmt: skip
"""The groups whose files are read by the tests of this module and, for pde, of tests/cli/test_check.py."""
LAUNCHERS = CONF / "hydra" / "launcher"
"""Its files are read by tests/runs/test_launchers.py."""

FILES = sorted(
    path.relative_to(CONF).with_suffix("") for path in CONF.rglob("*.yaml") if path.parent not in (CONF, LAUNCHERS)
)


def composed(*overrides: str) -> dict[str, Any]:
    """The configuration as the commands compose it, without the problem."""
    config = conftest.composed(overrides)
    return {key: value for key, value in config.items() if key not in ("pde", "problem_folder", "resume")}


def read(words: dict[str, Any]) -> Settings:
    report = Report()
    settings = read_settings(words, report)
    assert [str(mistake) for mistake in report.mistakes] == []
    return settings


def told(words: Any, kind: type = Settings) -> dict[str, str]:
    report = Report()
    read_as(kind, words, report)
    assert len({mistake.key for mistake in report.mistakes}) == len(report.mistakes)
    return {mistake.key: mistake.message for mistake in report.mistakes}


# The files


def test_the_defaults_of_the_files_are_those_of_the_code():
    assert read(composed()) == Settings()


def test_the_files_write_out_every_key_of_the_code():
    """So that each can be changed on the command line without a + before it."""

    def keys(words: dict[str, Any], kind: type) -> None:
        for part in dataclasses.fields(kind):
            assert part.name in words, f"{kind.__name__}.{part.name} stands in no file of conf/"
            default = part.default_factory() if part.default_factory is not dataclasses.MISSING else part.default
            if dataclasses.is_dataclass(default) and not isinstance(default, PhaseSettings):
                keys(words[part.name], type(default))

    keys(composed(), Settings)
    for name, kind in OPTIMIZERS.items():
        assert composed(f"optimizer={name}")["optimizer"].keys() == {
            "name",
            *(f.name for f in dataclasses.fields(kind)),
        }


def test_every_group_is_known_here():
    """A new group needs a test that reads its files."""
    assert {path.name for path in CONF.iterdir() if path.is_dir()} <= GROUPS | {"hydra"}
    assert {path.name for path in CONF.glob("*.yaml")} == {"train.yaml"}
    assert {path.parts[0] for path in FILES} <= GROUPS
    assert all(len(path.parts) == 2 for path in FILES), "a file in a folder of a group is composed by no test"


@pytest.mark.parametrize("file", [path for path in FILES if path.parts[0] != "pde"], ids=str)
def test_every_file_composes_and_is_read(file):
    group, name = file.parts
    settings = read(composed(f"{'+' if group == 'sweep' else ''}{group}={name}"))
    if group == "optimizer":
        assert settings.optimizer.name == name
        assert settings.optimizer == PhaseSettings(name, OPTIMIZERS[name]() if name != "auto" else None)
    if group == "sampling":
        assert settings == dataclasses.replace(
            Settings(), sampling=dataclasses.replace(Settings().sampling, method=name)
        )


@pytest.mark.parametrize(
    ("override", "part", "expected"),
    [
        ("network=fourier", "network", {"fourier_features": 32}),
        ("trainer=gpu", "trainer", {"accelerator": "gpu"}),
        ("logger=none", "logger", {"tensorboard": False}),
        ("callbacks=quiet", "callbacks", {"progress": False}),
    ],
)
def test_a_file_changes_what_it_is_named_for_and_nothing_else(override, part, expected):
    changed = dataclasses.replace(getattr(Settings(), part), **expected)
    assert read(composed(override)) == dataclasses.replace(Settings(), **{part: changed})


def test_every_optimizer_and_sampling_method_has_a_file():
    assert {path.name for path in FILES if path.parts[0] == "optimizer"} == {"auto", *OPTIMIZERS}
    assert {path.name for path in FILES if path.parts[0] == "sampling"} == set(METHODS)


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
        PhaseSettings("adam", Adam(learning_rate=1.0, steps=300)),
        PhaseSettings("ssbroyden", SelfScaled()),
    )
    assert read({"optimizer": "adam"}).optimizer == PhaseSettings("adam", Adam())


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
        ({"phases": ["ssbroyden", 5]}, "phases[2]", "5 is no optimizer: write adam, or {name: adam, steps: 300}"),
        ({"phases": ["adm"]}, "phases[1].name", "unknown optimizer 'adm'; did you mean 'adam'?"),
        ({"phases": ["auto"]}, "phases[1].name", "unknown optimizer 'auto'"),
        ({"phases": [{"name": "adam", "step": 3}]}, "phases[1].step", "unknown key 'step'; did you mean 'steps'?"),
        ({"phases": [{"name": "adam", "steps": 0}]}, "phases[1].steps", "0: at least 1 is needed"),
        (
            {"optimizer": {"name": "ssbroydn"}},
            "optimizer.name",
            "unknown optimizer 'ssbroydn'; did you mean 'ssbroyden'?",
        ),
        ({"optimizer": {"steps": 5}}, "optimizer", "is no optimizer: write adam"),
        ({"optimizer": {"name": "auto", "steps": 5}}, "optimizer.steps", "auto has no settings: it chooses them"),
        ({"optimizer": {"name": "adam", "learning_rate": 0}}, "optimizer.learning_rate", "0: more than 0 is needed"),
        ({"optimizer": {"name": "soap", "beta1": 1}}, "optimizer.beta1", "1: less than 1 is needed"),
        ({"phases": [{"name": "adam", "steps": 1, "beta1": 1.5}]}, "phases[1].beta1", "1.5: less than 1 is needed"),
    ],
)
def test_wrong_phases_are_refused(words, key, message):
    found = told(words)
    assert list(found) == [key]
    assert message in found[key]


# Every kind of wrong value


@pytest.mark.parametrize(
    ("words", "key", "message"),
    [
        ({"network": {"width": "wide"}}, "network.width", "'wide': a whole number is needed"),
        ({"network": {"width": 2.5}}, "network.width", "2.5: a whole number is needed"),
        ({"network": {"width": True}}, "network.width", "True: a whole number is needed"),
        ({"network": {"depth": None}}, "network.depth", "None: a value is needed"),
        ({"network": {"width": -3}}, "network.width", "-3: at least 1 is needed"),
        ({"network": {"separate": 1}}, "network.separate", "1: true or false is needed"),
        ({"network": {"activation": "tahn"}}, "network.activation", "is needed; did you mean 'tanh'?"),
        ({"network": {"activation": 5}}, "network.activation", "5: a text is needed"),
        ({"network": {"fourier_scale": 0}}, "network.fourier_scale", "0: more than 0.0 is needed"),
        ({"network": {"fourier_scale": float("nan")}}, "network.fourier_scale", "nan: a finite number is needed"),
        ({"network": {"fourier_scale": "1"}}, "network.fourier_scale", "'1': a number is needed"),
        ({"network": 5}, "network", "5 is not a mapping of settings"),
        ({"network": None}, "network", "None is not a mapping of settings"),
        ({"sampling": {"method": "sobl"}}, "sampling.method", "'sobl': one of sobol, uniform, latin_hypercube, grid"),
        ({"sampling": {"pool": 1}}, "sampling.pool", "1: at least 2 is needed"),
        ({"sampling": {"residual_power": -0.5}}, "sampling.residual_power", "-0.5: at least 0.0 is needed"),
        ({"sampling": {"residual_keep": 1.0}}, "sampling.residual_keep", "1.0: less than 1.0 is needed"),
        ({"trainer": {"shards": 3}}, "trainer.shards", "3: one of 1, 2, 4, 8, 16, 32, 64 is needed"),
        ({"trainer": {"max_time": float("inf")}}, "trainer.max_time", "inf: a finite number is needed"),
        ({"trainer": {"accelerator": "gpus"}}, "trainer.accelerator", "did you mean 'gpu'?"),
        ({"weighting": {"weights": 5}}, "weighting.weights", "5: a mapping is needed"),
        ({"weighting": {"weights": {"a": -1, "b": 2}}}, "weighting.weights", "a: at least 0.0 is needed"),
        ({"weighting": {"weights": {"a": "x"}}}, "weighting.weights", "a: a number is needed"),
        ({"manufactured": {"u": 5}}, "manufactured", "u: a text is needed"),
        ({"reference": 5}, "reference", "5: a text is needed"),
        ({"dtype": "float16"}, "dtype", "'float16': one of float64, float32 is needed"),
        ({"seed": -1}, "seed", "-1: at least 0 is needed"),
        ({"operators": {"engine": "autogrid"}}, "operators.engine", "did you mean 'autograd'?"),
        ({"checkpoint": {"every_steps": 0}}, "checkpoint.every_steps", "0: at least 1 is needed"),
        ({"logger": {"tensorboard": "yes"}}, "logger.tensorboard", "'yes': true or false is needed"),
    ],
)
def test_a_wrong_value_is_told_with_its_key_and_rule(words, key, message):
    found = told(words)
    assert list(found) == [key]
    assert message in found[key]


def parts(kind: type, path: str = "") -> list[tuple[str, type]]:
    """Every settings dataclass that a mapping can name, with its path."""
    found = [(path, kind)]
    for one in dataclasses.fields(kind):
        default = one.default_factory() if one.default_factory is not dataclasses.MISSING else one.default
        if dataclasses.is_dataclass(default) and not isinstance(default, PhaseSettings):
            found += parts(type(default), f"{path}.{one.name}".lstrip("."))
    return found


def nested(path: str, words: dict[str, Any]) -> dict[str, Any]:
    for name in reversed(path.split(".") if path else []):
        words = {name: words}
    return words


@pytest.mark.parametrize(("path", "kind"), parts(Settings), ids=str)
def test_an_unknown_key_is_refused_anywhere_with_the_nearest(path, kind):
    for one in dataclasses.fields(kind):
        wrong = f"{one.name}_"
        key = f"{path}.{wrong}".lstrip(".")
        assert told(nested(path, {wrong: 1})) == {key: f"unknown key '{wrong}'; did you mean '{one.name}'?"}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_unknown_key_of_an_optimizer_is_refused_with_the_nearest(name):
    for one in dataclasses.fields(OPTIMIZERS[name]):
        wrong = f"{one.name}_"
        for words, key in (
            ({"optimizer": {"name": name, wrong: 1}}, "optimizer"),
            ({"phases": [{"name": name, wrong: 1}]}, "phases[1]"),
        ):
            assert told(words) == {f"{key}.{wrong}": f"unknown key '{wrong}'; did you mean '{one.name}'?"}


def test_all_that_is_wrong_is_told_together():
    found = told({"netwrk": {}, "network": {"width": 0, "depht": 1}, "optimizer": "adm", "seed": "x"})
    assert set(found) == {"netwrk", "network.width", "network.depht", "optimizer.name", "seed"}


def test_a_wrong_value_keeps_its_default_so_that_reading_goes_on():
    report = Report()
    assert read_settings({"network": {"width": -1, "depth": 5}}, report).network.depth == 5
    assert len(report.mistakes) == 1


@pytest.mark.parametrize("kind", [Settings, *{id(kind): kind for kind in OPTIMIZERS.values()}.values()])
def test_no_whole_number_is_without_a_bound(kind):
    """A number of a thousand digits is answered, wherever it stands, and not handed on."""

    def leaves(kind: type, path: str = ""):
        hints = typing.get_type_hints(kind)
        for one in dataclasses.fields(kind):
            if dataclasses.is_dataclass(hints[one.name]) and hints[one.name] is not PhaseSettings:
                yield from leaves(hints[one.name], f"{path}{one.name}.")
            elif {int, float} & {hints[one.name], *typing.get_args(hints[one.name])}:
                yield f"{path}{one.name}"

    paths = list(leaves(kind))
    assert paths
    for path in paths:
        words: Any = 10**1000
        for part in reversed(path.split(".")):
            words = {part: words}
        (message,) = told(words, kind).values()
        assert message.startswith("1000000000")
        assert len(message) < 150


def test_settings_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().network.width = 5


def test_every_activation_has_a_smoothness():
    for activation in SMOOTHNESS:
        assert read({"network": {"activation": activation}}).network.activation == activation
