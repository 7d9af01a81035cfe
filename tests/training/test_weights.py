"""Weights as state: a change reaches every optimizer, outlives a resume, and disturbs nothing that is compared."""

import pytest
import torch

from pinnkit.losses.weighting.fixed import Fixed
from pinnkit.optimizers.curved_gauss_newton import CurvedGaussNewton, CurvedModel
from pinnkit.problem.problem import Problem
from pinnkit.runs.solve import solve
from pinnkit.training.callbacks import Record
from pinnkit.training.checkpoint_reader import read
from pinnkit.training.module import PINN
from pinnkit.training.weights import WeightState
from tests.conftest import assembled


@pytest.fixture
def run(heat_words, quick):
    def trained(folder, optimizer, steps, resume=False, **trainer):
        settings = {
            **quick,
            "network": {"width": 6, "depth": 1},
            "operators": {"engine": "autograd"},
            "sampling": {"equations": 40, "conditions": 10, "redraw_every": 25},
            "phases": [optimizer],
            "trainer": {"max_steps": steps, "steps_per_batch": 5, **trainer},
            "checkpoint": {"every_steps": 5},
        }
        return solve(Problem(**heat_words), folder, settings, resume=resume)

    return trained


@pytest.fixture
def strategy(monkeypatch):
    """Sets what the strategy does at every tenth step."""

    def use(update):
        monkeypatch.setattr(Fixed, "every", 10)
        monkeypatch.setattr(Fixed, "update", lambda self, *arguments: update(*arguments))

    return use


def doubled(weights, losses, term_gradients):
    """The weight of `initial` is doubled, once."""
    return {"initial": 2.0} if weights["initial"] == 1.0 else {}


def same(one, other):
    return all(torch.equal(value, other.module.state_dict()[name]) for name, value in one.module.state_dict().items())


@pytest.mark.parametrize("optimizer", ["adam", "ssbroyden", "lbfgs", "gauss_newton", "spring"])
def test_a_change_reaches_every_optimizer_and_refreshes_it(optimizer, run, strategy, tmp_path, monkeypatch):
    steps = 13 if optimizer in ("gauss_newton", "spring") else 20
    plain = run(tmp_path / "plain", optimizer, steps)
    run(tmp_path / "parts", optimizer, 10)

    def changed(self):
        self.state.weights.set({"initial": 2.0})
        for one in self.trainer.optimizers:
            if hasattr(one, "refresh"):
                one.refresh()

    with monkeypatch.context() as patch:
        patch.setattr(PINN, "on_train_start", changed)
        expected = run(tmp_path / "parts", optimizer, steps, resume=True)
    strategy(doubled)
    found = run(tmp_path / "found", optimizer, steps)
    assert same(found, expected)
    assert not same(found, plain)
    assert found.module.state.weights.values() == {"heat": 1.0, "initial": 2.0, "ends": 1.0}


def test_a_run_interrupted_within_a_block_is_the_whole_run(run, strategy, tmp_path):
    strategy(lambda weights, losses, _: {"initial": 1.0 + losses["heat"]})
    whole = run(tmp_path / "whole", "adam", 40)
    run(tmp_path / "parts", "adam", 13)
    parts = run(tmp_path / "parts", "adam", 40, resume=True)
    assert same(whole, parts)
    steps = [
        [row["step"] for row in read(tmp_path / name / "checkpoints" / "last.ckpt")["callbacks"]["Record"]["rows"]]
        for name in ("whole", "parts")
    ]
    assert steps[1] == sorted({*steps[0], 13})


@pytest.mark.parametrize("stop", [10, 15])
def test_changed_weights_outlive_a_resume(stop, run, strategy, tmp_path):
    strategy(doubled)
    whole = run(tmp_path / "whole", "ssbroyden", 25)
    run(tmp_path / "parts", "ssbroyden", stop)
    kept = read(tmp_path / "parts" / "checkpoints" / "last.ckpt")["weights"]
    assert kept["terms"]["initial"] == (2.0 if stop > 10 else 1.0)
    parts = run(tmp_path / "parts", "ssbroyden", 25, resume=True)
    assert same(whole, parts)
    assert parts.module.state.weights.values() == whole.module.state.weights.values()


