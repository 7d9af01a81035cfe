"""Settings read from mappings: every kind of wrong value, unknown keys, parts by name."""

from __future__ import annotations

import dataclasses
import typing
from typing import Any

import pytest

from pinnkit.language.errors import Report
from pinnkit.networks.settings import SMOOTHNESS
from pinnkit.optimizers.settings import Auto
from pinnkit.reading import classes, config_of
from pinnkit.reporting.exporters import EXPORTERS
from pinnkit.settings import Settings, read_settings
from tests.settings_reading import mistakes, read

UNIONS = {
    one.name: classes(one)
    for one in dataclasses.fields(Settings)
    if classes(one) and one.name not in ("phases", "stages")
}
"""The groups whose files name a part: group -> the classes of its parts by name."""


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
        ({"network": 5}, "network", "5 is no network: write mlp, or {name: mlp} with settings of its own"),
        ({"network": None}, "network", "None is no network: write mlp"),
        ({"network": {"name": "mpl"}}, "network.name", "unknown network 'mpl'; did you mean 'mlp'?"),
        ({"network": "fouriers"}, "network.name", "unknown network 'fouriers'; did you mean 'fourier'?"),
        ({"sampling": {"method": "sobl"}}, "sampling.method", "unknown sampler 'sobl'; did you mean 'sobol'?"),
        ({"sampling": {"name": "grid"}}, "sampling.name", "unknown key 'name'; did you mean 'method'?"),
        ({"sampling": {"methd": "grid"}}, "sampling.methd", "unknown key 'methd'; did you mean 'method'?"),
        ({"network": {"method": "mlp"}}, "network.method", "unknown key 'method'; did you mean 'name'?"),
        ({"weighting": {"nam": "fixed"}}, "weighting.nam", "unknown key 'nam'; did you mean 'name'?"),
        ({"sampling": {"method": 5}}, "sampling", "{'method': 5} is no sampler: write sobol, or {method: sobol}"),
        ({"weighting": {"name": "fxed"}}, "weighting.name", "unknown weighting 'fxed'; did you mean 'fixed'?"),
        ({"trainer": 5}, "trainer", "5 is not a mapping of settings"),
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
    found = mistakes(words)
    assert list(found) == [key]
    assert message in found[key]


PLAIN = [("", Settings)] + [
    (one.name, one.default_factory)
    for one in dataclasses.fields(Settings)
    if one.name not in UNIONS and dataclasses.is_dataclass(one.default_factory)
]
"""The settings dataclasses that are no part of a registry, with their paths."""
PARTS = [(group, name, kind) for group, named in UNIONS.items() for name, kind in named.items()]


def nested(path: str, words: dict[str, Any]) -> dict[str, Any]:
    for name in reversed(path.split(".") if path else []):
        words = {name: words}
    return words


@pytest.mark.parametrize(("path", "kind"), PLAIN, ids=str)
def test_an_unknown_key_is_refused_anywhere_with_the_nearest(path, kind):
    for one in dataclasses.fields(kind):
        wrong = f"{one.name}_"
        key = f"{path}.{wrong}".lstrip(".")
        assert mistakes(nested(path, {wrong: 1})) == {key: f"unknown key '{wrong}'; did you mean '{one.name}'?"}


@pytest.mark.parametrize(("group", "name", "kind"), PARTS, ids=str)
def test_an_unknown_key_of_a_part_is_refused_with_the_nearest_of_that_part(group, name, kind):
    tag = "method" if group == "sampling" else "name"
    for one in dataclasses.fields(kind):
        wrong = f"{one.name}_"
        message = f"unknown key '{wrong}'; did you mean '{one.name}'?"
        assert mistakes({group: {tag: name, wrong: 1}}) == {f"{group}.{wrong}": message}
        if group == "optimizer":
            assert mistakes({"phases": [{"name": name, wrong: 1}]}) == {f"phases[1].{wrong}": message}
            assert mistakes({"stages": [{"name": name, wrong: 1}]})[f"stages[1].{wrong}"] == message


