"""Whole runs with a complex field: training, solution, metrics, export, figures."""

import csv
import json

import numpy as np
import pytest

from pinnkit.cli.evaluate import evaluate
from tests.runs.small import solved

SPIRAL = {
    "name": "spiral",
    "coordinates": {"t": [0, 2]},
    "fields": {"h": "complex"},
    "equations": {"turn": "h_t = (i - 0.5)*h"},
    "conditions": {"start": {"at": "t = 0", "equations": "h = 1"}},
    "exact": {"h": "exp((i - 0.5)*t)"},
}
SETTINGS = {
    "network": {"width": 6, "depth": 1},
    "sampling": {"equations": 24},
    "operators": {"engine": "autograd"},
    "phases": ["ssbroyden"],
    "callbacks": {"progress": False, "figures": False, "evaluate_every": 40},
    "logger": {"tensorboard": False},
}


def test_a_complex_field_is_trained_measured_and_written(tmp_path, capsys):
    solution = solved(tmp_path, SPIRAL, SETTINGS | {"trainer": {"max_steps": 120}})
    metrics = solution.metrics
    assert metrics["status"] == "finished"
    t = np.linspace(0, 2, 11)
    found, expected = solution(t=t)["h"], np.exp((1j - 0.5) * t)
    assert found.dtype == np.complex128
    assert np.abs(found - expected).max() < 1e-2
    with np.load(tmp_path / "solution.npz") as saved:
        assert saved["h"].dtype == saved["h_reference"].dtype == np.complex128
        error = saved["h"] - saved["h_reference"]
        relative = np.linalg.norm(error) / np.linalg.norm(saved["h_reference"])
        assert metrics["relative_l2"]["h"] == pytest.approx(relative, rel=1e-12)
        assert metrics["max_error"]["h"] == pytest.approx(np.abs(error).max(), rel=1e-12)
        assert metrics["minimum"]["h"] == pytest.approx(np.abs(saved["h"]).min(), rel=1e-12)
        assert metrics["maximum"]["h"] == pytest.approx(np.abs(saved["h"]).max(), rel=1e-12)
        values = saved["h"]
    assert set(metrics["residual_rms"]) == {"turn_re", "turn_im"}
    written = json.loads((tmp_path / "metrics.json").read_text(), parse_constant=pytest.fail)
    assert "not_finite" not in written
    rows = [json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines()]
    assert [row["errors"]["h"] for row in rows if row.get("errors")][-1] < 1e-2
    assert evaluate([f"run={tmp_path}", "export=csv"]) == 0
    capsys.readouterr()
    drawn = {path.stem for path in (tmp_path / "evaluation" / "figures").iterdir()}
    assert {"solution_h", "phase_h", "reference_h", "reference_phase_h", "error_h"} <= drawn
    with (tmp_path / "evaluation" / "solution.csv").open(newline="") as file:
        header, *lines = csv.reader(file)
    assert header == ["t", "h_re", "h_im", "h_reference_re", "h_reference_im"]
    assert np.allclose([float(line[2]) for line in lines], values.imag, rtol=0, atol=1e-12)


def test_a_hard_condition_holds_for_both_parts(tmp_path):
    words = SPIRAL | {"conditions": {"start": {"at": "t = 0", "equations": "h = 2 - i", "hard": True}}, "exact": {}}
    solution = solved(tmp_path, words, SETTINGS | {"trainer": {"max_steps": 3}})
    assert abs(solution(t=0.0)["h"] - (2 - 1j)) < 1e-14