def test_the_best_checkpoint_is_not_chosen_by_a_weight_that_fell(run, strategy, tmp_path):
    strategy(lambda weights, *_: {"heat": 1e-6, "initial": 0.0, "ends": 0.0})
    found = run(tmp_path, {"name": "adam", "learning_rate": 0.1}, 40)
    rows = read(tmp_path / "checkpoints" / "last.ckpt")["callbacks"]["Record"]["rows"]
    for row in rows:
        terms = sum(loss for term, loss in row["losses"].items() if term != "objective")
        assert row["losses"]["objective"] == pytest.approx(terms, rel=1e-12)  # every weight was 1 at the start
    objectives = {row["step"]: row["losses"]["objective"] for row in rows}
    assert float(found.module.state.weighted_objective) < 1e-5 * min(objectives.values())
    assert read(tmp_path / "checkpoints" / "best.ckpt")["progress"]["step"] == min(objectives, key=objectives.get) < 40


@pytest.mark.parametrize(("factor", "limits"), [(1e-30, {"stop_reduction": 1e-9}), (1e12, {})])
def test_neither_a_reduction_nor_an_explosion_comes_of_weights(factor, limits, run, strategy, tmp_path):
    strategy(lambda weights, *_: dict.fromkeys(weights, factor))
    metrics = run(tmp_path, "adam", 30, **limits).metrics
    assert (metrics["status"], metrics["steps"], metrics["reason"]) == ("finished", 30, "30 steps are done")


def test_the_strategy_is_given_losses_and_gradients_of_single_terms(run, strategy, tmp_path):
    seen = []

    def update(weights, losses, term_gradients):
        seen.append((dict(weights), dict(losses), term_gradients()))
        return weights

    strategy(update)
    module = run(tmp_path, "adam", 11).module
    ((weights, losses, gradients),) = seen
    assert list(weights) == list(losses) == ["heat", "initial", "ends"]
    assert gradients.shape == (3, sum(one.numel() for one in module.parameters()))


def test_the_strategy_is_asked_every_so_many_steps_though_blocks_are_longer(run, strategy, tmp_path, monkeypatch):
    asked = []

    def update(self, step, *_):
        asked.append(step)
        self.updated = step

    strategy(None)
    monkeypatch.setattr(Fixed, "every", 7)
    monkeypatch.setattr(WeightState, "update", update)
    run(tmp_path, "adam", 18)
    run(tmp_path, "adam", 40, resume=True)
    assert asked == [7, 14, 21, 28, 35]


def test_gradients_of_single_terms_are_those_of_their_losses(heat_words, quick):
    module, batches = assembled(heat_words, quick)
    module.computation.evaluator = module.make_evaluator("autograd", 30)
    found = module.computation.term_gradients(batches)
    for gradient, loss in zip(found, module.losses(batches).values(), strict=True):
        parts = torch.autograd.grad(loss, list(module.model.trainable().values()), materialize_grads=True)
        torch.testing.assert_close(gradient, torch.cat([part.flatten() for part in parts]), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("step", "updated", "due"), [(9, 0, False), (10, 0, True), (13, 10, False), (21, 10, True)])
def test_the_strategy_is_due_once_in_each_interval(step, updated, due, monkeypatch):
    state = WeightState({"heat": 1.0}, Fixed())
    assert not state.due(step)  # fixed weights are never asked for
    monkeypatch.setattr(Fixed, "every", 10)
    state.updated = updated
    assert state.due(step) is due


