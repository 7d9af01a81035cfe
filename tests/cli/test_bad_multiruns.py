"""Several mistakes, multiruns, and problem files of one's own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pinnkit.cli import checks
from pinnkit.cli.check import check
from pinnkit.cli.compare import compare
from pinnkit.cli.train import train
from pinnkit.reporting.compare import Comparison
from tests.cli.bad_inputs import CASES, HEAT, heat, with_samples


@pytest.fixture(autouse=True)
def _no_run(nothing_starts, monkeypatch, tmp_path):
    """A mistake that slips through fails the test; it does not train."""
    monkeypatch.chdir(tmp_path)


def test_several_mistakes_are_told_once_each_in_the_order_of_the_file(write, conf, capsys):
    text, words, expected = CASES["several mistakes"]
    train([*write(text), *words], conf)
    err = capsys.readouterr().err
    places = [err.index(part) for part in expected]
    assert places == sorted(places)
    keys = re.findall(r"^(?:pinnkit: )?([a-z.]+): ", err, re.MULTILINE)
    assert len(keys) == len(set(keys)) == len(expected)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["network.width=10,20,-3"], "network.width: -3: at least 1 is needed"),
        (["network.width=10,20", "seed=0,1,x"], "seed: 'x': a whole number is needed"),
        (["pde=mine,heat,haet"], "pde: there is no 'haet'; did you mean 'heat'?"),
        (["network.activation=tanh,relu"], "equations.heat: needs u_xx, but a network with activation relu"),
        (["network.depth=range(0,3)"], "network.depth: 0: at least 1 is needed"),
        (["network.wdith=1,2"], "network.wdith: unknown key 'wdith'; did you mean 'width'?"),
        (["network.width=(,3"], "command line: mismatched input"),
        (["pde=mine,glob(*)"], "command line: "),
        (["pde=glob(*nothing)"], "pde: no file matches pde=glob(*nothing)"),
        (["optimizer=adam,ssbroyden", "optimizer.learning_rate=0.1"], "optimizer.learning_rate: unknown key"),
    ],
)
def test_a_multirun_is_checked_before_its_first_run(words, expected, write, conf, capsys):
    assert train([*write(HEAT), "--multirun", *words], conf) == 2
    assert expected in capsys.readouterr().err


def test_every_value_of_a_right_multirun_is_checked_and_then_run(monkeypatch, started, write, conf):
    checked = []
    read_and_check = checks.read_and_check
    monkeypatch.setattr(checks, "read_and_check", lambda config: checked.append(config) or read_and_check(config))
    argv = [*write(HEAT), "-m", "network.width=10,20,30", "pde=glob(*ine)", "seed=1,2"]
    assert train(argv, conf) == 0
    assert len(started) == 1
    assert {(words["network"]["width"], words["seed"]) for words in checked} == {(10, 1), (20, 1), (30, 1), (10, 2)}


@pytest.mark.parametrize("words", [[], ["network.width=10"]])
def test_what_is_right_starts_a_run(started, words, write, conf):
    """So that the refusals above are about what they name."""
    assert train([*write(HEAT), *words], conf) == 0
    text, files = with_samples("x,t,u\n0,0,1\n")
    assert train([*write(text, **files), *words], conf) == 0
    assert len(started) == 2


def test_a_problem_of_ones_own_comes_before_a_shipped_one_of_the_same_name(started, write, conf):
    argv = write(heat("alpha: 0.1", "alpha: 7"), name="heat")
    assert train([*argv, "pde.parameters.alpha=8"], conf) == 0
    config = started[0][2].config
    assert config["pde"]["parameters"] == {"alpha": 8}
    assert config["pde"]["description"] == "A rod that cools."
    assert config["problem_folder"] == str(Path(argv[1], "pde").resolve())


@pytest.mark.parametrize(
    ("words", "variables", "told"),
    [
        (["resume=out"], {}, "resume: goes on with one run, in its folder: run it without -m"),
        (["hydra/launcher=slurm"], {"PATH": ""}, "hydra/launcher: there is no srun on this machine"),
        ([], {"RANK": "0", "WORLD_SIZE": "2"}, "--multirun: a sweep starts the processes of each run itself"),
    ],
)
def test_what_cannot_be_a_sweep_is_refused(words, variables, told, conf, capsys, monkeypatch):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert train(["-m", "pde=heat", "seed=0,1", *words], conf) == 2
    assert told in capsys.readouterr().err


def test_results_that_cannot_be_written_end_in_words(tmp_path, capsys, monkeypatch):
    run = tmp_path / "run"
    run.mkdir()
    (run / "metrics.json").write_text('{"status": "finished", "relative_l2": {"u": 0.1}}')

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Comparison, "write", full)
    assert compare([str(run), f"out={tmp_path / 'table'}"]) == 1
    assert capsys.readouterr().err == f"pinnkit: out={tmp_path / 'table'}: cannot be written: No space left on device\n"


ELLIPTIC = """\
coordinates: {x: [0, 1], t: [0, 1]}
fields: [u]
equations: u_tt = -u_xx
conditions:
  start: {at: t = 0, equations: [u = sin(pi*x), u_t = 0]}
  ends: {at: boundary, equations: u = 0}
"""


@pytest.mark.parametrize("run", [check, train])
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["pde=poisson_5d"], "its coordinates are x1, x2, x3, x4, x5: there is no time t to integrate in"),
        (["pde=heat_inverse", "pde.exact={u: 'sin(pi*x)'}"], "the condition 'samples' is made of data"),
        ([], "it is ill-posed as an evolution"),
    ],
)
def test_a_reference_that_cannot_be_computed_is_refused_before_training(run, words, told, write, conf, capsys):
    assert run([*(words or write(ELLIPTIC)), "reference=spectral"], conf) == 2
    assert f"reference: reference=spectral cannot treat this problem: {told}" in capsys.readouterr().err
