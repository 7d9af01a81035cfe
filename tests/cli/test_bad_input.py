"""Every mistake in a problem or its data is answered: exit code 2, the key, the place, the rule, the right thing."""

from __future__ import annotations

import math
import os
import re

import pytest

from pinnkit.cli.check import check
from pinnkit.cli.train import train
from tests.cli.bad_inputs import CASES, HOSTILE, with_samples

DATA: dict[str, tuple[str | None, str]] = {
    "missing file": (None, "conditions.samples.data: there is no file '"),
    "missing column": ("x,u\n0,1\n", "conditions.samples.data: there is no column t; columns are x, u"),
    "NaN": ("x,t,u\n0,0,1\n0,0.5,nan\n", "conditions.samples.data: 'samples.csv': column u, entry 2 is nan"),
    "row outside": ("x,t,u\n0,3,1\n", "conditions.samples.data: row 1 has t = 3, outside the domain [0, 1]"),
    "text": ("x,t,u\n0,3,one\n", "conditions.samples.data: 'samples.csv', row 1, column u: 'one' is not a number"),
}


@pytest.fixture(autouse=True)
def _no_run(nothing_starts, monkeypatch, tmp_path):
    """A mistake that slips through fails the test; it does not train."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("case", CASES)
def test_a_mistake_is_answered(case, write, conf, capsys, tmp_path):
    text, words, expected = CASES[case]
    trace = tmp_path / "trace"
    argv = [*write(text.replace(HOSTILE, str(trace))), *words]
    assert train(argv, conf) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("pinnkit: ")
    for part in expected:
        assert part in err
    assert os.environ["HOME"] not in err.replace(str(tmp_path), "")
    assert not trace.exists()


@pytest.mark.parametrize("case", [case for case, (_, words, _) in CASES.items() if words][1::3])
def test_what_train_refuses_check_refuses_too(case, write, conf, capsys, tmp_path):
    text, words, _ = CASES[case]
    argv = [*write(text.replace(HOSTILE, str(tmp_path / "trace"))), *words]
    assert train(argv, conf) == 2
    told = capsys.readouterr().err
    assert check(argv, conf) == 2
    assert capsys.readouterr().err == told


@pytest.mark.parametrize("case", DATA)
def test_a_mistake_in_a_data_file_is_answered(case, write, conf, capsys):
    rows, expected = DATA[case]
    text, files = with_samples(rows)
    assert train(write(text, **files), conf) == 2
    err = capsys.readouterr().err
    assert expected in err
    assert len(err.splitlines()) == 1


def test_how_far_the_exact_solution_is_off(write, conf, capsys):
    """u = e^-t sin(pi x) leaves (alpha pi^2 - 1) u."""
    train(write(CASES["exact misses the equation"][0]), conf)
    size, x, t = map(float, re.search(r"is (\S+) at x = (\S+), t = (\S+) ", capsys.readouterr().err).groups())
    assert size == pytest.approx((1 - 0.1 * math.pi**2) * math.exp(-t) * abs(math.sin(math.pi * x)), rel=1e-2)
