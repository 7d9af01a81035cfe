"""The config.yaml of a run, however it was damaged, is answered in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from pinnkit.cli.compare import compare
from pinnkit.cli.evaluate import evaluate
from pinnkit.cli.train import train
from tests.cli.hostile_files import FILES

SAVED: dict[str, tuple[str | bytes, str]] = {
    case: FILES[case] for case in ("laughs", "laughs by merging", "chain of aliases", "deep lists", "deep mappings")
} | {
    "empty": ("", "config.yaml: is empty"),
    "a list": ("[1]\n", "config.yaml: is no mapping"),
    "a text": ("heat\n", "config.yaml: is no mapping"),
    "no YAML": ("a: {b\n", "config.yaml: is not YAML"),
    "no text": (b"\xff\xfe", "config.yaml: damaged, expected UTF-8 text"),
    "code": ("a: !!python/object/apply:os.system [ls]\n", "could not determine a constructor for the tag"),
    "no trainer": ("trainer: null\n", "config.yaml: trainer: None is not a mapping of settings"),
    "no loggers": ("logger: [1]\n", "config.yaml: logger: [1] is not a mapping of settings"),
    "no network": ("network: [1]\n", "network: [1] is no network"),
    "no optimizer": ("optimizer: null\n", "optimizer: None is no optimizer"),
    "phases": ("phases: {a: 1}\n", "phases: {'a': 1} is not a list of phases"),
    "no problem": ("seed: 1\n", "pde: is missing"),
    "the name of a problem": ("pde: heat\n", "pde: 'heat' is not a mapping"),
    "no folder": ("problem_folder: [1]\n", "problem_folder: [1] is no path of a folder"),
    "a null key": ("~: 5\n", "None: unknown key 'None'"),
}


@pytest.mark.parametrize("case", SAVED)
@pytest.mark.parametrize("call", ["resume", "run"])
def test_a_damaged_configuration_is_told(case, call, tmp_path, conf, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text, expected = SAVED[case]
    run = Path("run")
    (run / "checkpoints").mkdir(parents=True)
    (run / "checkpoints" / "last.ckpt").touch()
    (run / "config.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    code = train([f"resume={run}"], conf) if call == "resume" else evaluate([f"run={run}"])
    err = capsys.readouterr().err
    assert code == 2
    assert expected in err
    assert len(err) < 2000


GRIDS = ["x", "1e9", "-5", "1", "[1", "[" * 5000, "!!int x", "!!python/name:os.system", "2000000000"]


@pytest.mark.parametrize("value", GRIDS)
def test_a_wrong_grid_is_told(value, capsys):
    assert evaluate(["run=nowhere", f"grid={value}"]) == 2
    assert capsys.readouterr().err.startswith("pinnkit: grid: ")


@pytest.mark.parametrize(
    "history",
    ["\x00\xff garbage", "[" * 5000, '{"step": "x"}', '{"step": 1}', '{"step": null, "time_s": 1, "errors": 5}',
     '{"step": 1, "time_s": [1], "errors": {"u": "x"}, "objective": {}}', '{"step": 1e999}', '{"step": -5}'],
)  # fmt: skip
def test_garbage_in_a_history_is_passed_over(history, tmp_path, capsys):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "metrics.json").write_text('{"status": "finished", "relative_l2": {"u": 0.1}}')
    (tmp_path / "run" / "history.jsonl").write_text(history, encoding="latin-1")
    assert compare([str(tmp_path / "run"), f"out={tmp_path / 'out'}"]) == 0
    assert "finished" in capsys.readouterr().out


@pytest.mark.parametrize("metrics", ["{" * 5000, '{"a":' * 5000, "[1]", "5", "", '{"status": 5}', "\xff"])
def test_damaged_metrics_are_told(metrics, tmp_path, capsys):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "metrics.json").write_text(metrics, encoding="latin-1")
    compare([str(tmp_path / "run"), f"out={tmp_path / 'out'}"])
    assert "metrics.json" in capsys.readouterr().out
