from __future__ import annotations

import json
import math
import os
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from pinnkit.reporting.artifacts import RunFolder, RunFolderError
from pinnkit.reporting.atomic import atomic, write_text


@pytest.fixture
def run(tmp_path) -> RunFolder:
    return RunFolder(tmp_path / "outputs" / "heat" / "2025-01-01_12-00-00").create()


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_paths_are_those_of_the_design(tmp_path):
    run = RunFolder(tmp_path)
    names = "config metrics solution figures checkpoints last_checkpoint previous_checkpoint best_checkpoint"
    names += " tensorboard history log"
    assert [getattr(run, name).relative_to(tmp_path).as_posix() for name in names.split()] == [
        "config.yaml",
        "metrics.json",
        "solution.npz",
        "figures",
        "checkpoints",
        "checkpoints/last.ckpt",
        "checkpoints/previous.ckpt",
        "checkpoints/best.ckpt",
        "tensorboard",
        "history.jsonl",
        "train.log",
    ]


def test_create_keeps_what_is_there(run):
    run.write_config("a: 1\n")
    assert run.create().read_config() == "a: 1\n"
    assert run.figures.is_dir()
    assert run.checkpoints.is_dir()


def test_create_over_a_file_is_an_error(tmp_path):
    (tmp_path / "taken").write_text("")
    for path in (tmp_path / "taken", tmp_path / "taken" / "below"):
        with pytest.raises(RunFolderError, match=r"taken(/below)? is a file"):
            RunFolder(path).create()


def test_metrics_become_plain_json_with_status_first(run):
    run.write_metrics(
        {
            "relative_l2": {"u": np.float64(3.1e-8), "v": np.float32(0.5)},
            "steps": np.int64(7),
            "status": "finished",
            "ok": np.bool_(True),
            "checkpoint": Path("a") / "b",
            "weights": np.array([1.0, 2.0]),
            "versions": ("2.13", None),
        }
    )
    text = run.metrics.read_text()
    read = json.loads(text, parse_constant=pytest.fail)
    assert list(read) == ["status", "relative_l2", "steps", "ok", "checkpoint", "weights", "versions"]
    assert read == run.read_metrics()
    assert read["relative_l2"] == {"u": 3.1e-8, "v": 0.5}
    assert (read["steps"], read["ok"], read["checkpoint"]) == (7, True, "a/b")
    assert (read["weights"], read["versions"]) == ([1.0, 2.0], ["2.13", None])


def test_values_that_are_not_finite_become_null_and_are_named(run):
    run.write_metrics(
        {
            "status": "diverged",
            "loss": math.nan,
            "relative_l2": {"u": np.float64("inf"), "v": 1.0},
            "w": np.array([1.0, np.nan]),
            "max_error": None,
        }
    )
    read = json.loads(run.metrics.read_text(), parse_constant=pytest.fail)
    assert read["loss"] is None
    assert read["relative_l2"] == {"u": None, "v": 1.0}
    assert read["w"] == [1.0, None]
    assert read["not_finite"] == ["loss", "relative_l2.u", "w.1"]


def test_metrics_need_a_status_and_json_values(run):
    with pytest.raises(RunFolderError, match=r"metrics\.json: status = None"):
        run.write_metrics({"loss": 1.0})
    with pytest.raises(TypeError, match=r"learned\.k = .*complex"):
        run.write_metrics({"status": "finished", "learned": {"k": 1j}})
    assert files(run.path) == set()


def test_text_keeps_its_line_ends_and_letters(run):
    text = "name: Wärme\r\nβ: 0.1\n"
    run.write_config(text)
    assert run.read_config() == text
    assert run.config.read_bytes() == text.encode()


def test_solution_round_trip_is_exact(run):
    generator = np.random.default_rng(1)
    # `file` and `allow_pickle` are arguments of np.savez_compressed, and must be possible names all the same.
    arrays = {
        "x": generator.standard_normal((4, 5)),
        "file": np.array([np.nan, -0.0, 5e-324]),
        "allow_pickle": np.arange(3, dtype=np.float32),
        "u_reference": generator.standard_normal((0, 2)),
    }
    run.write_solution(arrays)
    read = run.read_solution()
    assert list(read) == list(arrays)
    for name, values in arrays.items():
        assert read[name].dtype == values.dtype
        assert read[name].shape == values.shape
        assert read[name].tobytes() == values.tobytes()


