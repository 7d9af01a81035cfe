"""Of several processes that have ended, the one that tells the reason gives the exit code of the run."""

from __future__ import annotations

from pathlib import Path

import pytest
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError, ProcessFailure
from torch.distributed.launcher import api

from pinnkit.cli.launch import launch


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ([130, 2], 2),  # the launcher has interrupted the first
        ([130, 3], 3),
        ([2, 3, 130], 3),
        ([130, 130], 130),
        ([130, -9], 1),
        ([130, 1], 1),
        ([1, 130], 1),
        ([2, -15], 2),
    ],
)
def test_a_reason_wins_over_an_interruption(codes, expected, monkeypatch, capfd):
    failures = {rank: ProcessFailure(rank, 1000 + rank, code, "no file") for rank, code in enumerate(codes)}

    def ended(*_: str) -> None:
        raise ChildFailedError("train", failures)

    monkeypatch.setattr(api, "elastic_launch", lambda *_: ended)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert launch(len(codes), [], Path("out")) == expected
    how = "SIGKILL" if -9 in codes else "exit code 1"
    assert (f"ended by {how}" in capfd.readouterr().err) == (expected == 1)