def test_a_part_is_named_by_its_tag_or_by_a_text_and_by_default():
    assert read({"network": {"width": 7}}).network == UNIONS["network"]["mlp"](width=7)
    assert read({"network": "fourier"}).network == UNIONS["network"]["fourier"]()
    assert read({"network": {"name": "fourier", "width": 7}}).network == UNIONS["network"]["fourier"](width=7)
    assert read({"sampling": {"method": "grid", "equations": 9}}).sampling == UNIONS["sampling"]["grid"](equations=9)
    assert read({"optimizer": "auto"}).optimizer == Auto()


@pytest.mark.parametrize(("group", "name", "kind"), PARTS, ids=str)
def test_settings_are_written_as_they_are_read(group, name, kind):
    settings = dataclasses.replace(Settings(), **{group: kind()})
    assert read(config_of(settings)) == settings
    assert name in config_of(settings)[group].values()


def test_all_that_is_wrong_is_told_together():
    found = mistakes({"netwrk": {}, "network": {"width": 0, "depht": 1}, "optimizer": "adm", "seed": "x"})
    assert set(found) == {"netwrk", "network.width", "network.depht", "optimizer.name", "seed"}


def test_a_wrong_value_keeps_its_default_so_that_reading_goes_on():
    report = Report()
    assert read_settings({"network": {"width": -1, "depth": 5}}, report).network.depth == 5
    assert len(report.mistakes) == 1


KINDS = [kind for _, kind in PLAIN] + [kind for *_, kind in PARTS] + list(EXPORTERS.values())
"""Every class whose fields are settings of a configuration."""


def numbers(kind):
    """The fields of a settings dataclass that hold numbers."""
    hints = typing.get_type_hints(kind)
    return [
        one for one in dataclasses.fields(kind) if {int, float} & {hints[one.name], *typing.get_args(hints[one.name])}
    ]


def unbounded(kind):
    """The names of those of them that have no lower bound: none of the numbers here makes sense below any bound."""
    return [one.name for one in numbers(kind) if not {"minimum", "above", "choices"} & set(one.metadata)]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_no_number_is_without_a_bound(kind):
    assert unbounded(kind) == []


def test_a_number_without_a_bound_is_found():
    @dataclasses.dataclass(frozen=True)
    class Loose(Auto):
        count: int = 1
        rate: float | None = dataclasses.field(default=None, metadata={"maximum": 1})
        shares: dict[str, float] = dataclasses.field(default_factory=dict)
        step: float = dataclasses.field(default=1.0, metadata={"above": 0})
        on: bool = True

    assert unbounded(Loose) == ["count", "rate", "shares"]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_number_of_a_thousand_digits_is_refused_in_a_short_message(kind):
    for one in numbers(kind):
        (message,) = mistakes({one.name: 10**1000}, kind).values()
        assert message.startswith("1000000000")
        assert len(message) < 150


def test_settings_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().network.width = 5


def test_every_activation_has_a_smoothness():
    for activation in SMOOTHNESS:
        assert read({"network": {"activation": activation}}).network.activation == activation


@pytest.mark.parametrize(
    ("given", "read_as"), [("pdf", ("pdf",)), (["png", "svg"], ("png", "svg")), (["png", "png"], ("png",))]
)
def test_a_list_of_choices_may_be_a_single_one(given, read_as):
    settings = read({"callbacks": {"figures_format": given}})
    assert settings.callbacks.figures_format == read_as
    assert config_of(settings)["callbacks"]["figures_format"] == list(read_as)
    assert read(config_of(settings)) == settings


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("bmp", "'bmp': one of png, pdf, svg is needed"),
        (["png", "pfd"], "one of png, pdf, svg is needed; did you mean 'pdf'?"),
        (["png", 5], "a text is needed"),
        ([], "a list is needed, of png, pdf, svg"),
        (5, "a list is needed, of png, pdf, svg"),
        (None, "a value is needed"),
    ],
)
def test_a_list_with_a_wrong_choice_is_refused(given, message):
    found = mistakes({"callbacks": {"figures_format": given}})
    assert list(found) == ["callbacks.figures_format"]
    assert message in found["callbacks.figures_format"]
