"""How often a configuration is composed: once for a run, and once for each checked value of a sweep."""

from __future__ import annotations

from pathlib import Path

import pytest
from hydra._internal.hydra import Hydra

from pinnkit.cli import checks
from pinnkit.cli import train as command
from pinnkit.cli.train import train

QUICK = [
    "pde=oscillator", "network.width=5", "network.depth=1", "sampling.equations=20", "operators=autograd",
    "optimizer=adam", "trainer.max_steps=3", "callbacks=quiet", "callbacks.figures=false", "logger=none",
]  # fmt: skip


@pytest.fixture
def composed(monkeypatch, tmp_path) -> list[list[str]]:
    """The overrides of every configuration that pinnkit has composed; Hydra's sweeper composes by another way."""
    found: list[list[str]] = []
    compose = Hydra.compose_config

    def counted(self, name, overrides, *arguments, **options):
        found.append(overrides)
        return compose(self, name, overrides, *arguments, **options)

    monkeypatch.setattr(Hydra, "compose_config", counted)
    monkeypatch.chdir(tmp_path)
    return found


def test_a_run_composes_and_reads_its_configuration_once(composed, conf, monkeypatch):
    read, given = [], checks.read_and_check
    monkeypatch.setattr(checks, "read_and_check", lambda config: read.append(config) or given(config))
    assert train([*QUICK, "hydra.run.dir=out"], conf) == 0
    assert (Path("out") / "checkpoints" / "last.ckpt").is_file()
    assert len(composed) == len(read) == 1


def test_a_sweep_composes_itself_and_each_value_but_no_run_again(composed, conf):
    assert train(["-m", *QUICK, "seed=0,1", "network.width=4,5", "hydra.sweep.dir=out"], conf) == 0
    variants = [overrides[-3:-1] for overrides in composed[:-1]]
    assert variants == [["seed=0", "network.width=4"], ["seed=1", "network.width=4"], ["seed=0", "network.width=5"]]
    assert "hydra.mode=MULTIRUN" in composed[-1]
    assert all((Path("out") / str(number) / "exit_code").read_text() == "0\n" for number in range(4))


def test_a_refused_run_composes_once_too(composed, conf, monkeypatch, capsys):
    monkeypatch.setattr(command, "start", lambda *_: pytest.fail("training would have started"))
    assert train(["pde=heat", "network.width=0"], conf) == 2
    assert len(composed) == 1
