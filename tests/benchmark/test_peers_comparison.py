"""The comparison with other frameworks: its options, rows, tables, and the table of the README."""

import json
from dataclasses import asdict
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import yaml

from benchmark import peers_comparison, peers_table
from benchmark.peers import comparison_timing
from pinnkit.language.calculus import substitute_fields, symbol
from pinnkit.language.evaluate import Program
from pinnkit.runs.shipped import problems
from tests.conftest import ROOT

CONF = ROOT / "conf"


def made_up():
    common = {"size": {"width": 20, "depth": 3, "activation": "tanh", "equations": 2048, "conditions": 400}}
    common |= {"seconds": 60.0, "date": "2026-01-31", "status": "finished", "problem": "heat"}
    error = {
        "task": "error",
        "error": 1.26e-9,
        "steps": 5,
        "train_time_s": 60.0,
        "recipe": "auto",
        "compile_s": 4.0,
        "cpu_share": 0.987,
    }
    rows = [
        {**common, **error, "framework": "pinnkit", "versions": {"torch": "2.13.0"}},
        {**common, "task": "step", "framework": "pinnkit", "ms_per_step": 4.321, "ms_min": 4.0},
        {**common, "task": "error", "framework": "jinns", "status": "cannot", "reason": "boxes alone"},
        {**common, "task": "step", "framework": "jinns", "status": "failed", "reason": "exit 1: a | b"},
    ]
    return {"rows": rows, "seconds": 60.0, "command": "python it.py", "machine": "one", "commit": "abc", "note": "busy"}


def test_the_table_has_a_line_for_errors_and_one_for_times():
    assert peers_table.table(made_up()).splitlines() == [
        "| problem |  | pinnkit | jinns |",
        "| --- | --- | --- | --- |",
        "| `heat` | error after 60 s | 1.3e-09 | cannot |",
        "|  | ms a step | 4.32 | failed |",
    ]
    page = peers_table.markdown(made_up())
    assert "| heat | pinnkit | 1.26e-09 | 5 | 60.0 | 4.0 | 99% | auto | 4.32 | 4 |" in page
    assert "| heat | jinns | boxes alone |  |  |  |  |  | failed |  |" in page
    assert "| heat | 3 x 20, tanh | 2048 | 400 |" in page
    assert "- note: busy\n" in page


def test_the_table_is_put_between_its_lines_and_nowhere_else():
    page = f"a\n{peers_table.BEGIN}\nold\n{peers_table.END}\nb\n"
    assert peers_table.replaced(page, "new\n") == f"a\n{peers_table.BEGIN}\nnew\n{peers_table.END}\nb\n"
    assert peers_table.replaced("a\n", "new\n") == "a\n"


def test_the_table_of_the_readme_is_that_of_the_run():
    report = json.loads((ROOT / "docs" / "results" / "peers.json").read_text())
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert peers_table.table(report) in readme
    assert peers_table.replaced(readme, peers_table.table(report)) == readme
    assert (ROOT / "docs" / "results" / "peers.md").read_text(encoding="utf-8") == peers_table.markdown(report)
    assert {(row["problem"], row["framework"]) for row in report["rows"]} == {
        (problem, framework) for problem in peers_table.PROBLEMS for framework in peers_table.FRAMEWORKS
    }


def test_rows_that_are_there_are_kept_and_others_made(tmp_path, monkeypatch):
    def perform(problem, framework, task, *_):
        done.append((problem, framework, task))
        figures = {"error": 1e-3, "steps": 2, "train_time_s": 1.0, "recipe": "x", "ms_per_step": 2.0, "ms_min": 1.0}
        return {"status": "finished", **figures}

    done = []
    monkeypatch.setattr(peers_comparison, "perform", perform)
    monkeypatch.setattr(peers_comparison, "confine", lambda threads: None)
    monkeypatch.setattr(peers_comparison, "code", lambda *_: "abc")
    words = ["--problems", "heat", "--seconds", "1", "--out", str(tmp_path), "--append", "--frameworks", "pinnkit"]
    assert peers_comparison.benchmark(words, ROOT / "scripts") == 0
    assert peers_comparison.benchmark([*words, "DeepXDE"], ROOT / "scripts") == 0
    pairs = [("pinnkit", "step"), ("pinnkit", "error"), ("DeepXDE", "step"), ("DeepXDE", "error")]
    assert done == [("heat", framework, task) for framework, task in pairs]
    report = json.loads((tmp_path / "peers.json").read_text())
    assert len(report["rows"]) == 4
    assert report["command"].endswith("--problems heat --frameworks pinnkit DeepXDE --seconds 1")
    assert (tmp_path / "peers.md").read_text() == peers_table.markdown(report)


def test_a_problem_that_is_not_compared_is_refused(capsys):
    with pytest.raises(SystemExit):
        peers_comparison.read(["--problems", "kdv"])
    assert "invalid choice: 'kdv'" in capsys.readouterr().err


def printed(folder, *lines):
    folder.mkdir(exist_ok=True)
    (folder / "stdout").write_text("chatter\n" + "\n".join(json.dumps(line) for line in lines))
    (folder / "stderr").write_text("Error: broken\n")


