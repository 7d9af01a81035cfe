"""What does not fit into memory is refused before any of it is taken, with what would fit."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pinnkit.language.errors import ProblemError, Report
from pinnkit.memory import free_memory
from pinnkit.problem.problem import Problem
from pinnkit.runs import memory
from pinnkit.runs.factory import assemble
from pinnkit.runs.memory import check_grid, check_memory, parameters
from pinnkit.runs.resources import check_run
from pinnkit.runs.validation import validate
from pinnkit.settings import Settings, read_settings


@pytest.fixture(autouse=True)
def one_gigabyte(monkeypatch):
    monkeypatch.setattr(memory, "free_memory", lambda: 1e9)


def settings(**words: Any) -> Settings:
    report = Report()
    read = read_settings(words, report)
    report.raise_if_any()
    return read


def told(problem: Problem, **words: Any) -> dict[str, str]:
    """What is refused: key -> message."""
    try:
        check_memory(problem, settings(**words))
    except ProblemError as error:
        return {mistake.key: mistake.message for mistake in error.mistakes}
    return {}


@pytest.fixture
def heat(heat_words):
    return Problem(**heat_words)


CASES = [
    ("network.width", {"network": {"width": 100_000}}, 100_000),
    ("network.width", {"network": {"width": 500, "depth": 900}}, 500),
    ("network.fourier_features", {"network": {"fourier_features": 1_000_000, "width": 400}}, 1_000_000),
    ("network.harmonics", {"network": {"harmonics": 1_000_000, "width": 400}}, 1_000_000),
    ("sampling.equations", {"sampling": {"equations": 1_000_000_000}}, 1_000_000_000),
    ("sampling.conditions", {"sampling": {"conditions": 900_000_000}}, 900_000_000),
    ("trainer.devices", {"trainer": {"devices": 64}}, 64),
]


@pytest.mark.parametrize(("key", "words", "value"), CASES)
def test_what_does_not_fit_is_refused_and_what_is_named_fits(key, words, value, heat_words):
    if key == "network.harmonics":
        heat_words = {**heat_words, "periodic": ["x"], "conditions": {"initial": heat_words["conditions"]["initial"]}}
    problem = Problem(**heat_words)
    found = told(problem, **words)
    assert list(found) == [key]
    assert found[key].startswith(f"{value}")
    (fits,) = re.findall(r"(\d+) fits?", found[key])
    group, name = key.split(".")
    assert told(problem, **{**words, group: {**words[group], name: int(fits)}}) == {}
    assert value / 1e4 < int(fits) < value


@pytest.mark.parametrize(
    ("optimizer", "needed"),
    [("ssbroyden", 8 * 20601**2), ("gauss_newton", 32 * 20601**2), ("lbfgs", 16 * 50_000 * 20601)],
)
def test_the_matrices_of_an_optimizer_fit(optimizer, needed, heat):
    own = {"history": 50_000} if optimizer == "lbfgs" else {"max_parameters": 10**6}
    found = told(heat, network={"width": 100}, phases=[{"name": optimizer, **own}])
    assert list(found) == [f"phases[1].{next(iter(own))}"]
    (message,) = found.values()
    assert f"{optimizer} keeps {memory.size(needed)} for 20601 parameters, and 1 GB of memory are free" in message
    assert told(heat, network={"width": 10}, phases=[{"name": optimizer, **own}]) == {}


def test_a_matrix_in_float32_takes_half_and_one_on_a_gpu_takes_nothing_of_the_machine(heat):
    phases = [{"name": "ssbroyden", "max_parameters": 10**6}]
    words = {"network": {"width": 70}, "phases": phases}  # 0.8 GB in float64
    large = {**words, "network": {"width": 90}}  # 2.2 GB, and 1.1 GB in float32
    assert told(heat, **words) == {}
    assert "keeps 1.12 GB" in told(heat, **large, dtype="float32")["phases[1].max_parameters"]
    assert told(heat, **{**words, "network": {"width": 80}}, dtype="float32") == {}
    assert list(told(heat, **{**words, "network": {"width": 80}})) == ["phases[1].max_parameters"]
    assert told(heat, **large, trainer={"accelerator": "gpu"}) == {}


def test_processes_that_were_started_together_do_not_count_again_what_is_free(heat, monkeypatch):
    many = settings(trainer={"devices": 4})
    with pytest.raises(ProblemError, match=r"trainer\.devices: 4 processes take at least"):
        check_run(heat, many)
    for rank in "02":
        for name, value in {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": "4"}.items():
            monkeypatch.setenv(name, value)
        check_run(heat, many)


@pytest.mark.parametrize(("chunk", "parts"), [(128, "782 parts, about 2.3 s"), (256, None)])
def test_a_small_chunk_is_told_with_what_it_costs(chunk, parts, heat, caplog):
    caplog.set_level("WARNING", "pinnkit")
    words = {"sampling": {"equations": 100_000}, "operators": {"chunk": chunk}}
    validate(heat, settings(**words))
    assert told(heat, **words) == {}
    found = [record.getMessage() for record in caplog.records if "operators.chunk" in record.getMessage()]
    assert len(found) == (parts is not None)
    assert all(f"operators.chunk: {chunk}: 100000 points are evaluated in {parts}" in one for one in found)


def test_a_network_of_ones_own_is_not_counted(heat):
    check_memory(heat, settings(network={"width": 100_000}), custom_network=True)


@pytest.mark.parametrize(
    "network",
    [{}, {"depth": 1}, {"width": 7, "separate": True}, {"fourier_features": 5, "harmonics": 3}],
)
def test_parameters_are_counted_as_the_network_has_them(network, heat_words):
    words = {**heat_words, "fields": {"u": ["x", "t"], "v": ["x", "t"], "k": ["x"]}, "periodic": ["x"], "exact": {}}
    words["conditions"] = {"initial": {"at": "t = 0", "equations": "u = 0"}}
    problem, read = Problem(**words), settings(network=network)
    module, _ = assemble(problem, read)
    fixed = sum(one.numel() for name, one in module.network.named_buffers() if name.endswith("matrix"))
    assert parameters(problem, read.network) == sum(one.numel() for one in module.network.parameters()) + fixed


def test_a_grid_fits(heat):
    check_grid(heat, None)
    check_grid(heat, 1000)
    with pytest.raises(ProblemError, match=r"grid: 100000: 1e\+10 points take .* 1 GB of memory are free: (\d+) fits"):
        check_grid(heat, 100_000)
    with pytest.raises(ProblemError, match="grid: "):
        check_grid(heat, 2200, table=True)
    check_grid(heat, 2200)


def test_free_memory_is_what_the_machine_has():
    import psutil

    assert 0 < free_memory() <= psutil.virtual_memory().total


@pytest.mark.parametrize(
    ("limit", "current", "stat", "free"),
    [
        ("1000000", 900_000, "anon 100000\nactive_file 500000\ninactive_file 300000\n", 900_000),
        ("1000000", 900_000, "anon 900000\n", 100_000),
        ("1000000", 1_000_500, "anon 1000000\n", 0),
        ("max", 900_000, "anon 100000\n", None),
        ("nonsense", 900_000, "", None),
    ],
)
def test_a_group_of_processes_has_what_is_left_of_its_limit_and_its_cached_files(
    limit, current, stat, free, tmp_path, monkeypatch
):
    for name, text in {"memory.max": f"{limit}\n", "memory.current": f"{current}\n", "memory.stat": stat}.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setattr("pinnkit.memory.GROUP", tmp_path)
    found = free_memory()
    assert found == free if free is not None else found > 1e6
