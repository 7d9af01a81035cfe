"""The engine that `operators=auto` chooses, and how it is remembered."""

import logging
import math

import pytest
import torch

from pinnkit.engines import selection
from pinnkit.engines.selection import Budget, Chooser
from pinnkit.operators.engine_choice import EngineChoice, load_measurement
from tests.engines.selections import LONG, SHORT, Angle, Branches, FrozenByPoints, chooser

WARM = Budget(100 * (selection.WARM_COMPILE_S + selection.COLD_COMPILE_S) / 2 / selection.EXPECTED_GAIN)
"""So many that compiling pays where it is known what to compile, and not otherwise."""
MIDDLE = Budget(200 * selection.COLD_COMPILE_S / selection.EXPECTED_GAIN)
"""So many that compiling pays."""


@pytest.fixture
def times(monkeypatch):
    """Measured times as a test wants them: (engine, chunk) or engine -> milliseconds; and what was measured."""
    table, measured = {"autograd": 10.0, "jets": 5.0, "compiled": 7.0}, []

    def took(self, evaluator):
        measured.append((evaluator.engine, evaluator.chunk))
        return table.get((evaluator.engine, evaluator.chunk), table[evaluator.engine])

    monkeypatch.setattr(Chooser, "_time", took)
    table["measured"] = measured
    return table


# ------------------------------------------------------------ auto


def test_the_budget_is_the_smaller_of_steps_and_time():
    assert Budget(1000, 5.0).time(2.0) == 2.0
    assert Budget(1000, 1.0).time(2.0) == 1.0
    assert Budget(math.inf, 7.0).time(2.0) == 7.0


def test_a_short_run_is_not_worth_a_compilation(heat_words, recorded, times, empty_cache):
    evaluator, choice = chooser(heat_words, SHORT)[0].choose()  # 100 evaluations of 10 ms
    assert evaluator.engine == choice.engine == "autograd"
    assert "about 1.0 s of evaluations are too few" in choice.reason
    assert recorded == []
    assert not (empty_cache / "pinnkit").exists()


def test_a_longer_run_compiles_and_remembers(heat_words, recorded, times, empty_cache):
    assert chooser(heat_words, WARM)[0].choose()[1].engine == "autograd"
    times["measured"].clear()
    evaluator, choice = chooser(heat_words, MIDDLE)[0].choose()
    assert evaluator.engine == choice.engine == "jets"
    assert times["measured"] == [("autograd", None), ("jets", None)]
    assert choice.milliseconds == {"autograd": 10.0, "jets": 5.0}
    assert len(list((empty_cache / "pinnkit").rglob("*.json"))) == 1
    # A run that is too short to compile anew uses what is known to be fast.
    again, second = chooser(heat_words, WARM)[0].choose()
    assert again.engine == second.engine == "jets"
    assert second.reason == "the fastest in an earlier run"
    assert len(recorded) == 2
    assert chooser(heat_words, SHORT)[0].choose()[1].engine == "autograd"


