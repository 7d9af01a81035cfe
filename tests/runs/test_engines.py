"""Whole runs by every engine: networks that no recording can hold, resuming by the engine of before, memory."""

import json
import time

import pytest
import torch
from torch import nn

import pinnkit
from pinnkit.cli.train_and_measure import run
from pinnkit.engines.evaluator import Evaluator
from pinnkit.engines.selection import Budget, Chooser
from pinnkit.language.errors import Report
from pinnkit.operators import engine_choice as choices
from pinnkit.problem.problem import Problem
from pinnkit.settings import read_settings
from pinnkit.training.computation import Computation
from pinnkit.training.exceptions import OutOfMemory


class Own(nn.Module):
    """A small network of the user's."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.inner, self.outer = nn.Linear(2, 6), nn.Linear(6, 1)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, points):
        return self.outer(torch.tanh(self.inner(points)))


class Branches(Own):
    def forward(self, points):
        values = self.inner(points)
        return self.outer(torch.tanh(values) if values.sum() > -1e6 else torch.sin(values))


class Counts(Own):
    def forward(self, points):
        self.calls += 1
        return super().forward(points)


class MyTanh(torch.autograd.Function):
    @staticmethod
    def forward(ctx, values):
        ctx.save_for_backward(values)
        return torch.tanh(values)

    @staticmethod
    def backward(ctx, gradient):
        (values,) = ctx.saved_tensors
        return gradient * (1 - torch.tanh(values) ** 2)


class Custom(Own):
    def forward(self, points):
        return self.outer(MyTanh.apply(self.inner(points)))


def warnings_of(folder):
    lines = (folder / "train.log").read_text().splitlines()
    return [one for one in lines if " WARNING " in one and " WARNING conditions: " not in one]  # ends may be free here


def weights_of(folder):
    return torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]


@pytest.mark.parametrize(
    ("network", "why"),
    [(Branches, "cannot be traced"), (Custom, "custom autograd function (MyTanh)"), (Counts, "changes '")],
)
@pytest.mark.parametrize("engine", ["auto", "jets"])
def test_networks_that_cannot_be_recorded_train_all_the_same(
    engine, network, why, heat_words, quick, tmp_path, monkeypatch, empty_cache, recorded
):
    monkeypatch.setattr(Computation, "budget", lambda self: Budget(10_000, 1e6))
    monkeypatch.setattr(Chooser, "_time", lambda self, evaluator: {"autograd": 10.0}.get(evaluator.engine, 5.0))
    settings = {**quick, "operators": {"engine": engine}}
    solution = pinnkit.solve(Problem(**heat_words), tmp_path, settings, network=network())
    assert solution.metrics["loss"] < 0.5 * solution.module.progress.first_objective
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["operators"]["engine"] == "autograd"
    assert why in metrics["operators"]["reason"]
    told = warnings_of(tmp_path)
    assert len(told) == 1
    assert why in told[0]


@pytest.mark.parametrize("engine", ["compiled", "jets"])
def test_recorded_steps_train_as_nested_autograd_does(engine, heat_words, quick, tmp_path, recorded):
    found = {}
    for name in ("autograd", engine):
        settings = {**quick, "operators": {"engine": name}, "trainer": {"max_steps": 30}}
        found[name] = pinnkit.solve(Problem(**heat_words), tmp_path / name, settings).metrics
    assert found[engine]["operators"]["engine"] == engine
    assert found[engine]["loss"] == pytest.approx(found["autograd"]["loss"], rel=1e-6)
    assert len(recorded) == 1


@pytest.fixture(scope="module")
def compiled_runs(tmp_path_factory):
    """A run by compiled jets, Adam then self-scaled Broyden; the same in two parts."""
    words = {
        "coordinates": {"x": [-1, 1], "t": [0, 1]},
        "fields": ["u"],
        "equations": {"heat": "u_t = 0.1 * u_xx"},
        "conditions": {"initial": {"at": "t = 0", "equations": "u = sin(pi*x)"}},
    }
    settings = {
        "network": {"width": 4, "depth": 1},
        "sampling": {"equations": 40, "conditions": 10, "redraw_every": 25},
        "phases": [{"name": "adam", "steps": 10}, {"name": "ssbroyden"}],
        "operators": {"engine": "jets"},
        "callbacks": {"progress": False, "figures": False},
        "logger": {"tensorboard": False},
    }
    folder = tmp_path_factory.mktemp("runs")

    def solved(name, steps, resume=False):
        limited = {**settings, "trainer": {"max_steps": steps}}
        return pinnkit.solve(Problem(**words), folder / name, limited, resume=resume)

    return folder, solved("whole", 40), solved("parts", 17), solved("parts", 40, resume=True)


def test_a_compiled_run_that_goes_on_ends_where_the_whole_run_ends_to_the_bit(compiled_runs):
    folder, whole, _, parts = compiled_runs
    assert whole.metrics["operators"]["engine"] == parts.metrics["operators"]["engine"] == "jets"
    assert warnings_of(folder / "whole") == warnings_of(folder / "parts") == []
    assert parts.metrics["evaluations"] == whole.metrics["evaluations"]
    expected, found = weights_of(folder / "whole"), weights_of(folder / "parts")
    assert expected.keys() == found.keys()
    for name, value in expected.items():
        assert torch.equal(value, found[name]), name


def test_the_choice_is_kept_in_metrics_and_checkpoint(compiled_runs):
    folder, whole, *_ = compiled_runs
    metrics = json.loads((folder / "whole" / "metrics.json").read_text())
    checkpoint = torch.load(folder / "whole" / "checkpoints" / "last.ckpt", weights_only=True)
    assert metrics["operators"] == checkpoint["operators"] == whole.module.choice.to_dict()
    assert metrics["operators"]["compile_s"] > 0.5
    assert {"engine", "chunk", "threads", "reason", "milliseconds"} <= set(metrics["operators"])


def test_compiling_is_no_part_of_the_training_time(heat_words, quick, tmp_path, monkeypatch, empty_cache):
    def slowly(graph, inputs):
        time.sleep(1.5)
        return graph

    monkeypatch.setattr("pinnkit.engines.evaluator.compile_graph", slowly)
    settings = {**quick, "operators": {"engine": "jets"}, "trainer": {"max_time": 0.3}}
    found = pinnkit.solve(Problem(**heat_words), tmp_path / "run", settings).metrics
    assert found["steps"] > 0
    assert found["compile_time_s"] > 1.5
    assert found["train_time_s"] < found["wall_time_s"] - found["compile_time_s"]
    log = (tmp_path / "run" / "train.log").read_text()
    assert "compiling the losses and their gradient (operators=jets)" in log


def test_a_run_with_no_time_makes_one_step(heat_words, quick, tmp_path):
    settings = {**quick, "trainer": {"max_time": 1e-9}}
    found = pinnkit.solve(Problem(**heat_words), tmp_path / "run", settings).metrics
    assert (found["steps"], found["reason"]) == (1, "1e-09 s of training are over")


def test_a_run_that_goes_on_keeps_its_engine_whatever_the_cache_says(
    heat_words, quick, tmp_path, monkeypatch, empty_cache, recorded
):
    monkeypatch.setattr(Computation, "budget", lambda self: Budget(10_000, 1e6))
    monkeypatch.setattr(Chooser, "_time", lambda self, evaluator: {"autograd": 10.0}.get(evaluator.engine, 5.0))
    problem = Problem(**heat_words)
    whole = pinnkit.solve(problem, tmp_path / "whole", quick)
    assert whole.metrics["operators"]["engine"] == "jets"
    pinnkit.solve(problem, tmp_path / "parts", {**quick, "trainer": {"max_steps": 33}})
    (path,) = (empty_cache / "pinnkit" / "choices").glob("*.json")
    choices.save_measurement(path.stem, {"engine": "autograd", "chunk": None, "ms": {}, "compile_s": 0.0})
    fresh = pinnkit.solve(problem, tmp_path / "fresh", {**quick, "trainer": {"max_steps": 2}})
    assert fresh.metrics["operators"]["engine"] == "autograd"
    parts = pinnkit.solve(problem, tmp_path / "parts", quick, resume=True)
    assert parts.metrics["operators"]["engine"] == "jets"
    expected, found = weights_of(tmp_path / "whole"), weights_of(tmp_path / "parts")
    assert all(torch.equal(value, found[name]) for name, value in expected.items())


def test_mini_batches_and_whole_batches_each_have_their_code(heat_words, quick, tmp_path, recorded):
    found = {}
    for engine in ("autograd", "jets"):
        settings = {**quick, "operators": {"engine": engine}, "trainer": {"max_steps": 30}}
        settings["sampling"] = {**quick["sampling"], "batch": 30}
        found[engine] = pinnkit.solve(Problem(**heat_words), tmp_path / engine, settings)
    assert len(recorded) == len(found["jets"].module.computation.evaluator.compiled) == 2
    assert found["jets"].metrics["loss"] == pytest.approx(found["autograd"].metrics["loss"], rel=1e-6)


# ------------------------------------------------------------ memory

LIMIT = 30
"""Points of a group that fit."""


@pytest.fixture(params=["cuda", "cpu", "python"])
def small_memory(request, monkeypatch):
    """A step on more points than the limit runs out of memory, in each of the ways in which that is said."""
    errors = {
        "cuda": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        "cpu": RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"),
        "python": MemoryError(),
    }
    original = Evaluator._step

    def step(self, prepared, parameters, head, chunk, bound=True):
        if max(len(one) for one in chunk) > LIMIT:
            raise errors[request.param]
        return original(self, prepared, parameters, head, chunk, bound)

    monkeypatch.setattr(Evaluator, "_step", step)


@pytest.mark.parametrize("engine", ["auto", "autograd", "jets"])
def test_memory_that_runs_out_names_a_chunk_that_fits(engine, heat_words, quick, tmp_path, small_memory, recorded):
    quick["trainer"] = {"max_steps": 3}
    problem = Problem(**heat_words)
    settings = {**quick, "operators": {"engine": engine}}
    with pytest.raises(OutOfMemory, match=r"100 points .* set operators.chunk=25, which fits") as caught:
        pinnkit.solve(problem, tmp_path / "first", settings)
    assert caught.value.fits <= LIMIT
    metrics = json.loads((tmp_path / "first" / "metrics.json").read_text())
    assert metrics["status"] == "failed"
    assert "operators.chunk=25" in metrics["reason"]
    settings = {**quick, "operators": {"engine": engine, "chunk": caught.value.fits}}
    assert pinnkit.solve(problem, tmp_path / "second", settings).metrics["steps"] == 3


def test_other_errors_of_torch_are_not_taken_for_it(heat_words, quick, tmp_path, monkeypatch):
    def step(self, *arguments):
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(Evaluator, "_step", step)
    with pytest.raises(RuntimeError, match="shapes do not match"):
        pinnkit.solve(Problem(**heat_words), tmp_path, quick)


def test_the_command_ends_with_2(heat_words, quick, tmp_path, small_memory, capsys):
    settings = read_settings({**quick, "operators": {"engine": "autograd"}}, Report())
    assert run(Problem(**heat_words), settings, tmp_path, "", [], False) == 2
    told = capsys.readouterr().err
    assert "set operators.chunk=25" in told
    assert "Traceback" not in told
