"""Factors of points in runs: they follow their strategy over draws, mini-batches and a resume."""

import json

import numpy as np
import pytest
import torch

from pinnkit.language.errors import ProblemError, Report
from pinnkit.losses.settings import WEIGHTINGS
from pinnkit.problem.problem import Problem
from pinnkit.runs.methods import with_method
from pinnkit.runs.solve import solve
from pinnkit.settings import read_settings
from pinnkit.training.checkpoint_reader import read
from tests.conftest import assembled


@pytest.fixture
def run(heat_words, quick):
    def trained(folder, steps, weighting, phase="adam", resume=False, stages=None, windows=None, **settings):
        settings = {
            **quick,
            "network": {"width": 4, "depth": 1},
            "operators": {"engine": "autograd"},
            "sampling": {"equations": 30, "conditions": 5, "redraw_every": 4, **settings},
            "phases": None if stages else [phase],
            "stages": stages,
            "windows": windows,
            "weighting": weighting,
            "trainer": {"max_steps": steps},
            "reference": "none",
        }
        return solve(Problem(**heat_words), folder, settings, resume=resume)

    return trained


def same(one, other):
    return all(torch.equal(value, other.module.state_dict()[name]) for name, value in one.module.state_dict().items())


RUNS = [
    ("residual_attention", {"name": "adam", "learning_rate": 0.01}, {"batch": 8}),
    ("self_adaptive", "ssbroyden", {}),
    ("causal", {"name": "gauss_newton", "solver": "gram"}, {}),
]


@pytest.mark.parametrize(("name", "phase", "sampling"), RUNS, ids=[one[0] for one in RUNS])
def test_a_resumed_run_is_the_whole_one_to_the_bit(name, phase, sampling, run, tmp_path):
    weighting = {"name": name, "every": 3}
    whole = run(tmp_path / "whole", 8, weighting, phase, **sampling)
    run(tmp_path / "parts", 5, weighting, phase, **sampling)
    parts = run(tmp_path / "parts", 8, weighting, phase, resume=True, **sampling)
    assert same(whole, parts)
    kept = [read(tmp_path / one / "checkpoints" / "last.ckpt")["weights"] for one in ("whole", "parts")]
    for key in ("points", "memory"):
        assert kept[0][key].keys() == kept[1][key].keys()
        assert kept[0][key]
        assert all(torch.equal(value, kept[1][key][one]) for one, value in kept[0][key].items())
    factors = kept[0]["points"]["equations"]
    assert float(factors.max() - factors.min()) > 1e-6


def test_factors_of_a_run_are_those_of_the_formula_at_its_points(run, tmp_path, monkeypatch):
    seen, kind = [], WEIGHTINGS["residual_attention"]
    observe = kind.observe

    def watched(self, memory, groups, step, steps):
        before = {name: one.copy() for name, one in memory.items()}
        observe(self, memory, groups, step, steps)
        seen.append((step, steps, before, groups, dict(memory)))

    monkeypatch.setattr(kind, "observe", watched)
    module = run(tmp_path, 7, {"name": "residual_attention", "every": 3}, redraw_every=100).module
    assert [(step, steps) for step, steps, *_ in seen] == [(3, 3), (6, 3)]
    _, _, before, groups, after = seen[1]
    assert set(groups) == {"equations", "initial", "ends"}
    sizes = groups["equations"].sizes
    expected = 0.999**3 * before["equations.attention"] + 0.01 * (1 - 0.999**3) / 0.001 * sizes / sizes.max()
    np.testing.assert_allclose(after["equations.attention"], expected, rtol=1e-12)
    np.testing.assert_allclose(module.state.weights.points["equations"][:, 0], expected**2, rtol=1e-12)
    summary = module.state.weights.summary()
    assert summary["equations.largest"] == pytest.approx(float((expected**2).max()))
    last = json.loads((tmp_path / "history.jsonl").read_text().splitlines()[-1])
    assert last["weights"] == pytest.approx({"heat": 1.0, "initial": 1.0, "ends": 1.0, **summary})


