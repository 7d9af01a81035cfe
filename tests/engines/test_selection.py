"""Which engine a run uses where it asks for one: what agrees with the definition."""

import logging

import numpy as np
import pytest
import torch

from pinnkit.operators.compiled import CompilationError
from tests.engines.selections import SHORT, Angle, Branches, FrozenByPoints, Own, chooser


class FrozenByPointsInAnyOrder(Own):
    """The same, by a number that does not depend on the order of the points."""

    def forward(self, points):
        return super().forward(points) * (2 + float(points.detach().numpy().max()))


class FrozenByParameters(Own):
    """Its recording would hold the weights with which it was made."""

    def forward(self, points):
        size = torch.tensor(np.linalg.norm(self.inner.weight.detach().numpy()))
        return super().forward(points) / size


@pytest.mark.parametrize("engine", ["autograd", "compiled", "jets"])
def test_an_engine_that_is_asked_for_is_used(engine, heat_words, recorded, caplog):
    made, _ = chooser(heat_words, SHORT, engine=engine, chunk=9)
    with caplog.at_level(logging.WARNING):
        evaluator, choice = made.choose()
    assert evaluator.engine == choice.engine == engine
    assert evaluator.chunk == choice.chunk == 9
    assert choice.reason == "it was asked for"
    assert len(recorded) == (engine != "autograd")
    assert (choice.compile_s > 0) == (engine != "autograd")
    assert caplog.messages == []


def test_jets_fall_to_compiled_where_an_operation_has_no_rule(heat_words, recorded, caplog):
    made, _ = chooser(heat_words, network=Angle(), engine="jets")
    with caplog.at_level(logging.WARNING):
        evaluator, choice = made.choose()
    assert evaluator.engine == choice.engine == "compiled"
    assert len(caplog.messages) == 1
    assert "operators.engine=compiled is used: jets: " in caplog.text
    assert "atan" in caplog.text
    assert "atan" in choice.reason


@pytest.mark.parametrize("network", [Branches, FrozenByPoints, FrozenByPointsInAnyOrder, FrozenByParameters])
@pytest.mark.parametrize("engine", ["jets", "compiled"])
def test_networks_that_a_recording_would_falsify_are_noticed(network, engine, heat_words, recorded, caplog):
    made, _ = chooser(heat_words, network=network(), engine=engine)
    with caplog.at_level(logging.WARNING):
        evaluator, choice = made.choose()
    assert evaluator.engine == choice.engine == "autograd"
    assert len(caplog.messages) == 1
    assert "nested autograd is used: " in caplog.text
    assert "traced" in caplog.text or "differs from that of nested autograd" in caplog.text


def test_a_wrong_gradient_is_noticed_though_the_loss_is_right(heat_words, monkeypatch, caplog):
    def spoiled(graph, inputs):
        def step(*inputs):
            losses, gradient = graph(*inputs)
            return losses, gradient * (1 + 3e-3)

        return step

    monkeypatch.setattr("pinnkit.engines.evaluator.compile_graph", spoiled)
    made, _ = chooser(heat_words, engine="jets")
    evaluator, _ = made.choose()
    assert evaluator.engine == "autograd"
    assert "jets: its gradient differs from that of nested autograd by 3.0e-03 of its size" in caplog.text


def test_without_a_compiler_recorded_code_runs_and_says_so_once(heat_words, monkeypatch, caplog):
    def fails(graph, inputs):
        raise CompilationError("no compiler was found")

    monkeypatch.setattr("pinnkit.engines.evaluator.compile_graph", fails)
    made, _ = chooser(heat_words, engine="jets")
    evaluator, choice = made.choose()
    assert evaluator.engine == choice.engine == "jets"
    found = evaluator(evaluator.prepare(made.batches), made.weights)
    plain = made.make("autograd", None)
    expected = plain(plain.prepare(made.batches), made.weights)
    torch.testing.assert_close(found[0], expected[0], rtol=1e-12, atol=0)
    assert float((found[1] - expected[1]).norm()) <= 1e-12 * float(expected[1].norm())
    told = [one.message for one in caplog.records if one.levelno >= logging.WARNING]
    assert len(told) == 1
    assert "no compiler was found" in told[0]
