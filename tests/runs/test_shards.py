"""Sums in shards: processes of any number take the same steps to the bit."""

import os
import subprocess
import sys

import pytest
import torch

import pinnkit
from pinnkit.problem.problem import Problem
from tests.runs.ranks import FIRST_ORDER, OPTIMIZERS
from tests.runs.test_ranks import ROOT, compare, run


def test_two_ranks_take_the_steps_of_one_to_the_bit_where_sums_are_sharded(tmp_path):
    """SOAP, whose ranks part at once where sums are not, and others; on points drawn by residual, of a family of
    problems, of a region, on a domain of shapes, in a mesh, with hard conditions, with two levels, two windows, and
    with weights of points and terms that change, too."""
    told = ["front soap 20 4", "front ssbroyden 15 4", "front spring 8 4", "family ssbroyden 10 4"]
    told += ["interface soap 12 4", "exact ssbroyden 8 4", "l_shape ssbroyden 10 4", "mesh ssbroyden 8 4"]
    told += ["volterra ssbroyden 8 4", "spread levels 9 4", "rar_d adam 10 4", "r3 ssbroyden 10 4"]
    told += ["continued ssbroyden 16 4", "front:causal adam 8 4", "front:attention ssbroyden 8 4", "front windows 12 4"]
    told += ["deflated ssbroyden 8 4"]
    alone = run(1, told, tmp_path / "1")[0]
    assert alone["l_shape ssbroyden 10 4"]["by_residual"] == ["edges", "equations"]
    assert alone["mesh ssbroyden 8 4"]["by_residual"] == ["equations"]
    assert alone["rar_d adam 10 4"]["by_residual"] == ["ends", "equations", "initial"]
    differences = compare(alone, run(2, told, tmp_path / "2"))
    assert set(differences.values()) == {0.0}


def with_two_threads(told, folder):
    """What one process has trained."""
    folder.mkdir()
    line = [sys.executable, str(ROOT / "tests" / "runs" / "ranks.py"), str(folder), *told]
    environment = {**os.environ, "OMP_NUM_THREADS": "2", "PYTHONPATH": str(ROOT)}
    subprocess.run(line, env=environment, check=True, timeout=900)
    return torch.load(folder / "rank0.pt")


@pytest.mark.slow
def test_ranks_with_one_thread_each_take_the_steps_of_one_with_two_to_the_bit(tmp_path):
    """Compiled, with arrays that are large enough for several threads, and points drawn by residual."""
    told = ["wide ssbroyden 10 4", "wide engd_w 6 4"]
    differences = compare(with_two_threads(told, tmp_path / "1"), run(2, told, tmp_path / "2"))
    assert set(differences.values()) == {0.0}


def test_a_resumed_run_may_change_the_number_of_ranks_to_the_bit(tmp_path):
    run(1, ["front ssbroyden 10 4", "l_shape ssbroyden 6 4"], tmp_path / "changed")
    told = ["front ssbroyden 20 4", "l_shape ssbroyden 10 4"]
    differences = compare(run(1, told, tmp_path / "1")[0], run(2, told, tmp_path / "changed"))
    assert set(differences.values()) == {0.0}


def test_shards_that_the_processes_cannot_share_are_refused(heat_words, quick, tmp_path):
    quick["trainer"] |= {"shards": 2, "devices": 4}
    told = r"trainer\.shards: 2: a number of processes that divides them is needed, not 4"
    with pytest.raises(pinnkit.ProblemError, match=told):
        pinnkit.solve(Problem(**heat_words), tmp_path / "run", quick)
    assert not (tmp_path / "run").exists()


def sharded(problems):
    """Each optimizer in four shards."""
    steps = {name: 200 if name in FIRST_ORDER else 50 for name in OPTIMIZERS}
    return [f"{problem} {name} {count} 4" for problem in problems for name, count in steps.items()]


@pytest.mark.slow
@pytest.mark.parametrize("ranks", [2, 4])
def test_sharded_ranks_take_the_steps_of_one_to_the_bit_on_every_problem(ranks, tmp_path):
    told = sharded(["spread", "front", "inverse"])
    differences = compare(run(1, told, tmp_path / "1")[0], run(ranks, told, tmp_path / str(ranks)))
    assert set(differences.values()) == {0.0}
