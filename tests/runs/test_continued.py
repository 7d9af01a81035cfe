"""Continuation over parameters: the values that a run passes through, with points, engines and hard conditions."""

import json

import pytest
import torch

import pinnkit
from pinnkit.optimizers.settings import OPTIMIZERS
from pinnkit.problem.problem import Problem
from pinnkit.runs.continued import continued_stages, continued_values
from pinnkit.training.module import PINN
from pinnkit.training.settings import Trainer

WORDS = {
    "name": "layer",
    "coordinates": {"x": [0, 1]},
    "fields": ["u"],
    "parameters": {"nu": 0.1, "k": 1.0, "c": {"learn": 1.0}},
    "define": {"end": "1 + k"},
    "equations": {"layer": "nu*u_xx = c*u_x"},
    "conditions": {
        "left": {"at": "x = 0", "equations": "u = 0"},
        "right": {"at": "x = 1", "equations": "u = k"},
    },
}
SMALL = {
    "network": {"width": 6, "depth": 1},
    "sampling": {"equations": 30, "redraw_every": 4},
    "phases": [{"name": "adam", "steps": 2}, {"name": "ssbroyden"}],
    "trainer": {"max_steps": 16, "steps_per_batch": 2},
    "operators": {"engine": "autograd"},
    "polish": False,
    "callbacks": {"progress": False, "figures": False, "evaluate_every": 4},
    "logger": {"tensorboard": False},
}


def settings(**changes):
    return {**SMALL, **changes}


def weights(module):
    return torch.cat([one.detach().flatten() for one in module.model.trainable().values()])


@pytest.fixture
def watched(monkeypatch):
    """The values, the weights and the fields at x = 0 after each block of steps, by the number of steps."""
    seen, original = {}, PINN.training_step

    def step(self, block, batch_idx):
        at, original_step = dict(self.model.values), original(self, block, batch_idx)
        value = self(torch.zeros(1, 1, dtype=torch.float64)).item()
        seen[self.progress.step] = at, weights(self), value
        return original_step

    monkeypatch.setattr(PINN, "training_step", step)
    return seen


def test_values_are_those_of_a_list_or_of_steps_of_one_ratio():
    problem = Problem(**WORDS)

    def values(written):
        return [one.values for one in continued_values(problem, written)]

    assert values({"nu": [1, 0.3]}) == values({"nu": [1, 0.3, 0.1]}) == [{"nu": 1.0}, {"nu": 0.3}]
    assert [one["nu"] for one in values({"nu": {"from": 1.6, "steps": 4}})] == pytest.approx([1.6, 0.8, 0.4, 0.2])
    assert values({"nu": [1, 0.3], "k": [0, 2]}) == [{"nu": 1.0, "k": 0.0}, {"nu": 0.3, "k": 2.0}]
    assert values(None) == []


def test_half_of_the_run_is_for_the_last_value_and_the_rest_is_shared():
    values = continued_values(Problem(**WORDS), {"nu": [1, 0.3]})
    chosen = [OPTIMIZERS["adam"](steps=10), OPTIMIZERS["ssbroyden"]()]
    stages = continued_stages(chosen, values, Trainer(max_steps=200, max_time=60.0))
    found = [(one.label, one.settings.steps, one.until) for one in stages]
    assert found == [
        ("adam (nu = 1)", 10, None),
        ("ssbroyden (nu = 1)", 40, 15.0),
        ("ssbroyden (nu = 0.3)", 50, 30.0),
        ("ssbroyden", None, None),
    ]


def test_training_at_the_first_value_is_that_of_the_problem_with_it_and_goes_on_from_there(tmp_path, watched):
    """To the bit; then at the problem's own value, to which metrics, residuals and the last checkpoint belong."""
    solution = pinnkit.solve(Problem(**WORDS), tmp_path / "run", settings(continuation={"nu": [0.4, 0.2]}))
    passed = dict(watched)
    values = {step: at.get("nu") for step, (at, _, _) in passed.items()}
    assert values == {2: 0.4, 4: 0.4, 6: 0.2, 8: 0.2, 10: None, 12: None, 14: None, 16: None}
    other = {**WORDS, "parameters": {**WORDS["parameters"], "nu": 0.4}}
    plain = pinnkit.solve(Problem(**other), tmp_path / "plain", settings(trainer={"max_steps": 4}))
    assert torch.equal(passed[4][1], weights(plain.module))
    assert solution.module.model.values == {}
    assert solution.metrics["continuation"] == {"nu": [0.4, 0.2]}
    x = 0.3
    c = solution.learned["c"]
    residual = 0.1 * solution.derivative("u_xx")(x=x) - c * solution.derivative("u_x")(x=x)
    assert float(solution.residual("layer")(x=x)) == pytest.approx(float(residual), rel=1e-9)
    history = (tmp_path / "run" / "history.jsonl").read_text().splitlines()
    told = [json.loads(line).get("parameters") for line in history]
    assert told[:3] == [{"nu": 0.4}, {"nu": 0.4}, {"nu": 0.2}]
    assert told[-1] is None
    best = pinnkit.load(tmp_path / "run", "best")  # of the last value, though its objective is larger
    assert torch.equal(weights(best.module), weights(solution.module))