def test_a_long_run_measures_rivals_and_the_next_one_does_not(heat_words, recorded, times, empty_cache):
    size = chooser(heat_words)[0].make("jets", None).chunk_size(torch.zeros(1, dtype=torch.float64))
    times["jets", 2 * size] = 3.0
    evaluator, choice = chooser(heat_words)[0].choose()
    assert (evaluator.engine, evaluator.chunk) == (choice.engine, choice.chunk) == ("jets", 2 * size)
    assert times["measured"] == [
        ("autograd", None), ("jets", None), ("compiled", None), ("jets", size // 2), ("jets", 2 * size),
    ]  # fmt: skip
    assert choice.milliseconds[f"jets, chunks of {2 * size}"] == 3.0
    assert len(recorded) == 4
    times["measured"].clear()
    evaluator, choice = chooser(heat_words)[0].choose()
    assert (evaluator.engine, evaluator.chunk) == ("jets", 2 * size)
    assert times["measured"] == [("autograd", None), ("jets", 2 * size)]
    assert len(recorded) == 5


@pytest.mark.parametrize("fastest", ["autograd", "compiled"])
def test_the_fastest_of_those_measured_is_used_and_remembered(fastest, heat_words, recorded, times, empty_cache):
    times[fastest] = 1.0
    assert chooser(heat_words, chunk=11)[0].choose()[1].engine == fastest
    recorded.clear()
    times["measured"].clear()
    evaluator, choice = chooser(heat_words, chunk=11)[0].choose()
    assert (evaluator.engine, evaluator.chunk) == (fastest, 11)
    assert "in an earlier run" in choice.reason
    assert len(recorded) == (fastest == "compiled")
    assert len(times["measured"]) == 1 + (fastest == "compiled")


def test_what_is_remembered_belongs_to_its_content(heat_words, recorded, times, empty_cache):
    keys = set()

    def key_of(words=heat_words, network=None, **operators):
        made, module = chooser(words, network=network, **operators)
        return made._key(module.make_evaluator("autograd", None))

    keys = [
        key_of(),
        key_of({**heat_words, "equations": {"heat": "u_t = 2 * alpha * u_xx"}}),
        key_of(network=Angle()),
        key_of(chunk=5),
        key_of({**heat_words, "equations": {"heat": lambda p: p.u_t - p.u_xx}}),
        key_of({**heat_words, "equations": {"heat": lambda p: p.u_t - 2 * p.u_xx}}),
    ]
    assert len(set(keys)) == len(keys)
    assert key_of() == keys[0]  # the weights of the network do not matter, nor does the process


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"engine": "jest", "chunk": null}', b'{"engine": "jets"}'])
def test_a_cache_that_cannot_be_read_is_ignored(content, heat_words, recorded, times, empty_cache):
    chooser(heat_words, MIDDLE)[0].choose()
    (path,) = (empty_cache / "pinnkit").rglob("*.json")
    path.write_bytes(content)
    recorded.clear()
    assert chooser(heat_words, MIDDLE)[0].choose()[1].engine == "jets"
    assert len(recorded) == 1
    assert load_measurement(path.stem)["engine"] == "jets"  # measured anew


@pytest.mark.parametrize("network", [Branches, FrozenByPoints])
def test_auto_keeps_nested_autograd_where_nothing_can_be_recorded(network, heat_words, recorded, times, caplog):
    evaluator, choice = chooser(heat_words, LONG, network())[0].choose()
    assert evaluator.engine == choice.engine == "autograd"
    told = [one.message for one in caplog.records if one.levelno >= logging.WARNING]
    assert len(told) == 1
    assert "operators.engine=auto: nested autograd is used" in told[0]


def test_auto_takes_the_recorded_definition_where_jets_lack_a_rule(heat_words, recorded, times, empty_cache, caplog):
    evaluator, choice = chooser(heat_words, MIDDLE, Angle())[0].choose()
    assert evaluator.engine == choice.engine == "compiled"
    assert [one for one in caplog.records if one.levelno >= logging.WARNING] == []


# ------------------------------------------------------------ going on


def test_a_run_that_goes_on_takes_its_choice_and_measures_nothing(heat_words, recorded, times, empty_cache):
    made, _ = chooser(heat_words)
    evaluator = made.restored(EngineChoice("compiled", 7))
    assert (evaluator.engine, evaluator.chunk) == ("compiled", 7)
    assert times["measured"] == []
    assert len(recorded) == 1
    assert made.restored(EngineChoice("autograd", 4)).chunk == 4
    assert len(recorded) == 1


@pytest.mark.parametrize("shards", [1, 4])
def test_the_least_of_several_times_is_measured_and_a_thread_takes_one_shard_after_the_other(
    heat_words, monkeypatch, shards
):
    made, module = chooser(heat_words)
    made.shards = shards
    now = iter([0.0, 0.9, 1.0, 1.02, 2.0, 2.01, 3.0, 3.05, 4.0, 4.02, 5.0, 5.5])
    monkeypatch.setattr(selection.time, "perf_counter", lambda: next(now))
    assert made._time(module.make_evaluator("autograd", None)) == pytest.approx(10.0 * shards)


def test_a_choice_for_other_shards_is_not_remembered_as_this_one(heat_words):
    made, module = chooser(heat_words)
    plain = module.make_evaluator("autograd", None)
    whole = made._key(plain)
    made.shards = 4
    assert made._key(plain) != whole
