"""Warm-up and decay of the learning rate, as numbers and as the rate that the optimizers use."""

from __future__ import annotations

import pytest
import torch

from pinnkit.optimizers.methods.adam import Adam
from pinnkit.optimizers.methods.lbfgs import LBFGS
from pinnkit.optimizers.methods.soap import SOAP
from pinnkit.optimizers.schedule import learning_rate_factor
from pinnkit.training.stages import Stage


def test_no_warmup_and_no_decay_is_one():
    assert [learning_rate_factor(step, Adam()) for step in (0, 1, 10**6)] == [1.0, 1.0, 1.0]


def test_warmup_is_linear_and_reaches_one_at_its_end():
    settings = Adam(warmup=4)
    assert [learning_rate_factor(step, settings) for step in range(6)] == [0.2, 0.4, 0.6, 0.8, 1.0, 1.0]


def test_decay_counts_from_the_end_of_the_warmup():
    settings = Adam(warmup=100, decay=0.9, decay_every=50)
    assert learning_rate_factor(100, settings) == 1.0
    assert learning_rate_factor(150, settings) == pytest.approx(0.9, rel=1e-15)
    assert learning_rate_factor(125, settings) == pytest.approx(0.9**0.5, rel=1e-15)
    assert learning_rate_factor(1100, settings) == pytest.approx(0.9**20, rel=1e-14)


def test_adam_follows_it_through_lambda_lr():
    settings = Adam(learning_rate=0.5, warmup=1, decay=0.5, decay_every=1)
    parameter = torch.nn.Parameter(torch.ones(1, dtype=torch.float64))
    optimizer = settings.build([parameter])
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: learning_rate_factor(step, settings))
    moves = []
    for _ in range(4):
        before = parameter.item()
        parameter.grad = torch.ones_like(parameter)
        optimizer.step()
        scheduler.step()
        moves.append(before - parameter.item())
    assert moves == pytest.approx([0.25, 0.5, 0.25, 0.125], rel=1e-6)


@pytest.mark.parametrize(("name", "kind"), [("adam", Adam), ("soap", SOAP)])
def test_a_phase_sets_the_rate_of_each_first_order_method(name, kind):
    """With gradients that stay the same, each step of either has the size of its rate."""
    stage = Stage(kind(learning_rate=0.5, warmup=1, decay=0.5, decay_every=1))
    assert stage.first_order
    parameter = torch.nn.Parameter(torch.ones(1, dtype=torch.float64))
    optimizer = stage.optimizer([parameter])
    rates, moves = [], []
    for step in range(4):
        before = parameter.item()
        parameter.grad = torch.ones_like(parameter)
        rates.append(stage.set_learning_rate(optimizer, step))
        optimizer.step()
        moves.append(before - parameter.item())
    assert rates == [0.25, 0.5, 0.25, 0.125]
    assert moves == pytest.approx([0.0 if name == "soap" else 0.25, 0.5, 0.25, 0.125], rel=1e-6)


def test_a_phase_with_a_line_search_has_no_rate():
    stage = Stage(LBFGS())
    optimizer = stage.optimizer([torch.nn.Parameter(torch.ones(1))])
    assert not stage.first_order
    assert stage.set_learning_rate(optimizer, 0) is None
    assert "lr" not in optimizer.param_groups[0]
