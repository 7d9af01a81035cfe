"""A run goes on, and is measured, with the configuration that its checkpoints were written with."""

import itertools

import pytest
import yaml

from pinnkit.cli.evaluate import evaluate
from pinnkit.language.errors import ProblemError, Report
from pinnkit.reporting.artifacts import RunFolder
from pinnkit.runs import configuration
from pinnkit.runs.configuration import check_same
from tests.runs.small import QUICK, WORDS, command, content, solved

EDITS = [
    ("parameters: {rate: 1.0}", "rate: 1.0", "rate: 2.0", "pde.parameters.rate: is 2.0, but 1.0 in "),
    ("seed", "seed: 0", "seed: 1", "seed: is 1, but 0 in "),
    ("dtype", "dtype: float64", "dtype: float32", "dtype: is 'float32', but 'float64' in "),
    ("width", "width: 5", "width: 6", "network.width: is 6, but 5 in "),
    ("equation", "u_t = -rate*u", "u_t = -rate*u*1", "pde.equations.decay: is 'u_t = -rate*u*1', but"),
    ("removed", "seed: 0\n", "", None),
    ("steps", "max_steps: 10", "max_steps: 12", None),
]


@pytest.mark.parametrize(("name", "old", "new", "message"), EDITS, ids=[one[0] for one in EDITS])
def test_an_edited_configuration_is_compared_with_the_checkpoints(name, old, new, message, edited, capfd):
    folder, text = edited
    run = RunFolder(folder / "out")
    assert old in text
    run.config.write_text(text.replace(old, new))
    before = content(run.path)
    code = command(folder, f"resume={run.path}")
    told = capfd.readouterr().err
    if message is None:
        assert code == 0, told
        return
    assert code == 2
    assert f"{message}" in told
    free = "trainer, callbacks, checkpoint, logger, polish, reference_max_time"
    assert f"a run goes on as it began, and only {free} may" in told
    assert content(run.path) == before


@pytest.fixture(scope="module")
def edited(tmp_path_factory):
    folder = tmp_path_factory.mktemp("edited")
    assert command(folder, *WORDS, f"hydra.run.dir={folder / 'out'}") == 0
    return folder, (folder / "out" / "config.yaml").read_text()


def test_a_network_is_not_measured_by_another_problem(edited, capfd):
    folder, text = edited
    (folder / "out" / "config.yaml").write_text(text.replace("rate: 1.0", "rate: 2.0"))
    assert evaluate([f"run={folder / 'out'}"]) == 2
    assert "pde.parameters.rate: is 2.0, but 1.0 in" in capfd.readouterr().err
    (folder / "out" / "config.yaml").write_text(text)
    assert evaluate([f"run={folder / 'out'}"]) == 0


def test_a_run_that_has_no_metrics_yet_is_measured(edited, capfd):
    folder, _ = edited
    run = RunFolder(folder / "out")
    run.metrics.unlink()
    assert evaluate([f"run={run.path}"]) == 0
    assert "running: 1" in capfd.readouterr().out
    run.write_metrics({"status": "diverged", "reason": "too large a step"})
    assert evaluate([f"run={run.path}"]) == 0
    assert "diverged: 1" in capfd.readouterr().out


def test_a_run_from_python_goes_on_as_it_began(tmp_path):
    solved(tmp_path)
    with pytest.raises(ProblemError, match="seed: is 4, but 0 in"):
        solved(tmp_path, settings={**QUICK, "seed": 4}, resume=True)
    assert solved(tmp_path, settings={**QUICK, "trainer": {"max_steps": 12}}, resume=True).metrics["steps"] == 12


def test_a_configuration_of_aliases_within_aliases_is_not_followed(tmp_path, monkeypatch):
    names = "abcdefghijklmn"
    lines = ["a: &a [1, 2]", *(f"{b}: &{b} [*{a}, *{a}]" for a, b in itertools.pairwise(names))]
    bomb = "\n".join([*lines, *(f"{name}2: *n" for name in names)])
    built, load, report = [], yaml.safe_load, Report()
    monkeypatch.setattr(configuration.yaml, "safe_load", lambda text: built.append(text) or load(text))
    check_same("seed: 0", bomb, tmp_path, report)
    assert built == ["seed: 0"]
    assert report.mistakes
