"""Arguments of a sweep: its space, its mistakes, and the shares of the budget at which runs are compared."""

from __future__ import annotations

import importlib.util
import io
import math
import threading

import pytest

from pinnkit.cli import trial
from pinnkit.cli.space import Choice, Span, read_space
from pinnkit.cli.sweep import sweep
from pinnkit.cli.trial import Budget
from pinnkit.language.errors import ProblemError
from pinnkit.reporting.artifacts import RunFolder
from pinnkit.reporting.history_file import least_error, read_measurements, without_repeats
from pinnkit.training.settings import Trainer


@pytest.mark.parametrize(
    ("text", "dimension"),
    [
        ("network.activation=choice(tanh,sin)", Choice("network.activation", ("tanh", "sin"))),
        ("network.width=10,20,10", Choice("network.width", ("10", "20"))),
        ("phases=choice([adam,lbfgs],[ssbroyden])", Choice("phases", ("[adam,lbfgs]", "[ssbroyden]"))),
        ("network.width=range(10,41)", Span("network.width", 10, 40, 1)),
        ("network.width=range(10,41,4)", Span("network.width", 10, 38, 4)),
        ("network.width=range(9,0,-4)", Span("network.width", 1, 9, 4)),
        ("a.b=interval(1,5)", Span("a.b", 1.0, 5.0)),
        ("a.b=int(interval(1,5))", Span("a.b", 1, 5)),
        ("a.b=tag(log,interval(1e-4,1e-1))", Span("a.b", 1e-4, 1e-1, log=True)),
        ("a.b=tag(log,int(interval(8,64)))", Span("a.b", 8, 64, log=True)),
        ("++weighting.weights.ends=interval(1,10)", Span("++weighting.weights.ends", 1.0, 10.0)),
    ],
)
def test_the_space_is_read_from_hydras_sweep_syntax(text, dimension):
    fixed, space = read_space(["pde=heat", text, "phases=[adam, ssbroyden]"])
    assert fixed == ["pde=heat", "phases=[adam, ssbroyden]"]
    assert space == [dimension]
    assert [type(end) for end in vars(space[0]).values()] == [type(end) for end in vars(dimension).values()]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["pde=heat"], "sweep: nothing is searched"),
        (["a=interval(5,5)"], "a: interval(5,5) holds no number"),
        (["a=range(3,3)"], "a: range(3,3) holds no number"),
        (["a=tag(log,interval(0,1))"], "a: tag(log,interval(0,1)): a logarithm needs ends above 0"),
        (["a=tag(loq,interval(1,2))"], "a: tag(loq,interval(1,2)): log is the only tag"),
        (["a=tag(log,range(1,9))"], "log is the only tag, and of an interval alone"),
        (["a=glob(*)"], "a: glob(*) cannot be searched"),
        (["a=interval(1,2)", "a=1,2"], "a: is searched twice"),
        (["a=interval(1"], "command line: "),
    ],
)
def test_a_space_without_sense_is_refused(texts, message):
    with pytest.raises(ProblemError) as caught:
        read_space(texts)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["sweep.trials=3", "network.width=5,6"], "sweep.folder: is missing: write sweep.folder=sweeps/heat"),
        (["sweep.folder=s", "sweep.trails=3", "network.width=5,6"], "unknown key 'trails'; did you mean 'trials'?"),
        (["sweep.folder=s", "sweep.trials=0", "network.width=5,6"], "sweep.trials: 0: at least 1 is needed"),
        (["sweep.folder=s", "sweep.workers=two", "network.width=5,6"], "'two': a whole number is needed"),
        (["sweep.folder=s", "-m", "network.width=5,6"], "it is a sweep by itself"),
        (["sweep.folder=s", "network.width=5,6", "resume=out"], "resume: is set by the sweep"),
        (["sweep.folder=s", "network.widht=5,6"], "did you mean 'width'?"),
        (["sweep.folder=s", "network.activation=choice(tanh,sin,tnah)"], "did you mean 'tanh'?"),
        (["sweep.folder=s", "network.width=range(0,9)"], "network.width: 0: at least 1 is needed"),
        (["sweep.folder=s", "optimizer=adam", "optimizer.learning_rate=interval(-1,1)"], "optimizer.learning_rate: -1"),
        (["sweep.folder=s", "network.width=5,6", "trainer.max_step=9"], "did you mean 'max_steps'?"),
        (["sweep.folder=s", "optimizer=adam,ssbroyden", "optimizer.learning_rate=0.1"], "unknown key 'learning_rate'"),
    ],
)
def test_every_mistake_is_told_before_the_first_run(words, message, conf, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert sweep(["pde=heat", *words], conf, ("none.py",)) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize(
    ("folder", "message"),
    [("file/sweep", "sweep.folder: "), (".", "study.db cannot be used (")],
)
def test_a_sweep_that_cannot_be_kept_is_told_in_words(folder, message, conf, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name in ("file", "study.db"):
        (tmp_path / name).write_bytes(b"neither a folder nor a database" * 100)
    assert sweep(["pde=heat", f"sweep.folder={folder}", "network.width=5,6"], conf, ("none.py",)) == 2
    told = capsys.readouterr().err
    assert message in told
    assert "Traceback" not in told


def test_a_missing_optuna_is_told_in_words(conf, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    words = [f"sweep.folder={tmp_path / 's'}", "network.width=5,6"]
    assert sweep(words, conf, ("none.py",)) == 2
    assert "pip install 'pinnkit[sweep]'" in capsys.readouterr().err


def row(step, time, error):
    return {"step": step, "time_s": time, "objective": 1.0, "errors": {"u": error}}


def test_runs_are_compared_by_their_best_at_the_same_share_of_the_budget():
    rows = [row(10, 0.1, 0.9), row(100, 1.0, 0.5), row(190, 1.9, 0.4), row(410, 4.1, 0.8), row(700, 7.0, 0.2)]
    by_steps = Budget.of(Trainer(max_steps=2000)).rungs(rows)
    assert by_steps == {0: 0.9, 1: 0.5, 2: 0.4, 3: 0.4, 4: 0.4, 5: 0.4, 6: 0.4, 7: 0.2}
    assert Budget.of(Trainer(max_time=20.0)).rungs(rows) == by_steps
    assert Budget.of(Trainer(max_time=10.0, max_steps=10**6)).rungs(rows)[14] == 0.2
    assert max(Budget.of(Trainer()).rungs(rows)) == 1  # of 10,000 steps
    # What a run did again, after it had gone back, changes nothing that was told.
    assert Budget.of(Trainer(max_steps=2000)).rungs([*rows[:3], row(100, 1.0, 0.3), *rows[3:]])[1] == 0.5


def test_measurements_of_steps_that_were_given_up_do_not_count(tmp_path, monkeypatch):
    """A run that diverges goes back, and measures the same steps again."""
    told = {}

    class Process:
        def __init__(self, *_, **__):
            self.stdin, self.returncode = io.BytesIO(), 0
            for step, error in ((0, 0.9), (50, 1e-9), (0, 0.9), (50, 0.3)):
                claim.folder.append_history({"step": step, "time_s": 0.1, "errors": {"u": error}, "objective": 1.0})

        def poll(self):
            return 0

    class Told:
        def report(self, value, rung):
            told[rung] = value

    claim = trial.ReservedTrial(Told(), RunFolder(tmp_path).create(), (), 0, -1)
    monkeypatch.setattr(trial.subprocess, "Popen", Process)
    monkeypatch.setattr(trial, "_monitored", lambda *_: ("", -1))
    found = trial.run(("train.py",), [], claim, Budget(100, math.inf), threading.Event())
    assert found == trial.Outcome("complete", 0.3)
    assert told[10] == 0.3


def test_half_a_line_is_passed_over(tmp_path):
    path = tmp_path / "history.jsonl"
    assert read_measurements(path) == []
    path.write_text('{"step": 1, "time_s": 0.5, "objective": null, "errors": {"u": 0.5, "v": null}}\n{"step": 2, "ti')
    assert [one["step"] for one in read_measurements(path)] == [1]
    assert least_error(read_measurements(path)) == math.inf
    path.write_text(path.read_text() + '\n{"step": 1, "time_s": 0.5, "objective": 0.25, "errors": {}}\n')
    assert least_error(read_measurements(path)) == 0.25
    assert [one["objective"] for one in without_repeats(read_measurements(path))] == [0.25]
