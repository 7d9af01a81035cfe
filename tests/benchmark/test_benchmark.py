"""The benchmark of one training step: its problems, its timer, a program that runs, and its table."""

import json
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest

from benchmark import step_comparison, step_table
from benchmark.matrix_products import count
from benchmark.peers.step_timing import BLOCK, StepTimer, read_work, source
from benchmark.step_problems import CASES, parts, save_points
from pinnkit.problem.checks import check
from tests.conftest import ROOT

SOLVED = ["kdv", "navier_stokes", "plate", "poisson_10", "poisson_2"]


@pytest.mark.parametrize("name", CASES)
def test_every_problem_can_be_read_and_is_well_posed(name):
    report = check(CASES[name].problem())
    assert report.mistakes == []
    assert report.warnings == []


def test_exact_solutions_are_given_and_wrong_ones_would_be_told():
    assert sorted(name for name in CASES if "exact" in CASES[name].words) == SOLVED
    for name in SOLVED:
        problem = CASES[name].problem()
        bumped = {field: value + 0.01 * value**2 + 0.001 for field, value in problem.exact.items()}
        assert check(problem.replace(exact=bumped)).mistakes != []


def test_taylor_mode_carries_as_many_parts_as_counted_by_hand():
    counted = {
        "burgers": 4, "allen_cahn": 4, "kdv": 5, "plate": 13, "navier_stokes": 6,
        "poisson_2": 4, "poisson_10": 12, "poisson_100": 102,
    }  # fmt: skip
    assert {name: parts(case) for name, case in CASES.items()} == counted
    assert count(13, depth=4) == 117


def test_the_peers_get_the_points_and_the_values_of_the_conditions(tmp_path):
    save_points(CASES["navier_stokes"].problem(), 32, 0, tmp_path / "points.npz")
    work = read_work(str(tmp_path / "points.npz"), "float64")
    assert (work.coordinates, work.fields, work.equations.shape) == (("x", "y", "t"), ("u", "v", "p"), (32, 3))
    x, y, t = work.conditions["boundary"].points.T
    values = work.conditions["boundary"].values
    np.testing.assert_allclose(values["v"][:, 0], np.sin(x) * np.cos(y) * np.exp(-0.02 * t), atol=1e-14)
    np.testing.assert_allclose(values["p"][:, 0], -(np.cos(2 * x) + np.cos(2 * y)) / 4 * np.exp(-0.04 * t), atol=1e-14)
    assert np.all(work.conditions["initial"].points[:, 2] == 0)


def test_the_peers_get_a_condition_on_the_laplacian_by_that_name(tmp_path):
    save_points(CASES["plate"].problem(), 32, 0, tmp_path / "points.npz")
    work = read_work(str(tmp_path / "points.npz"), "float32")
    assert set(work.conditions["boundary"].values) == {"u", "laplacian"}
    assert work.equations.dtype == np.float32
    load = source("plate", 0.5, 0.5, np.sin)
    assert load == pytest.approx(4 * np.pi**4)


def test_the_clock_gives_the_median_of_blocks_and_leaves_out_the_first(monkeypatch):
    now = iter([0.0, 3.0, 3.5, 4.5, 5.2])
    monkeypatch.setattr(time, "perf_counter", lambda: next(now))
    timer = StepTimer(steps=30, seconds=100.0)
    going = [timer.tick() for _ in range(4 * BLOCK)]
    assert going == [True] * (4 * BLOCK - 1) + [False]
    figures = timer.figures()
    assert figures["ms_per_step"] == pytest.approx(70.0)
    assert figures["ms_min"] == pytest.approx(50.0)
    assert figures["compile_s"] == pytest.approx(3.0 - 0.7)


def test_the_clock_stops_after_its_seconds_but_not_before_a_block_is_measured(monkeypatch):
    now = iter(range(0, 1000, 100))
    monkeypatch.setattr(time, "perf_counter", lambda: next(now))
    timer = StepTimer(steps=60, seconds=150.0)
    assert [timer.reached(step) for step in (10, 20, 30)] == [True, True, False]


def test_a_contestant_trains_and_prints_its_figures():
    work = step_comparison.Work("burgers", width=4, depth=2, points=32, dtype="float64")
    options = step_comparison.read(["--threads", "1", "--steps", "20", "--seconds", "10"])
    field = {one.name: one for one in step_comparison.programs(work, options)}
    assert {step_table.PRODUCTS, "pinnkit autograd"} < set(field)
    found = field["pinnkit autograd"].run(timeout=60)
    assert (found["name"], found["engine"]) == ("pinnkit autograd", "autograd")
    assert 0 < found["ms_min"] <= found["ms_per_step"] < 1000
    assert 0 < found["start_mib"] <= found["peak_mib"]
    assert 0 < found["loss"] < 10
    assert found["versions"]["torch"]


