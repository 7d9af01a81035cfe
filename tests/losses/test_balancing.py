"""Weights of the terms by gradients, by the neural tangent kernel, and by relative losses, on cases done by hand."""

import math

import numpy as np
import pytest
import torch

from pinnkit.losses.settings import WEIGHTINGS, Observation
from pinnkit.problem.problem import Problem
from pinnkit.runs.solve import solve
from pinnkit.training.checkpoint_reader import read
from tests.conftest import assembled

REFERENCE = {"heat": 1.0, "initial": 2.0}


def seen(step=100, weights=REFERENCE, losses=None, gradients=None, traces=None, memory=None):
    return Observation(
        step, 0, weights, REFERENCE, losses or {}, lambda: torch.tensor(gradients), lambda: traces,
        {} if memory is None else memory,
    )  # fmt: skip


def test_gradient_norms_are_made_equal_up_to_the_weights_of_the_start():
    norms = {"gradients": [[3.0, 4.0], [0.0, 1.0]]}  # 5 and 1, of the mean 3
    found = WEIGHTINGS["gradient_norm"](momentum=0.0).next_weights(seen(**norms))
    assert found == pytest.approx({"heat": 3 / 5, "initial": 2 * 3}, rel=1e-4)
    moved = WEIGHTINGS["gradient_norm"](momentum=0.75).next_weights(
        seen(weights={"heat": 2.0, "initial": 1.0}, **norms)
    )
    assert moved == pytest.approx({"heat": 1.5 + 0.25 * 0.6, "initial": 0.75 + 0.25 * 6}, rel=1e-4)


def test_a_term_without_gradient_gets_a_bounded_weight_and_none_at_all_leaves_them():
    weighting = WEIGHTINGS["gradient_norm"](momentum=0.0)
    assert weighting.next_weights(seen(gradients=[[2.0], [0.0]]))["initial"] == pytest.approx(2e5)
    assert weighting.next_weights(seen(gradients=[[0.0], [0.0]])) == REFERENCE


def test_traces_of_the_kernel_are_made_equal():
    found = WEIGHTINGS["ntk"](momentum=0.5).next_weights(seen(traces={"heat": 9.0, "initial": 1.0}))
    assert found == pytest.approx({"heat": 0.5 + 0.5 * 5 / 9, "initial": 1.0 + 0.5 * 2 * 5}, rel=1e-4)


@pytest.mark.parametrize(("share", "kept"), [(1.0, True), (0.0, False)])
def test_relobralo_is_its_formula(share, kept):
    weighting, memory = WEIGHTINGS["relobralo"](memory_share=share, momentum=0.6, temperature=0.5), {}
    assert weighting.next_weights(seen(50, losses={"heat": 4.0, "initial": 1.0}, memory=memory)) == REFERENCE
    weighting.next_weights(seen(100, losses={"heat": 2.0, "initial": 1.0}, memory=memory))
    before = memory["factors"].copy()
    found = weighting.next_weights(seen(150, losses={"heat": 1.0, "initial": 0.8}, memory=memory))

    def relative(*ratios):
        parts = [math.exp(one / 0.5) for one in ratios]
        return np.array([2 * one / sum(parts) for one in parts])

    history = before if kept else relative(1 / 4, 0.8)
    expected = 0.6 * history + 0.4 * relative(1 / 2, 0.8)
    assert list(found.values()) == pytest.approx([expected[0], 2 * expected[1]], rel=1e-12)
    assert sum(memory["factors"]) == pytest.approx(2.0)


def test_traces_are_the_mean_squares_of_the_gradients_of_single_residuals(heat_words, quick, monkeypatch):
    monkeypatch.setattr("pinnkit.training.computation.KERNEL_POINTS", 5)
    heat_words["conditions"]["ends"]["equations"] = ["u = 0", "u_n + u = 1"]
    module, batches = assembled(heat_words, quick)
    module.computation.evaluator = module.make_evaluator("autograd", 3)
    found = module.computation.kernel_traces(batches)
    parameters = list(module.model.trainable().values())
    for name, batch in batches.items():
        count = len(batch)
        few = batch.take(torch.tensor([number * count // 5 for number in range(5)]))
        for term, residual in module.residuals(name, few).items():
            squares = 0.0
            for one in residual[:, 0]:
                parts = torch.autograd.grad(one, parameters, retain_graph=True, materialize_grads=True)
                squares += sum(float(part.square().sum()) for part in parts)
            assert found[term] == pytest.approx(squares / 5, rel=1e-10)


@pytest.mark.parametrize("name", ["gradient_norm", "ntk", "relobralo"])
def test_weights_of_a_run_follow_their_strategy_and_its_memory_outlives_a_resume(
    name, heat_words, quick, tmp_path, monkeypatch
):
    asked, kind = [], WEIGHTINGS[name]
    update = kind.next_weights

    def watched(self, observation):
        asked.append((observation.step, update(self, observation)))
        return asked[-1][1]

    monkeypatch.setattr(kind, "next_weights", watched)

    def run(folder, steps, resume=False):
        settings = {
            **quick,
            "network": {"width": 4, "depth": 1},
            "operators": {"engine": "autograd"},
            "sampling": {"equations": 20, "conditions": 5},
            "phases": ["ssbroyden"],
            "weighting": {"name": name, "every": 2, "momentum": 0.5},
            "trainer": {"max_steps": steps},
            "reference": "none",
        }
        return solve(Problem(**heat_words), folder, settings, resume=resume)

    whole = run(tmp_path / "whole", 7)
    assert [step for step, _ in asked] == [2, 4, 6]
    assert len({tuple(weights.values()) for _, weights in asked}) >= 2
    assert whole.module.state.weights.values() == asked[-1][1]
    if name != "relobralo":  # whose memory is more than the weights
        return
    run(tmp_path / "parts", 5)
    parts = run(tmp_path / "parts", 7, resume=True)
    for key, value in whole.module.state_dict().items():
        assert torch.equal(value, parts.module.state_dict()[key])
    kept = [read(tmp_path / one / "checkpoints" / "last.ckpt")["weights"] for one in ("whole", "parts")]
    assert kept[0]["terms"] == kept[1]["terms"]
    assert all(torch.equal(value, kept[1]["memory"][key]) for key, value in kept[0]["memory"].items())