def test_compiled_code_is_kept_from_value_to_value(tmp_path, recorded, watched):
    changes = {"operators": {"engine": "jets"}, "continuation": {"nu": [0.4, 0.2]}, "trainer": {"max_steps": 8}}
    pinnkit.solve(Problem(**WORDS), tmp_path / "jets", settings(**changes))
    assert len(recorded) == 1
    found = dict(watched)
    pinnkit.solve(Problem(**WORDS), tmp_path / "autograd", settings(**{**changes, "operators": {"engine": "autograd"}}))
    torch.testing.assert_close(found[8][1], watched[8][1], rtol=1e-6, atol=1e-9)


def test_hard_conditions_follow_the_value(tmp_path, watched):
    conditions = {**WORDS["conditions"], "left": {"at": "x = 0", "equations": "u = nu^2", "hard": True}}
    words = {**WORDS, "conditions": conditions}
    changes = {"continuation": {"nu": [0.4, 0.2]}}
    module = pinnkit.solve(Problem(**words), tmp_path, settings(**changes)).module
    found = {step: value for step, (_, _, value) in watched.items()}
    expected = {2: 0.16, 4: 0.04, 6: 0.04, 8: 0.01, 10: 0.01}  # after the last step of a value the next one holds
    assert {step: found[step] for step in expected} == pytest.approx(expected, abs=1e-12)
    assert module(torch.zeros(1, 1, dtype=torch.float64)).item() == pytest.approx(0.01)


def test_a_resumed_run_ends_where_the_whole_one_does(tmp_path, monkeypatch):
    """Interrupted at the second value, with points that were kept from the first, and a hard condition."""
    conditions = {**WORDS["conditions"], "left": {"at": "x = 0", "equations": "u = nu^2", "hard": True}}
    sampling = {"equations": 30, "redraw_every": 2, "redraw": "r3"}
    changes = {"continuation": {"nu": [0.4, 0.2]}, "sampling": sampling}
    original = PINN.training_step

    def trained(name, until, **options):
        def step(self, block, batch_idx):
            original(self, block, batch_idx)
            if self.progress.step >= until:
                self.stop("it is enough")

        monkeypatch.setattr(PINN, "training_step", step)
        problem = Problem(**{**WORDS, "conditions": conditions})
        module = pinnkit.solve(problem, tmp_path / name, settings(**changes), **options).module
        return weights(module), module.trainer.datamodule.batches()["equations"].coordinates, module.progress

    whole, points, progress = trained("whole", 99)
    assert trained("parts", 6)[2].stage == 2
    again, same, ended = trained("parts", 99, resume=True)
    assert torch.equal(again, whole)
    assert torch.equal(same, points)
    assert (ended.step, ended.first_objective) == (progress.step, progress.first_objective)


@pytest.mark.parametrize(
    ("continuation", "told"),
    [
        ({"mu": [1]}, r"continuation\.mu: there is no parameter 'mu'; valid are nu, k, c"),
        ({"c": [1]}, r"continuation\.c: c is learned: continuation needs a parameter that is a number"),
        ({"nu": ["a"]}, r"continuation\.nu: \['a'\]: finite numbers are needed; write"),
        ({"nu": []}, r"continuation\.nu: has 0 values besides the problem's own, 0.1"),
        ({"nu": {"from": 1}}, r"continuation\.nu: \{'from': 1\}: a number `from` and a whole number `steps`"),
        ({"nu": {"from": -1, "steps": 2}}, r"continuation\.nu\.from: -1, and the problem's own is 0\.1"),
        ({"nu": {"from": 1, "steps": 0}}, r"continuation\.nu\.steps: 0: 1 to 100 are possible"),
        ({"nu": [1, 2], "k": [2]}, r"continuation: nu has 2, k has 1 before the problem's own"),
    ],
)
def test_values_that_cannot_be_are_refused(continuation, told):
    with pytest.raises(pinnkit.ProblemError, match=told):
        continued_values(Problem(**WORDS), continuation)


def test_parameters_of_the_geometry_and_ranges_are_refused():
    ranged = {**WORDS, "parameters": {"nu": {"range": [0.1, 1]}, "k": 1.0, "c": 1.0}}
    shaped = {**WORDS, "coordinates": {"x": [0, "1 + 0*k"]}}
    placed = {**WORDS, "conditions": {**WORDS["conditions"], "some": {"at": "x = end/4", "equations": "u = 0"}}}
    for words, name, told in (
        (ranged, "nu", "nu has a range, so the network is trained at all of its values at once"),
        (shaped, "k", r"k decides where the problem holds \(coordinates\)"),
        (placed, "k", r"k decides where the problem holds \(conditions\.some\.at\)"),
    ):
        with pytest.raises(pinnkit.ProblemError, match=told):
            continued_values(Problem(**words), {name: [2.0]})


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"phases": None, "stages": ["ssbroyden"]}, r"continuation: is given, and stages too"),
        ({"levels": 2}, r"continuation: is given, and levels=2"),
        ({"phases": None, "method": "features"}, r"continuation: is given, and method=features"),
    ],
)
def test_what_trains_at_no_values_of_its_own_is_refused(tmp_path, changes, told):
    with pytest.raises(pinnkit.ProblemError, match=told):
        pinnkit.solve(Problem(**WORDS), tmp_path, settings(continuation={"nu": [1.0]}, **changes))
