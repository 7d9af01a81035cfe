"""Mistakes answered as a user sees them: by the script, soon, and without torch."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.bad_inputs import CASES, HEAT, HOSTILE

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 10.0
"""Seconds of processor time; an answer takes about one."""


@pytest.fixture(autouse=True)
def _no_run(nothing_starts, monkeypatch, tmp_path):
    """A mistake that slips through fails the test; it does not train."""
    monkeypatch.chdir(tmp_path)


def script(argv: list[str], folder: Path) -> tuple[int, str, float]:
    """Exit code, standard error and seconds of processor time of `python scripts/train.py ...`."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "train.py"), *argv],
        cwd=folder, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.returncode, done.stderr, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize(
    "case", ["unknown name", "comma in braces, broken", "code that Hydra would call", "misspelt setting"]
)
def test_the_script_answers_at_once(case, write, tmp_path):
    text, words, expected = CASES[case]
    trace = tmp_path / "trace"
    code, err, seconds = script([*write(text.replace(HOSTILE, str(trace))), *words], tmp_path)
    assert code == 2
    assert "Traceback" not in err
    for part in expected:
        assert part in err
    assert seconds < PATIENCE
    assert not trace.exists()
    assert not (tmp_path / "outputs").exists()


def test_the_script_checks_a_multirun_before_its_first_run(write, tmp_path):
    code, err, seconds = script([*write(HEAT), "-m", "network.width=10,-3"], tmp_path)
    assert code == 2
    assert err == "pinnkit: network.width: -3: at least 1 is needed\n"
    assert seconds < PATIENCE
    assert not (tmp_path / "outputs").exists()


DRIVER = """
import contextlib, io, json, sys
from pathlib import Path
from pinnkit.cli.train import train
answers = {}
for name, argv in json.load(sys.stdin).items():
    with contextlib.redirect_stderr(io.StringIO()):
        answers[name] = train(argv, Path(sys.argv[1]))
print(json.dumps([answers, [name for name in ("torch", "lightning", "matplotlib") if name in sys.modules]]))
"""


def test_no_mistake_loads_torch(write, conf, tmp_path):
    """What is slow to load stays away: every fourth of the cases above, in one process of its own."""
    cases = dict([pair for pair in CASES.items() if pair[0] != "no GPU"][::4])
    calls = {}
    for number, (case, (text, words, _)) in enumerate(cases.items()):
        argv = write(text.replace(HOSTILE, str(tmp_path / "trace")), name=f"case{number}")
        calls[case] = [*argv, *words]
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, str(conf)],
        input=json.dumps(calls), cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    answers, loaded = json.loads(done.stdout)
    assert answers == dict.fromkeys(cases, 2)
    assert loaded == []
    assert not (tmp_path / "trace").exists()