def halves(module):
    """Factors of the equations' points: 4 in the first half of the set, 0 in the second."""
    count = len(module.trainer.datamodule.sets["equations"])
    return torch.cat([torch.full((count // 2, 1), 4.0), torch.zeros(count - count // 2, 1)])


@pytest.fixture
def weigh_points(monkeypatch):
    """A callback gives the equations' points factors after step 10."""

    def use():
        end = Record.on_train_batch_end

        def weighing(self, trainer, module, *arguments):
            end(self, trainer, module, *arguments)
            if module.progress.step == 10:
                module.state.weights.set_points("equations", halves(module))

        monkeypatch.setattr(Record, "on_train_batch_end", weighing)

    return use


GRAM = {"name": "gauss_newton", "solver": "gram"}  # whose draws hold for 25 steps too, as the weights of points must


@pytest.mark.parametrize("optimizer", ["adam", "ssbroyden", GRAM], ids=["adam", "ssbroyden", "gram"])
def test_weights_of_points_reach_every_optimizer_and_outlive_a_resume(optimizer, run, weigh_points, tmp_path):
    plain = run(tmp_path / "plain", optimizer, 20)
    weigh_points()
    whole = run(tmp_path / "whole", optimizer, 20)
    assert not same(whole, plain)
    for stop in (10, 15):
        folder = tmp_path / str(stop)
        run(folder, optimizer, stop)
        kept = read(folder / "checkpoints" / "last.ckpt")["weights"]
        assert torch.equal(kept["points"]["equations"], halves(whole.module).double())
        assert kept["pending"] == (stop == 10)
        assert same(run(folder, optimizer, 20, resume=True), whole)


def test_weights_of_points_change_the_losses_as_the_formula_says_and_not_what_is_compared(heat_words, quick):
    module, batches = assembled(heat_words, quick)
    module.computation.evaluator = module.make_evaluator("autograd", 30)
    weights, count = module.state.weights, len(batches["equations"])
    factors = torch.rand(count, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    weights.set_points("equations", factors)
    applied = weights.applied(batches)
    assert weights.applied(batches) is applied
    found = dict(zip(module.terms, module.computation.losses(applied), strict=True))
    residual = module.residuals("equations", batches["equations"])["heat"]
    torch.testing.assert_close(found["heat"], (factors * residual.square()).mean().detach(), rtol=1e-12, atol=0)
    torch.testing.assert_close(found["initial"], module.losses(batches)["initial"].detach(), rtol=1e-12, atol=0)
    torch.testing.assert_close(module.score("equations", batches["equations"]), residual.detach().abs()[:, 0])


def test_weights_of_points_change_a_step_along_curves_as_the_formula_says(heat_words, quick):
    """Row i of r and J counts sqrt(f_i) times, so that the straight step is (J'FJ + mu I)^-1 J'F r."""
    module, batches = assembled(heat_words, quick)
    module.computation.evaluator = module.make_evaluator("autograd", 30)
    weights = module.state.weights
    terms = module.computation.weight_vector()
    r, jacobian = module.computation.linearisation(weights.applied(batches), terms).rows()
    count = len(batches["equations"])
    factors = torch.rand(count, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    weights.set_points("equations", factors)
    system = module.computation.linearisation(weights.applied(batches), terms)
    model, damping = CurvedModel(*system.rows()), 1e-3
    f = torch.cat([factors[:, 0], torch.ones(len(r) - count, dtype=torch.float64)])
    gram = jacobian.T @ (f[:, None] * jacobian) + damping * torch.eye(jacobian.shape[1], dtype=torch.float64)
    expected = torch.linalg.solve(gram, jacobian.T @ (f * r))
    torch.testing.assert_close(model.solve(damping), expected, rtol=1e-8, atol=1e-10)
    torch.testing.assert_close(system.residuals(), f.sqrt() * r, rtol=1e-10, atol=1e-13)
    before = [one.detach().clone() for one in module.model.trainable().values()]
    optimizer = CurvedGaussNewton(module.model.trainable().values())
    optimizer.system = system
    prepared = module.computation.prepared(weights.applied(batches))

    def closure():
        losses, gradient = module.computation.evaluate(prepared, terms, module.computation.directions())
        for one, part in zip(
            module.model.trainable().values(), gradient.split([b.numel() for b in before]), strict=True
        ):
            one.grad = part.view_as(one)
        return torch.dot(terms, losses)

    loss = optimizer.step(closure)
    found = system.residuals()
    assert loss == pytest.approx(float(found @ found), rel=1e-10)
    assert loss < float((f * r.square()).sum())


def test_weights_of_points_end_with_their_draw_and_are_not_in_the_objective_that_is_compared(
    run, weigh_points, tmp_path
):
    weigh_points()
    found = run(tmp_path, "adam", 30)  # draws of 25 steps
    assert found.module.state.weights.points == {}
    rows = read(tmp_path / "checkpoints" / "last.ckpt")["callbacks"]["Record"]["rows"]
    plain = {row["step"]: row["losses"] for row in rows}
    assert plain[15]["heat"] == pytest.approx(plain[10]["heat"], rel=0.5)  # with the factors it would be doubled
