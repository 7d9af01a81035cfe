"""Where training fails: the term, the step and the points are named."""

import json
import math

import pytest
import torch

from pinnkit.problem.problem import Problem
from pinnkit.runs.solve import solve
from pinnkit.training.exceptions import Diverged, NoGradient


@pytest.mark.parametrize(
    ("cut", "trains"),
    [
        (lambda p: p.u_x.detach() - 1, False),
        (lambda p: torch.as_tensor(p.u_x.detach().numpy()) - p.x, False),
        (lambda p: p.u_x - 1, True),
        (lambda p: p.u_x.detach() - p.u, True),
    ],
)
def test_a_term_that_trains_nothing_ends_the_run_with_its_name(cut, trains, heat_words, quick, tmp_path):
    problem = Problem(
        coordinates=heat_words["coordinates"],
        fields=["u"],
        equations={"good": "u_t = u", "matched": cut},
        conditions=heat_words["conditions"],
    )
    quick["trainer"]["max_steps"] = 2
    if trains:
        assert solve(problem, tmp_path, quick).metrics["steps"] == 2
    else:
        with pytest.raises(NoGradient, match=r"'matched' trains nothing.*detach"):
            solve(problem, tmp_path, quick)


def test_divergence_names_the_term_the_step_and_the_point(heat_words, quick, tmp_path):
    heat_words["equations"] = {"heat": lambda p: p.u_t + torch.where(p.x > 0.5, torch.full_like(p.x, math.inf), p.u)}
    del heat_words["exact"]
    with pytest.raises(Diverged, match=r"at step 0: the term 'heat' is inf at x = 0\.[5-9]\d*, t = 0\.\d+") as caught:
        solve(Problem(**heat_words), tmp_path, {**quick, "phases": ["ssbroyden"]})
    assert len(caught.value.points) == 3
    assert all(point["x"] > 0.5 for point in caught.value.points)
    assert caught.value.values == [math.inf] * 3
    assert caught.value.count > 3
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["status"] == "diverged"
    assert "'heat'" in metrics["reason"]


def test_a_residual_that_is_infinite_at_a_candidate_alone_is_told(heat_words, quick, tmp_path, monkeypatch):
    monkeypatch.setattr("pinnkit.training.datamodule.CONCENTRATED", 0.0)
    heat_words["equations"] = {"heat": lambda p: p.u_t + torch.where(p.x > 0.998, torch.full_like(p.x, math.inf), p.u)}
    del heat_words["exact"]
    with pytest.raises(Diverged, match=r"at step 25: the term 'heat' is inf at x = 0\.99[89]\d*, t = 0\.\d+") as caught:
        solve(Problem(**heat_words), tmp_path, {**quick, "phases": ["ssbroyden"]})
    assert "3 times training went back" in str(caught.value)


def test_an_infinite_gradient_is_told_with_its_term_and_a_point(heat_words, quick, tmp_path):
    def residual(p):
        far = (p.x > 0.9).to(p.x)
        return p.u_t - p.alpha * p.u_xx + ((p.u - p.u.detach()) * far + 1.0 - far).sqrt()

    heat_words["equations"] = {"heat": residual}
    del heat_words["exact"]
    quick |= {"phases": ["adam"], "trainer": {"max_steps": 40}, "operators": {"engine": "autograd"}}
    with pytest.raises(Diverged, match=r"the term 'heat \(its gradient\)' is (nan|-?inf) at x = 0\.9") as told:
        solve(Problem(**heat_words), tmp_path, quick)
    assert told.value.points[0]["x"] > 0.9
