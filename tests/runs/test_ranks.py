"""Two processes take the steps of one: each optimizer, on points drawn by rule and by residual."""

import json
import math
import re
from pathlib import Path

import pytest
import torch

from tests.processes import completed, joined
from tests.runs.ranks import FIRST_ORDER, OPTIMIZERS

ROOT = Path(__file__).resolve().parents[2]
STEPS = {"gauss_newton": 6, "gauss_newton_cg": 6, "engd_w": 6, "spring": 3}
"""Else 15. Rounding is amplified from step to step: after 50, paths of these small problems differ by 1e-15 to 1e-2."""


def names(problems, first_order=200, optimizers=OPTIMIZERS):
    steps = {**dict.fromkeys(FIRST_ORDER, first_order), **STEPS}
    return [f"{problem} {optimizer} {steps.get(optimizer, 15)}" for problem in problems for optimizer in optimizers]


def run(ranks, names, folder):
    """What each rank has trained, with one thread; a run that is there already goes on."""
    folder.mkdir(exist_ok=True)
    script, words = ROOT / "tests" / "runs" / "ranks.py", (folder, *names)
    if ranks == 1:
        done = completed(script, *words, cwd=folder, timeout=900)
        assert done.returncode == 0, done.stderr
    else:
        joined(script, ranks, *words, cwd=folder, timeout=900)
    return [torch.load(folder / f"rank{rank}.pt") for rank in range(ranks)]


def compare(alone, ranks):
    """The relative differences of what several ranks and one have trained, by name; infinite where their points differ.

    The ranks are equal to the bit, their points are disjoint, and the union of these is the whole set.
    """
    differences = {}
    for name, expected in alone.items():
        first, *others = (found[name] for found in ranks)
        for other in others:
            assert torch.equal(other["parameters"], first["parameters"]), name
        own = [tuple(point) for found in ranks for point in found[name]["own"].tolist()]
        assert len(own) == len(set(own))
        assert set(own) == {tuple(point) for point in first["points"].tolist()}
        difference = (first["parameters"] - expected["parameters"]).norm() / expected["parameters"].norm()
        same = all(torch.equal(first[points], expected[points]) for points in ("points", "conditions"))
        differences[name] = float(difference) if same else math.inf
    return differences


def largest(differences):
    """The largest of them but SOAP's: rounding chooses its first basis where G G' has a null space."""
    return max(difference for name, difference in differences.items() if " soap " not in name)


def test_two_ranks_take_the_steps_of_one(tmp_path):
    others = {"gauss_newton_cg", "engd_w"}  # whose rows are those of gauss_newton and spring
    told = names(["front"], 40, [one for one in OPTIMIZERS if one not in others])
    alone = run(1, told, tmp_path / "1")[0]
    assert alone["front ssbroyden 15"]["by_residual"] == ["equations", "initial"]
    assert largest(compare(alone, run(2, told, tmp_path / "2"))) < 1e-9


@pytest.mark.slow  # a quick test of the same with sums in shards is in test_shards.py
def test_another_number_of_ranks_goes_on_to_the_same_end(tmp_path):
    first, whole = "spread ssbroyden 8", "spread ssbroyden 16"
    run(1, [first], tmp_path / "1")
    found = compare(run(1, [whole], tmp_path / "whole")[0], run(2, [whole], tmp_path / "1"))
    assert (
        json.loads((tmp_path / "1" / "spread_ssbroyden" / "history.jsonl").read_text().splitlines()[-1])["step"] == 16
    )
    assert found[whole] < 1e-10


def test_ranks_go_back_together_where_one_of_them_diverges(tmp_path):
    name = "breaking adam 40"
    assert compare(run(1, [name], tmp_path / "1")[0], run(2, [name], tmp_path / "2"))[name] < 1e-9
    logs = [(tmp_path / ranks / "breaking_adam" / "train.log").read_text() for ranks in ("1", "2")]
    accounts = [re.findall(r"training diverged at step 12: .*", log) for log in logs]
    assert accounts[0] == accounts[1]
    assert "the term 'heat' is inf at x = 0.9" in accounts[0][0]
    assert "back to step 8, with steps of half the size (1 of 3)" in accounts[0][0]


@pytest.mark.slow
@pytest.mark.parametrize("ranks", [2, 4])
def test_ranks_take_the_steps_of_one_on_every_problem(ranks, tmp_path, record_property):
    told = names(["spread", "front", "inverse"])
    differences = compare(run(1, told, tmp_path / "1")[0], run(ranks, told, tmp_path / str(ranks)))
    for name, difference in differences.items():
        record_property(name, difference)
    assert largest(differences) < 1e-9
