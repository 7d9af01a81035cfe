from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from pinnkit.cli.compare import compare as command
from pinnkit.reporting.artifacts import RunFolder, RunFolderError
from pinnkit.reporting.compare import compare


def write(folder: Path, rows=(), **metrics) -> None:
    run = RunFolder(folder).create()
    run.write_metrics({"status": "finished", **metrics})
    lines = [
        {"step": step, "time_s": time, "objective": objective, "errors": errors}
        for step, time, objective, errors in rows
    ]
    if lines:
        run.path.joinpath("history.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Three runs, one of them failed, in a folder of several."""
    shared = ["pde=heat", "callbacks=quiet", "callbacks.figures=false"]
    write(
        tmp_path / "runs" / "a",
        [(10, 0.5, 1.0, {"u": 0.5, "v": 0.25}), (20, 1.5, 0.5, {"u": 0.125, "v": 0.25})],
        overrides=[*shared, "network.width=10", "network.depth=2"], relative_l2={"u": 0.125, "v": 0.25}, loss=0.5,
        residual_rms={"heat": 0.0625}, steps=20, train_time_s=1.5, seed=0, learned={"alpha": 0.1},
    )  # fmt: skip
    write(
        tmp_path / "runs" / "b",
        [(10, 0.25, 1.0, {"u": 0.75}), (15, 0.5, 1.0, {"u": 0.5}), (12, 0.4, 1.0, {"u": 0.25}), (30, 1, 1, {"u": 0.1})],
        overrides=[*shared, "network.width=20", "network.depth=2", "resume=x"], relative_l2={"u": 0.1}, steps=30,
        seed=0,
    )  # fmt: skip
    write(tmp_path / "runs" / "c", status="diverged", reason="heat is nan", overrides=shared, seed=0)
    return tmp_path / "runs"


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_table_has_the_overrides_that_differ_and_the_best_first(runs):
    found = compare([runs])
    path, _ = found.write(runs.parent / "results" / "out")
    assert path == runs.parent / "results" / "out.csv"
    rows = table(path)
    assert [row["run"] for row in rows] == ["b", "a", "c"]
    assert list(rows[0]) == [
        "run", "status", "network.depth", "network.width", "relative_l2.u", "relative_l2.v", "residual_rms.heat",
        "loss", "steps", "evaluations", "wall_time_s", "train_time_s", "seed", "learned.alpha", "reason",
    ]  # fmt: skip
    assert [row["network.width"] for row in rows] == ["20", "10", ""]
    assert (rows[1]["residual_rms.heat"], rows[1]["learned.alpha"]) == ("0.0625", "0.1")
    assert (rows[2]["status"], rows[2]["reason"]) == ("diverged", "heat is nan")
    assert "network.depth" not in compare([runs / "a", runs / "b"]).columns()  # of these two it is the same
    (runs / "c" / "metrics.json").unlink()
    (runs / "c" / "config.yaml").touch()  # a run that ended before it could say anything
    assert "network.depth" not in compare([runs]).columns()


def test_the_text_is_aligned_and_short(runs):
    write(runs / "a", relative_l2={"u": 1 / 3}, reason="one\ntwo")
    lines = compare([runs / "a", runs / "b"]).as_text(width=300).splitlines()
    assert len(lines) == 3
    start = lines[0].index("relative_l2.u")
    assert [line[start:].split()[0] for line in lines[1:]] == ["0.1", "0.333"]
    assert lines[2].endswith("one two")


@pytest.mark.parametrize("width", [72, 80, 120])
def test_the_text_fits_the_screen_and_says_what_is_left_out(width, runs):
    found = compare([runs])
    lines = found.as_text(width).splitlines()
    assert max(map(len, lines)) <= width
    assert {"run", "relative_l2.u"} <= set(lines[0].split())
    told = " ".join(lines[4:])
    failed, _, told = told.partition("left out: ")
    assert failed == "c: heat is nan "
    assert told.startswith("seed")  # it is the same in all
    columns = [*lines[0].split(), *told.split(", ")]
    assert set(columns) == set(found.columns()) - {"evaluations", "wall_time_s"}  # which no run has


def test_seeds_that_differ_are_shown_on_a_narrow_screen(runs):
    shared = {"evaluations": 9, "wall_time_s": 2.5, "residual_rms": {"heat": 0.5}, "train_time_s": 1.25, "loss": 0.5}
    for seed, name in enumerate("ab"):
        write(runs / name, overrides=["pde=heat"], seed=seed, reason="60 steps are done", **shared)
    lines = compare([runs / "a", runs / "b"]).as_text(50).splitlines()
    assert lines[0].split()[:4] == ["run", "seed", "residual_rms.heat", "loss"]  # beside what was swept
    assert {"reason", "status"}.isdisjoint(lines[0].split())


def test_runs_without_an_error_show_loss_and_residuals_and_say_by_what_they_are_ordered(runs):
    shared = {"evaluations": 9, "wall_time_s": 2.5, "train_time_s": 1.25, "steps": 9, "reason": "9 steps are done"}
    for name, weight, loss in (("a", "0.1", 0.25), ("b", "1", 0.5)):
        overrides = ["pde=heat", f"weighting.weights.ends={weight}"]
        write(runs / name, overrides=overrides, seed=0, loss=loss, residual_rms={"heat": 1 - loss}, **shared)
    head, first, _, *notes = compare([runs / "a", runs / "b"]).as_text(72).splitlines()
    assert head.split() == ["run", "weighting.weights.ends", "residual_rms.heat", "loss", "train_time_s"]
    assert first.split() == ["a", "0.1", "0.75", "0.25", "1.25"]
    told = " ".join(notes)
    assert told.startswith("left out: seed, ")  # it is the same in both
    doubt = ", in which their weights differ: compare the residuals"
    assert told.endswith(f"no error is known, so the order is that of the loss{doubt}")
    for name, width in (("a", 8), ("b", 9)):
        write(runs / name, overrides=[f"network.width={width}"], seed=0, loss=1 / width, **shared)
    assert compare([runs / "a", runs / "b"]).as_text().endswith("no error is known, so the order is that of the loss")
    assert "no error is known" not in compare([runs / "a"]).as_text()


def test_on_a_very_narrow_screen_the_end_of_long_names_is_shown(runs):
    lines = compare([runs]).as_text(40).splitlines()
    assert max(map(len, lines)) <= 40
    assert lines[0].startswith("run")


def test_many_runs_are_cut_to_the_best(runs):
    lines = compare([runs]).as_text(300, most=1).splitlines()
    assert (lines[1].split()[0], lines[2:]) == ("b", ["2 more runs"])


def test_a_line_of_the_figure_is_the_history_of_a_run(runs):
    figure = compare([runs]).draw()
    by_time, by_step = figure.axes
    assert {axes.get_xscale() for axes in figure.axes} == {axes.get_yscale() for axes in figure.axes} == {"log"}
    found = {line.get_label(): line.get_xydata().tolist() for line in by_step.lines}
    assert found == {
        "network.depth=2, network.width=10": [[10, 0.5], [20, 0.25]],  # the worst field
        "network.depth=2, network.width=20": [[10, 0.75], [12, 0.25], [30, 0.1]],  # it went back from 15 to 12
    }
    assert [line.get_xdata().tolist() for line in by_time.lines] == [[0.25, 0.4, 1.0], [0.5, 1.5]]
    (legend,) = figure.legends
    assert sorted(text.get_text() for text in legend.get_texts()) == sorted(found)


def test_many_runs_with_long_names_leave_room_for_the_lines(tmp_path):
    for number in range(20):
        words = ["network.activation=tanh", f"optimizer.learning_rate={number}", f"optimizer.max_parameters={number}"]
        write(tmp_path / str(number), [(10, 0.5, 1.0, {"u": 0.5}), (20, 5.0, 1.0, {"u": 0.1})], overrides=words)
    figure = compare([tmp_path]).draw()
    figure.draw_without_rendering()
    widths, heights = zip(*[axes.get_position().size * figure.get_size_inches() for axes in figure.axes], strict=True)
    assert min(widths) > 4.0
    assert min(heights) > 3.0


def test_without_a_reference_the_objective_is_drawn(tmp_path):
    write(tmp_path / "a", [(10, 0.5, 0.25, {})])
    write(tmp_path / "b")
    found = compare([tmp_path / "a", tmp_path / "b"])
    figure = found.draw()
    assert figure.axes[0].lines[0].get_xydata().tolist() == [[0.5, 0.25]]
    assert figure.axes[0].get_ylabel() == "objective"
    assert found.labels() == ["a", "b"]  # nothing else tells them apart
    (note,) = compare([tmp_path / "b"]).draw().axes[0].texts
    assert note.get_text() == "no run has a history.jsonl"


def test_runs_and_folders_of_runs_are_found_once(runs, tmp_path):
    write(runs / "a" / "evaluation", loss=1.0)  # of a run, and no run by itself
    write(tmp_path / "elsewhere" / "d", relative_l2={"u": 0.01})
    names = [row["run", "run"] for row in compare([runs, runs / "a", tmp_path / "elsewhere" / "d"]).rows]
    assert names == ["elsewhere/d", "runs/b", "runs/a", "runs/c"]


def test_a_folder_that_is_no_run_is_an_error(runs, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunFolderError, match="is no run folder, and holds none"):
        compare([runs, runs / "a" / "figures"])
    assert command([str(runs), "nowhere"]) == 2
    assert "nowhere: there is no such folder" in capsys.readouterr().err
    assert command([]) == 2
    assert "write the run folders" in capsys.readouterr().err
    assert not list(tmp_path.glob("comparison*"))
    assert command([str(runs)]) == 0
    assert "network.width" in capsys.readouterr().out
    assert len(table(tmp_path / "comparison.csv")) == 3
    assert (tmp_path / "comparison.png").read_bytes().startswith(b"\x89PNG")