def test_figures_are_written_as_png_of_150_dpi(run):
    figure = Figure(figsize=(2.0, 1.0))
    axes = figure.subplots()
    assert run.write_figures({"solution_u": figure}) == [run.figures / "solution_u.png"]
    content = (run.figures / "solution_u.png").read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    assert (int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big")) == (300, 150)
    assert files(run.path) == {"figures/solution_u.png"}
    axes.plot([0, 1])  # still open


@pytest.mark.parametrize("name", ["../u", "a/b", "", ".hidden", "a b", "ü"])
def test_figure_names_cannot_leave_the_folder(run, name):
    with pytest.raises(ValueError, match="figure name"):
        run.write_figures({"good": Figure(), name: Figure()})
    assert files(run.path) == set()


def test_writing_replaces_and_leaves_no_temporary_file(run):
    for value in (1.0, 2.0):
        run.write_metrics({"status": "finished", "loss": value})
        run.write_config(f"a: {value}\n")
        run.write_solution({"u": np.full(3, value)})
        run.write_figures({"u": Figure()})
    assert files(run.path) == {"metrics.json", "config.yaml", "solution.npz", "figures/u.png"}
    assert run.read_metrics()["loss"] == 2.0
    assert run.read_config() == "a: 2.0\n"
    assert run.read_solution()["u"].tolist() == [2.0] * 3


def test_a_failed_write_leaves_the_former_file(run, monkeypatch):
    run.write_metrics({"status": "finished", "loss": 1.0})
    run.write_solution({"u": np.ones(3)})
    run.write_figures({"u": Figure()})
    before = {name: (run.path / name).read_bytes() for name in files(run.path)}

    with pytest.raises(ValueError, match="dtype object"):  # after `u` was written into the temporary archive
        run.write_solution({"u": np.zeros(3), "v": np.array([object()])})

    def full_disk(*_, **__):
        raise OSError(28, "No space left on device")

    broken = Figure()
    monkeypatch.setattr(broken, "savefig", full_disk)
    with pytest.raises(OSError, match="No space"):
        run.write_figures({"u": broken})
    monkeypatch.setattr(os, "replace", full_disk)
    with pytest.raises(OSError, match="No space"):
        run.write_metrics({"status": "finished", "loss": 2.0})
    assert {name: (run.path / name).read_bytes() for name in files(run.path)} == before


def test_atomic_shows_nothing_before_the_end(tmp_path):
    target = tmp_path / "table.csv"
    write_text(target, "old")
    with atomic(target) as temporary:
        temporary.write_text("new")
        assert temporary.parent == tmp_path
        assert target.read_text() == "old"
    assert target.read_text() == "new"
    assert files(tmp_path) == {"table.csv"}


def test_atomic_files_have_the_usual_permissions(tmp_path):
    write_text(tmp_path / "atomic", "")
    (tmp_path / "plain").write_text("")
    assert (tmp_path / "atomic").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_folder_that_is_no_run_folder_is_named(tmp_path):
    missing = RunFolder(tmp_path / "nothing")
    for read in (missing.read_metrics, missing.read_config, missing.read_solution):
        with pytest.raises(RunFolderError, match=r"nothing: there is no such folder; expected a run folder"):
            read()
    for write in (missing.write_metrics, missing.write_solution, missing.write_figures):
        with pytest.raises(RunFolderError, match=r"nothing: there is no such folder; create\(\)"):
            write({"status": "finished"} if write == missing.write_metrics else {})
    with pytest.raises(RunFolderError, match=r"there is no metrics\.json in it; expected a run folder$"):
        RunFolder(tmp_path).read_metrics()


def test_the_nearest_run_folder_is_suggested(run):
    run.write_config("a: 1")
    for wrong in (run.path.parent, run.path.parent.parent, run.checkpoints, run.config):
        with pytest.raises(RunFolderError) as error:
            RunFolder(wrong).read_config()
        assert f"Did you mean {run.path}?" in str(error.value)


@pytest.mark.parametrize("text", ["[" * 100_000, "", "{", '{"status": "finished", "loss": NaN}', "[1]", '{"loss": 1}'])
def test_damaged_metrics_are_named(run, text):
    run.metrics.write_text(text)
    with pytest.raises(RunFolderError, match=r"metrics\.json: damaged, expected"):
        run.read_metrics()


def test_damaged_text_is_named(run):
    run.config.write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(RunFolderError, match=r"config\.yaml: damaged, expected UTF-8"):
        run.read_config()


def test_damaged_solutions_are_named(run):
    run.write_solution({"u": np.random.default_rng(0).standard_normal(1000)})
    whole = run.solution.read_bytes()
    corrupt = bytearray(whole)
    corrupt[len(whole) // 2] ^= 0xFF
    for content in (b"", b"not a zip", whole[: len(whole) // 2], bytes(corrupt)):
        run.solution.write_bytes(content)
        with pytest.raises(RunFolderError, match=r"solution\.npz: damaged, expected arrays"):
            run.read_solution()
    with run.solution.open("wb") as file:
        np.save(file, np.ones(3))
    with pytest.raises(RunFolderError, match=r"solution\.npz: damaged, expected arrays"):
        run.read_solution()
    with run.solution.open("wb") as file:
        np.savez(file, u=np.array([{"pickled": 1}], dtype=object))
    with pytest.raises(RunFolderError, match=r"solution\.npz: damaged, expected arrays"):
        run.read_solution()
