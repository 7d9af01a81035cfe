"""The same run on a CUDA device."""

import numpy as np
import pytest
import torch

import pinnkit
from pinnkit.problem.problem import Problem


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_a_run_on_the_gpu_follows_the_run_on_the_cpu(heat_words, quick, tmp_path):
    solutions = {}
    for accelerator in ("cpu", "gpu"):
        settings = {**quick, "polish": "false", "trainer": {"max_steps": 40, "accelerator": accelerator}}
        solutions[accelerator] = pinnkit.solve(Problem(**heat_words), tmp_path / accelerator, settings)
    x = np.linspace(-1, 1, 11)
    fields = [solution(x=x, t=0.5)["u"] for solution in solutions.values()]
    np.testing.assert_allclose(fields[0], fields[1], rtol=1e-6, atol=1e-9)
    assert "cpu" not in solutions["gpu"].metrics["device"]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_features_on_the_gpu_solve_as_on_the_cpu(heat_words, quick, tmp_path):
    settings = {**quick, "method": "features", "trainer": {"accelerator": "gpu"}}
    solution = pinnkit.solve(Problem(**heat_words), tmp_path / "run", settings)
    assert solution.metrics["relative_l2"]["u"] < 1e-11
    assert solution.metrics["estimated_error"]["u"] < 1e-11


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
@pytest.mark.parametrize("engine", ["compiled", "jets"])
@pytest.mark.parametrize("chunk", [None, 64])
def test_compiled_engines_on_the_gpu_follow_nested_autograd(engine, chunk, heat_words, quick, tmp_path):
    """Several chunks too: a CUDA graph writes the results of each to the same place."""
    fields = {}
    for name in ("autograd", engine):
        settings = {
            **quick,
            "operators": {"engine": name, "chunk": chunk},
            "trainer": {"max_steps": 30, "accelerator": "gpu"},
        }
        solution = pinnkit.solve(Problem(**heat_words), tmp_path / name, settings)
        assert solution.metrics["operators"]["engine"] == name
        fields[name] = solution(x=np.linspace(-1, 1, 11), t=0.5)["u"]
    np.testing.assert_allclose(fields[engine], fields["autograd"], rtol=1e-7, atol=1e-10)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_missing_gpu_is_told(heat_words, quick, tmp_path):
    with pytest.raises(pinnkit.ProblemError, match=r"trainer\.accelerator: gpu: no CUDA device is at hand"):
        pinnkit.solve(Problem(**heat_words), tmp_path, {**quick, "trainer": {"accelerator": "gpu"}})
