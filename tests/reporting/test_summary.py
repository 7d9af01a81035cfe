from __future__ import annotations

import csv
from pathlib import Path

import pytest

from pinnkit.reporting.artifacts import RunFolder, RunFolderError
from pinnkit.reporting.summary import summarise


def write(folder: Path, **metrics) -> None:
    RunFolder(folder).create().write_metrics({"status": "finished", **metrics})


def rows(sweep: Path) -> list[dict[str, str]]:
    path = summarise(sweep)
    assert path == sweep / "summary.csv"
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_rows_are_sorted_by_the_worst_error_then_loss_then_failures(tmp_path):
    write(tmp_path / "0", relative_l2={"u": 1e-9, "v": 3e-2}, loss=1e-12)
    write(tmp_path / "1", relative_l2={"u": 2e-2, "v": 1e-2}, loss=1e-3)
    write(tmp_path / "2", relative_l2={}, loss=5e-5)
    write(tmp_path / "3", loss=1e-5)
    write(tmp_path / "4", status="diverged", relative_l2={"u": 1e-20}, loss=1e-20, reason="term heat at x = 1")
    write(tmp_path / "5", status="interrupted", relative_l2={"u": 1e-3}, loss=1.0)
    write(tmp_path / "6", relative_l2={"u": float("nan"), "v": 1e-30}, loss=1.0)
    write(tmp_path / "7")
    (tmp_path / "8").mkdir()
    (tmp_path / "8" / "metrics.json").write_text('{"status": "fini')
    (tmp_path / "9").mkdir()
    (tmp_path / "9" / "config.yaml").write_text("")
    table = rows(tmp_path)
    assert [row["run"] for row in table] == ["5", "1", "0", "3", "2", "6", "7", "4", "8", "9"]
    by_run = {row["run"]: row for row in table}
    assert by_run["4"]["reason"] == "term heat at x = 1"
    assert by_run["6"]["reason"] == "not finite: relative_l2.u"
    assert by_run["6"]["relative_l2.u"] == ""
    assert float(by_run["6"]["relative_l2.v"]) == 1e-30
    assert by_run["8"]["status"] == "unreadable"
    assert "metrics.json: damaged" in by_run["8"]["reason"]
    assert by_run["9"]["status"] == "missing"
    assert "before it could write" in by_run["9"]["reason"]


def test_columns_are_the_union_over_runs_in_groups(tmp_path):
    write(
        tmp_path / "a",
        overrides=["network.width=10", "pde=heat", "seed=3"],
        relative_l2={"u": 1e-3},
        max_error={"u": 2e-3},
        residual_rms={"heat": 1e-4},
        loss=0.125,
        steps=100,
        evaluations=250,
        wall_time_s=4.5,
        train_time_s=4.0,
        seed=3,
        learned={"alpha": 0.1},
    )
    write(
        tmp_path / "b",
        overrides=["+network.depth=2", "~logger", "++pde=[a, b=c]", "steps=9"],
        relative_l2={"v": 1.0},
        seed=4,
    )
    table = rows(tmp_path)
    assert list(table[0]) == [
        "run",
        "status",
        "logger",
        "network.depth",
        "network.width",
        "override.steps",
        "pde",
        "relative_l2.u",
        "relative_l2.v",
        "max_error.u",
        "residual_rms.heat",
        "loss",
        "steps",
        "evaluations",
        "wall_time_s",
        "train_time_s",
        "seed",
        "learned.alpha",
        "reason",
    ]
    a, b = table
    assert (a["network.width"], a["pde"], a["seed"], a["learned.alpha"]) == ("10", "heat", "3", "0.1")
    assert (float(a["loss"]), a["steps"], a["evaluations"]) == (0.125, "100", "250")
    assert (float(a["max_error.u"]), float(a["residual_rms.heat"])) == (2e-3, 1e-4)
    assert (b["network.depth"], b["logger"], b["pde"], b["seed"]) == ("2", "~", "[a, b=c]", "4")
    assert (b["override.steps"], b["steps"], b["relative_l2.u"], b["network.width"]) == ("9", "", "", "")


def test_what_is_known_about_learned_values_has_its_own_columns(tmp_path):
    write(tmp_path / "0", learned={"alpha": {"value": 0.5, "exact": 0.25, "relative_error": 1.0}, "b": 2.0})
    (row,) = rows(tmp_path)
    found = {column: float(value) for column, value in row.items() if column.startswith("learned")}
    assert found == {
        "learned.alpha": 0.5,
        "learned.alpha.exact": 0.25,
        "learned.alpha.relative_error": 1.0,
        "learned.b": 2.0,
    }


def test_numbers_keep_all_their_digits(tmp_path):
    write(tmp_path / "a", relative_l2={"u": 0.1 + 0.2}, loss=1e-300 / 3)
    (row,) = rows(tmp_path)
    assert float(row["relative_l2.u"]) == 0.1 + 0.2
    assert float(row["loss"]) == 1e-300 / 3


def test_runs_are_found_at_any_depth_but_not_in_hidden_folders(tmp_path):
    write(tmp_path / "heat" / "0", loss=2.0)
    write(tmp_path / "1", loss=1.0)
    (tmp_path / "1" / ".hydra").mkdir()
    (tmp_path / "1" / ".hydra" / "config.yaml").write_text("")
    (tmp_path / "config.yaml").write_text("")
    assert [row["run"] for row in rows(tmp_path)] == ["1", "heat/0"]


def test_equal_rows_stand_in_the_order_of_their_numbers(tmp_path):
    for number in (10, 9, 1):
        write(tmp_path / str(number), loss=1.0)
    assert [row["run"] for row in rows(tmp_path)] == ["1", "9", "10"]


def test_summarising_again_gives_the_same_table_and_leaves_no_temporary_file(tmp_path):
    write(tmp_path / "0", loss=1.0)
    first = summarise(tmp_path).read_bytes()
    assert summarise(tmp_path).read_bytes() == first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "summary.csv"]


@pytest.mark.parametrize(
    "metrics", [{"loss": "low"}, {"relative_l2": [1]}, {"relative_l2": {"u": "x"}}, {"overrides": "pde=heat"}]
)
def test_metrics_of_the_wrong_kind_are_unreadable(tmp_path, metrics):
    write(tmp_path / "good", loss=1.0)
    write(tmp_path / "bad", **metrics)
    good, bad = rows(tmp_path)
    assert (good["run"], bad["run"], bad["status"]) == ("good", "bad", "unreadable")
    assert f"{next(iter(metrics))}" in bad["reason"]


def test_a_folder_without_runs_is_an_error(tmp_path):
    with pytest.raises(RunFolderError, match="no run folder below it"):
        summarise(tmp_path)
    with pytest.raises(RunFolderError, match="nowhere: there is no such folder"):
        summarise(tmp_path / "nowhere")
