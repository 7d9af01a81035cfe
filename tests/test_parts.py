"""One file and one configuration file add a part: the examples of CONTRIBUTING.md and of parts/, in runs."""

import importlib
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import yaml

from pinnkit.cli.evaluate import evaluate
from pinnkit.domains.registry import SHAPES
from pinnkit.language.errors import ProblemError
from pinnkit.losses.settings import WEIGHTINGS
from pinnkit.networks.settings import NETWORKS
from pinnkit.optimizers.settings import OPTIMIZERS
from pinnkit.registry import Registry
from pinnkit.reporting.exporters import EXPORTERS
from pinnkit.runs.network_exporters import NETWORK_EXPORTERS, formats
from pinnkit.sampling.settings import SAMPLERS
from tests.conftest import ROOT
from tests.runs.small import WORDS, command, solved

SHOWN = dict(re.findall(r"```\w+\n# (\S+)\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), flags=re.DOTALL))
"""The files that CONTRIBUTING.md shows, by their paths."""
EXAMPLES = {Path(path).name: text for path, text in SHOWN.items()}
EXAMPLES |= {path.name: path.read_text() for path in (ROOT / "tests" / "parts").iterdir() if path.is_file()}
KINDS = {
    "network": (NETWORKS, "residual"),
    "sampling": (SAMPLERS, "halton"),
    "weighting": (WEIGHTINGS, "inverse_loss"),
    "optimizer": (OPTIMIZERS, "amsgrad"),
    "export": (EXPORTERS, "json"),
    "shape": (SHAPES, "interval"),
}
OPTIONS = {"weighting": ["weighting.every=2", "trainer.steps_per_batch=1"]}
"""What is set besides, so that ten steps show the effect."""
REGISTRIES = [*(registry for registry, _ in KINDS.values()), NETWORK_EXPORTERS]


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    """The folder of a run with the default parts."""
    folder = tmp_path_factory.mktemp("usual")
    assert command(folder, *WORDS, f"hydra.run.dir={folder / 'run'}") == 0
    return folder / "run"


@pytest.fixture
def add(tmp_path, monkeypatch):
    """Write the files of a part into temporary folders, and let its registry find it; gives the files."""
    modules = []

    def written(kind):
        registry, name = KINDS[kind]
        package = importlib.import_module(registry.package)
        monkeypatch.setattr(registry, "_parts", dict(registry))
        files = [file for file in EXAMPLES if Path(file).stem == name]
        for file in files:
            place = tmp_path / "parts" / file if file.endswith(".py") else tmp_path / kind / file
            place.parent.mkdir(exist_ok=True)
            place.write_text(EXAMPLES[file])
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path / "parts")])
        registry.discover()
        modules.append(f"{registry.package}.{name}")
        return files

    yield written
    for module in modules:
        sys.modules.pop(module, None)


@pytest.mark.parametrize("kind", ["network", "sampling", "weighting", "optimizer"])
def test_one_file_and_one_configuration_file_add_a_part(kind, add, usual, tmp_path):
    registry, name = KINDS[kind]
    assert name not in registry
    files = add(kind)
    assert sorted(Path(file).suffix for file in files) == [".py", ".yaml"]
    assert command(tmp_path, *WORDS, *OPTIONS.get(kind, []), f"{kind}={name}", f"hydra.run.dir={tmp_path / 'run'}") == 0
    assert yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())[kind][registry.tag] == name
    assert loss(tmp_path / "run") != loss(usual)


def loss(run):
    return json.loads((run / "metrics.json").read_text())["loss"]


def test_one_file_adds_an_exporter(add, usual):
    assert add("export") == ["json.py"]
    assert evaluate([f"run={usual}", "grid=5", "export=json"]) == 0
    table = json.loads((usual / "evaluation" / "solution.json").read_text())
    np.testing.assert_array_equal(table["t"], [0, 0.25, 0.5, 0.75, 1])
    assert len(table["u"]) == 5


def test_one_file_adds_a_shape(add, tmp_path):
    words = {
        "coordinates": {"x": [0, 3]},
        "shapes": {"rod": {"interval": {"middle": 1.5, "length": "2*half"}}},
        "domain": "rod",
        "fields": ["u"],
        "parameters": {"half": 0.5},
        "equations": "u_xx = 2",
        "conditions": {"ends": {"at": "rod", "equations": "u_n = 2*(x - 1.5)*n_x"}},
        "exact": {"u": "(x - 1.5)^2"},
    }
    with pytest.raises(ProblemError, match=r"shapes\.rod: unknown shape 'interval'; write box"):
        solved(tmp_path, words)
    assert add("shape") == ["interval.py"]
    solution = solved(tmp_path, words)
    with np.load(solution.folder / "solution.npz") as saved:
        assert (saved["x"].min(), saved["x"].max()) == (1.0, 2.0)


def test_an_unknown_name_is_answered_with_the_nearest_part(add, tmp_path, capsys):
    add("network")
    assert command(tmp_path, *WORDS, "network.name=residua") == 2
    assert "network.name: unknown network 'residua'; did you mean 'residual'?" in capsys.readouterr().err
    assert command(tmp_path, "pde=decay", "network=residual", "+network.stepp=2") == 2
    assert "network.stepp: unknown key 'stepp'; did you mean 'step'?" in capsys.readouterr().err
    assert evaluate(["run=somewhere", "export=cvs"]) == 2
    assert f"export: 'cvs': one of {', '.join(formats())} is needed; did you mean 'csv'?" in capsys.readouterr().err


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda registry: registry.kind)
def test_every_part_is_documented_and_knows_its_name(registry):
    assert len(registry) > 0
    for name, part in registry.items():
        assert part.name == name
        assert is_documented(part)
        assert is_frozen(part)


def is_documented(part):
    """Whether the class has a docstring of its own: a dataclass without one is given its signature."""
    return part.__doc__ is not None and not part.__doc__.startswith(f"{part.__name__}(")


def is_frozen(part):
    """Whether the class is a frozen dataclass itself, not its base alone: without, its own fields are no settings."""
    return "__dataclass_params__" in vars(part) and part.__dataclass_params__.frozen


def test_a_part_without_docstring_or_decorator_is_found():
    @dataclass(frozen=True)
    class Silent(NETWORKS["mlp"]):
        step: float = 1.0

    class Plain(NETWORKS["mlp"]):
        """Not a dataclass of its own."""

        step: float = 1.0

    assert (is_documented(Silent), is_frozen(Silent)) == (False, True)
    assert (is_documented(Plain), is_frozen(Plain)) == (True, False)


def test_two_parts_of_one_name_and_two_names_of_one_part_are_refused():
    registry = Registry("thing", "pinnkit.networks.architectures")

    @registry.register("one")
    class One:
        pass

    with pytest.raises(ValueError, match="two things are called 'one'"):
        registry.register("one")(type("Other", (), {}))
    with pytest.raises(ValueError, match="is called 'one' and 'two': register a class of its own for each"):
        registry.register("two")(One)


def test_contributing_shows_where_the_files_lie():
    assert list(SHOWN) == ["pinnkit/networks/architectures/residual.py", "conf/network/residual.yaml"]
    text = (ROOT / "CONTRIBUTING.md").read_text()
    for kind, (registry, name) in KINDS.items():
        assert f"`{registry.package.replace('.', '/')}/`" in text
        assert kind in ("export", "shape") or f"`conf/{kind}/`" in text
        assert f"`{name}`" in text or kind == "network"