def test_a_contestant_that_fails_is_a_row_with_its_reason_and_does_not_run_again(tmp_path):
    (tmp_path / "broken.py").write_text("raise ImportError('there is no such framework')")
    (tmp_path / "slow.py").write_text("import time; time.sleep(60)")
    (tmp_path / "works.py").write_text("print('chatter'); print('{\"ms_per_step\": 2.0}')")
    field = [step_comparison.Program(name, sys.executable, tmp_path, (name,)) for name in ("broken", "slow", "works")]
    results = step_comparison.measure(field, rounds=2, timeout=1.0)
    assert results["broken"] == [{"error": "exit 1: ImportError: there is no such framework"}]
    assert results["slow"] == [{"error": "no result after 1 s"}]
    assert results["works"] == [{"ms_per_step": 2.0}] * 2


def made_up(*times):
    shared = {"compile_s": 1.0, "start_mib": 100.0, "peak_mib": 150.0, "loss": 0.5}
    return [{"ms_per_step": one, "ms_min": one - 1, **shared} for one in times]


def test_rows_are_medians_with_ratios_to_the_fastest_engine_and_failures_come_last():
    rounds = {
        "JAX reverse": made_up(12.0, 9.0, 10.0),
        "PINA": [{"error": "it cannot | at all"}],
        "pinnkit autograd": made_up(8.0, 9.0, 7.0),
        "pinnkit jets": made_up(5.0, 4.0, 30.0),
        step_table.PRODUCTS: made_up(6.0, 6.0, 6.0),
    }
    rows = step_table.rows(rounds)
    assert [row["name"] for row in rows] == [
        step_table.PRODUCTS,
        "pinnkit jets",
        "pinnkit autograd",
        "JAX reverse",
        "PINA",
    ]
    assert [row.get("ms_per_step") for row in rows] == [6.0, 5.0, 8.0, 10.0, None]
    assert [row.get("ratio") for row in rows] == [1.2, 1.0, 1.6, 2.0, None]
    assert rows[1]["ms_min"] == 3.0
    size = {"problem": "kdv", "width": 64, "depth": 4, "points": 8192, "dtype": "float32"}
    page = step_table.section({**size, "rows": rows})
    assert page[0] == "## kdv: 4 x 64, 8192 points, float32"
    assert "| pinnkit autograd | 8 | 6 | 1.6 | 1.0 | 150 | 100 |" in page
    assert "| PINA | it cannot \\| at all | | | | | |" in page
    bars = {line.replace("\\|", "").count("|") for line in page[2:-1]}
    assert bars == {len(step_table.COLUMNS) + 1}


def test_a_row_tells_the_engine_that_ran_in_place_of_the_named_one():
    chosen = [{**one, "engine": "jets"} for one in made_up(5.0)]
    rows = step_table.rows({"pinnkit auto": chosen, "pinnkit jets": chosen})
    assert [row.get("engine") for row in rows] == ["jets", None]
    size = {"problem": "kdv", "width": 64, "depth": 4, "points": 8192, "dtype": "float32"}
    assert [line.split(" | ")[0] for line in step_table.section({**size, "rows": rows})[4:6]] == [
        "| pinnkit auto (jets)",
        "| pinnkit jets",
    ]


def test_the_results_say_how_to_repeat_them_and_hide_the_place_of_the_interpreter(tmp_path, monkeypatch):
    results = {"pinnkit autograd": [{**one, "versions": {"torch": "2"}} for one in made_up(8.0)]}
    field = [SimpleNamespace(name="pinnkit autograd", shown=lambda: "python -m one")]
    monkeypatch.setattr(step_comparison, "programs", lambda work, options: field)
    monkeypatch.setattr(step_comparison, "measure", lambda field, rounds, timeout: results)
    words = ["--problems", "kdv", "--peers-python", "/home/me/python", "--output", str(tmp_path)]
    assert step_comparison.benchmark(words) == 0
    report = json.loads((tmp_path / "step.json").read_text())
    assert report["works"][0]["problem"] == "kdv"
    assert report["works"][0]["points"] == 8192
    page = (tmp_path / "step.md").read_text()
    assert "python scripts/benchmark_step.py --problems kdv --peers-python PYTHON" in page
    assert "/home/me" not in page
    assert "torch 2" in page
    assert "python -m one" in page


def test_a_second_version_of_a_package_is_told_apart():
    known = {"torch": "2.7"}
    step_comparison.note_versions(known, {"torch": "2.7", "lightning": "2.5"})
    step_comparison.note_versions(known, {"torch": "2.6"})
    assert known == {"torch": "2.7", "lightning": "2.5", "torch (peers)": "2.6"}


def test_an_unknown_problem_is_told_with_the_known_ones():
    script = [sys.executable, str(ROOT / "scripts" / "benchmark_step.py"), "--problems", "burger"]
    done = subprocess.run(script, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "there is no problem 'burger': choose of burgers, allen_cahn" in done.stderr


def test_the_comparison_loads_no_torch():
    """A parent that has loaded torch would show in the memory that its children start with."""
    code = "import sys, benchmark.step_comparison; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT / "scripts")
