"""The stages that `optimizer=auto` stands for."""

import pytest
import torch

from pinnkit import memory
from pinnkit.training import automatic
from pinnkit.training.stages import Stage


@pytest.mark.parametrize(("free", "chosen"), [(16 * 1000**2, "ssbroyden"), (16 * 1000**2 - 1, "lbfgs")])
def test_auto_keeps_a_dense_matrix_where_half_of_the_free_memory_is_enough(free, chosen, monkeypatch):
    monkeypatch.setattr(automatic, "free_on", lambda device: free)
    found, reason = automatic.automatic(1000, torch.float64)
    assert found[-1].name == chosen
    assert ("affordable" if chosen == "ssbroyden" else "GB") in reason


def test_auto_heeds_the_memory_limit_of_a_container(monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "GROUP", tmp_path)
    for limit, chosen in ((16 * 1000**2, "ssbroyden"), (16 * 1000**2 - 1, "lbfgs")):
        for name, text in {"memory.max": str(limit + 5000), "memory.current": "5000", "memory.stat": ""}.items():
            (tmp_path / name).write_text(text)
        assert automatic.automatic(1000, torch.float64)[0][-1].name == chosen


def test_auto_keeps_no_matrix_beyond_its_limit():
    assert automatic.automatic(12_001, torch.float64)[0][-1].name == "lbfgs"


def test_auto_takes_spring_in_many_coordinates_and_parameters_on_a_cpu():
    assert automatic.automatic(4000, torch.float64, "cpu", 4)[0] == (Stage(automatic.WIDE),)
    for others in ((3999, torch.float64, "cpu", 4), (4000, torch.float64, "cpu", 3), (4000, torch.float32, "cpu", 4)):
        assert automatic.automatic(*others)[0][-1].name != "spring"


def test_auto_takes_spring_while_a_step_has_few_residuals():
    """Its matrices have a row for each equation and condition at each of its points."""
    for rows, chosen in ((automatic.SPRING_ROWS, "spring"), (automatic.SPRING_ROWS + 1, "ssbroyden")):
        assert automatic.automatic(4000, torch.float64, "cpu", 4, rows)[0][-1].name == chosen