def test_the_first_step_has_causal_factors_of_its_points(heat_words, quick):
    module, batches = assembled(heat_words, {**quick, "weighting": {"name": "causal", "slabs": 4, "epsilons": 50.0}})
    module.computation.evaluator = module.make_evaluator("autograd", 30)
    weights = module.state.weights
    assert weights.due(0)
    assert module.loop._weights.update(batches, True)
    assert not weights.due(0)
    squares = module.score("equations", batches["equations"]).square()
    slab = (batches["equations"].coordinates[:, 1] * 4).long().clamp(max=3)
    means = torch.stack([squares[slab == number].mean() for number in range(4)])
    expected = torch.exp(-50.0 * torch.cat([torch.zeros(1), means.cumsum(0)[:-1]]))[slab]
    torch.testing.assert_close(weights.points["equations"][:, 0], expected, rtol=1e-10, atol=0)
    assert "initial" not in weights.points


def test_what_a_strategy_for_points_cannot_do_is_refused(heat_words, quick, tmp_path):
    steady = {"coordinates": {"x": [0, 1]}, "fields": ["u"], "equations": "u_xx = 1",
              "conditions": {"ends": {"at": ["x = 0", "x = 1"], "equations": "u = 0"}}}  # fmt: skip
    with pytest.raises(
        ProblemError, match=r"weighting\.name: causal weighs by time, and the problem has no coordinate t"
    ):
        solve(Problem(**steady), tmp_path / "steady", {**quick, "weighting": "causal"})
    settings = {"method": "features", "weighting": "residual_attention"}
    with pytest.raises(
        ProblemError, match=r"weighting: is residual_attention, which changes weights while a network is"
    ):
        solve(Problem(**heat_words), tmp_path / "features", settings)


def test_what_was_learned_of_other_terms_is_forgotten(run, tmp_path, monkeypatch):
    kept, kind = [], WEIGHTINGS["residual_attention"]
    observe = kind.observe

    def watched(self, memory, groups, step, steps):
        kept.append((step, sorted(memory), sorted(groups)))
        observe(self, memory, groups, step, steps)

    monkeypatch.setattr(kind, "observe", watched)
    stages = [{"name": "adam", "steps": 5, "terms": ["initial", "ends"]}, "adam"]
    run(tmp_path, 8, {"name": "residual_attention", "every": 2}, stages=stages)
    both = ["ends.attention", "ends.points", "initial.attention", "initial.points"]
    assert kept[0] == (2, [], ["ends", "initial"])
    assert kept[1] == (4, both, ["ends", "initial"])
    assert kept[2] == (6, [], ["ends", "equations", "initial"])


def test_where_features_are_chosen_fixed_weights_take_the_place_of_a_strategy(heat_words):
    report = Report()
    words = {"method": "auto", "weighting": {"name": "causal", "weights": {"ends": 3.0}}}
    found = with_method(Problem(**heat_words), read_settings(words, report))
    assert (found.method, found.weighting.name, found.weighting.weights) == ("features", "fixed", {"ends": 3.0})


def test_causal_slabs_are_those_of_a_window_of_time(run, tmp_path, monkeypatch):
    seen, kind = [], WEIGHTINGS["causal"]
    observe = kind.observe

    def watched(self, memory, groups, step, steps):
        seen.append((step, sorted(memory), sorted(groups), groups["equations"].times))
        observe(self, memory, groups, step, steps)

    monkeypatch.setattr(kind, "observe", watched)
    run(tmp_path, 8, {"name": "causal", "every": 3}, windows=2)
    firsts = [(step, groups) for step, memory, groups, _ in seen if not memory]
    assert [step for step, _ in firsts] == [0, 4]  # each window begins with factors of its own
    assert len(firsts[1][1]) == len(firsts[0][1])
    for *_, times in seen:
        assert times.min() < 0.2
        assert 0.8 < times.max() <= 1.0