def test_what_a_program_prints_becomes_a_row(tmp_path):
    measured = [{"time": 2.0, "error": 0.5, "step": 9}, {"time": 4.0, "error": 0.25, "step": 20}]
    printed(tmp_path, *measured, {"versions": {"torch": "2"}}, {"recipe": "Adam"})
    row = peers_comparison.outcome(tmp_path, 0, "error")
    assert (row["status"], row["error"], row["steps"], row["train_time_s"]) == ("finished", 0.25, 20, 4.0)
    assert row["curve"] == [[2.0, 0.5, 9], [4.0, 0.25, 20]]
    assert peers_comparison.outcome(tmp_path, 1, "error")["reason"] == "exit 1: Error: broken"
    printed(tmp_path, measured[0], {"time": 4.0, "error": float("nan"), "step": 20})
    assert peers_comparison.outcome(tmp_path, 0, "error")["reason"] == "not finite"
    printed(tmp_path, {"ms_per_step": 2.0, "ms_min": 1.0})
    assert peers_comparison.outcome(tmp_path, 0, "step")["ms_per_step"] == 2.0


def test_all_frameworks_have_the_network_and_the_points_that_pinnkit_chooses():
    size = peers_comparison.size("poisson_2d", CONF)
    found = {"width": 20, "depth": 3, "activation": "sin", "equations": 2048, "conditions": 400}
    assert asdict(size) == found
    assert peers_comparison.size("back_step_flow", CONF).width == 30
    assert size.words()[:4] == ["--width", "20", "--depth", "3"]


@pytest.mark.parametrize("name", peers_table.PROBLEMS)
def test_the_peers_solve_on_the_box_and_for_the_fields_of_the_shipped_problem(name):
    problem, _ = peers_comparison.posed(name, CONF)
    words = yaml.safe_load(problems()[name].read_text(encoding="utf-8"))
    assert list(problem.coordinates) == list(comparison_timing.COORDINATES[name])
    assert {axis: tuple(ends) for axis, ends in words["coordinates"].items()} == comparison_timing.COORDINATES[name]
    assert tuple(field.name for field in problem.fields) == comparison_timing.fields(name)


def test_the_peers_are_measured_where_pinnkit_is(tmp_path):
    peers_comparison.save_reference("poisson_2d", CONF, tmp_path / "data" / "poisson_2d.npz")
    with np.load(tmp_path / "data" / "poisson_2d.npz") as file:
        x, y = file["points"].T
        np.testing.assert_allclose(file["values"][:, 0], np.sin(np.pi * x) * np.sin(np.pi * y), atol=1e-14)
        assert len(x) == 201**2


def test_the_error_is_that_of_the_worst_field():
    exact = np.array([[1.0, 2.0], [1.0, 2.0]])
    assert comparison_timing.worst_relative_l2(exact * [1.1, 0.5], exact) == pytest.approx(0.5)


def test_the_embedding_of_the_peers_is_that_of_pinnkit():
    from pinnkit.networks.embeddings import CoordinateEmbedding

    points = torch.tensor([[0.0, 2.0], [1.0, 0.5], [4.0, 1.0]], dtype=torch.float64)
    ours = CoordinateEmbedding([0, 0], [4, 2])(points)
    torch.testing.assert_close(comparison_timing.torch_embedding("back_step_flow", torch)(points), ours)
    ours = CoordinateEmbedding([-1, 0], [1, 1], periodic=[0])(points)
    torch.testing.assert_close(comparison_timing.torch_embedding("allen_cahn", torch)(points), ours)


def test_the_clock_ends_adam_after_its_share_and_training_after_its_time(tmp_path, monkeypatch, capsys):
    np.savez(tmp_path / "data.npz", points=np.zeros((2, 1)), values=np.ones((2, 1)))
    now = [0.0]
    monkeypatch.setattr(comparison_timing.TrainingTimer, "time", property(lambda self: now[0]))
    options = SimpleNamespace(data=tmp_path / "data.npz", task="error", seconds=10.0, steps=10)
    clock = comparison_timing.Clock(options, lambda points: 1.5 + points)
    answers = []
    for now[0] in (3.9, 4.1, 10.0):
        answers.append((clock.tick(20), clock.adam_is_over, clock.over))
    assert answers == [(True, False, False), (True, True, False), (False, True, True)]
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["error"], line["step"]) for line in lines] == [(0.5, 20), (0.5, 60)]


def test_the_weights_of_the_peers_are_those_of_the_problem_files():
    flow, _ = peers_comparison.posed("back_step_flow", CONF)
    x, y = 1.5, 0.25
    values = {symbol("x"): np.array([x]), symbol("y"): np.array([y])}
    (near,) = Program([flow.equations[0].weight])({**flow.values, **values})
    np.testing.assert_allclose(comparison_timing.corner(x, y), near)
    fronts, _ = peers_comparison.posed("allen_cahn", CONF)
    values = {symbol("u"): np.array([0.3]), symbol("t"): np.array([0.4])}
    weight = substitute_fields(fronts.equations[0].weight, {"u": 0.3})
    (found,) = Program([weight])({**fronts.values, **values})
    np.testing.assert_allclose(comparison_timing.growth(0.3, 0.4, np.exp), found)
    assert sum(high - low for *_, (low, high) in comparison_timing.WALLS) == 9
