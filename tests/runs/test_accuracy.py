"""Every shipped problem with its defaults stays within its limit: the long runs of scripts/benchmark_accuracy.py."""

import pytest

from pinnkit.commands.accuracy import LIMITS, benchmark
from tests.conftest import ROOT


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(LIMITS))
def test_the_defaults_reach_the_limit(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert benchmark([name], ROOT / "scripts") == 0


def test_every_shipped_problem_has_a_limit(conf):
    assert set(LIMITS) == {path.stem for path in (conf / "pde").glob("*.yaml")}


def test_the_benchmark_prints_a_row_and_tells_a_broken_limit(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    quick = ["network.width=4", "trainer.max_steps=10", "callbacks.figures=false", "logger=none"]
    assert benchmark(["gradient_matching", *quick], ROOT / "scripts") == 1
    row = capsys.readouterr().out.splitlines()[-1]
    assert row.startswith("| gradient_matching | relative L2 of the gradient, 1000 new points |")
    assert row.endswith("| 10 |")
