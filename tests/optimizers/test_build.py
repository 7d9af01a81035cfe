"""Optimizers by name: each setting has its effect, and each optimizer continues to the bit from its state."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest
import torch

from pinnkit.optimizers.build import build
from pinnkit.optimizers.settings import LBFGS, OPTIMIZERS, Adam, SelfScaled


class Run:
    """A small fit by a network, trained by the optimizer of that name."""

    def __init__(self, name, settings=None):
        torch.manual_seed(3)
        self.network = torch.nn.Sequential(torch.nn.Linear(1, 6), torch.nn.Tanh(), torch.nn.Linear(6, 1)).double()
        self.x = torch.linspace(-1.0, 1.0, 32, dtype=torch.float64)[:, None]
        self.optimizer = build(name, settings or OPTIMIZERS[name](), self.network.parameters())
        self.evaluations = 0

    def closure(self):
        self.evaluations += 1
        self.optimizer.zero_grad()
        loss = ((self.network(self.x) - torch.sin(3.0 * self.x)) ** 2).mean()
        loss.backward()
        return loss

    def steps(self, count):
        for _ in range(count):
            self.optimizer.step(self.closure)
        return self

    @property
    def loss(self):
        return self.closure().item()

    @property
    def parameters(self):
        return torch.cat([p.detach().flatten() for p in self.network.parameters()])


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_continues_to_the_bit_from_its_state(name):
    whole = Run(name).steps(40)
    first = Run(name).steps(25)
    buffer = io.BytesIO()
    torch.save({"network": first.network.state_dict(), "optimizer": first.optimizer.state_dict()}, buffer)
    buffer.seek(0)
    saved = torch.load(buffer, weights_only=True)
    resumed = Run(name)
    resumed.network.load_state_dict(saved["network"])
    resumed.optimizer.load_state_dict(saved["optimizer"])
    resumed.steps(15)
    assert torch.equal(resumed.parameters, whole.parameters)
    assert resumed.evaluations + first.evaluations == whole.evaluations
    assert not torch.equal(first.parameters, whole.parameters)


@pytest.mark.parametrize("name", ["lbfgs", "bfgs", "ssbfgs", "ssbroyden"])
def test_quasi_newton_beats_adam_by_far(name):
    assert Run(name).steps(150).loss < 1e-2 * Run("adam").steps(150).loss


def test_names_give_the_variants():
    losses = {name: Run(name).steps(30).loss for name in ("bfgs", "ssbfgs", "ssbroyden")}
    assert len(set(losses.values())) == 3
    assert [Run(name).optimizer.variant for name in losses] == list(losses)


def test_adam_learning_rate():
    """The first step of Adam moves each parameter by the learning rate (its gradient cancels)."""
    run = Run("adam", Adam(learning_rate=0.02))
    before = run.parameters
    run.steps(1)
    assert (run.parameters - before).abs() == pytest.approx(torch.full((19,), 0.02).numpy(), rel=1e-3)


def test_lbfgs_history():
    short, long = (Run("lbfgs", LBFGS(history=history)).steps(30) for history in (2, 20))
    pairs = [run.optimizer.state_dict()["state"][0]["old_dirs"] for run in (short, long)]
    assert [len(kept) for kept in pairs] == [2, 20]
    assert long.loss < short.loss


def test_lbfgs_goes_on_below_the_tolerances_of_torch():
    """With torch's own tolerances it would stop where no gradient entry is above 1e-7."""
    a = torch.nn.Parameter(torch.tensor([3e-8, 2e-8], dtype=torch.float64))
    optimizer = build("lbfgs", LBFGS(), [a])

    def closure():
        optimizer.zero_grad()
        loss = (a * a * torch.tensor([1.0, 3.0])).sum()
        loss.backward()
        return loss

    for _ in range(10):
        optimizer.step(closure)
    assert float(a.detach().abs().max()) < 1e-9


def test_self_scaled_settings_reach_the_optimizer():
    with pytest.raises(ValueError, match="max_parameters = 18"):
        Run("ssbfgs", SelfScaled(max_parameters=18))
    assert Run("ssbfgs", SelfScaled(max_parameters=19)).steps(1).optimizer.finished is None
    assert "gradient_tolerance = 10" in Run("bfgs", SelfScaled(gradient_tolerance=10.0)).steps(1).optimizer.finished
    costs = []
    for allowed in (1, 25):
        run = Run("ssbroyden", SelfScaled(max_evaluations=allowed)).steps(1)
        costs.append(max(run.steps(1).optimizer.diagnostics["evaluations"] for _ in range(20)))
    assert costs[0] == 1.0
    assert costs[1] > 1.0


def test_unknown_name_and_settings_of_another_optimizer():
    parameters = [torch.nn.Parameter(torch.zeros(2))]
    with pytest.raises(ValueError, match=r"unknown optimizer 'sgd'.*adam, lbfgs, bfgs, ssbfgs, ssbroyden"):
        build("sgd", Adam(), parameters)
    with pytest.raises(TypeError, match="the settings of optimizer 'bfgs' are Adam; it needs SelfScaled"):
        build("bfgs", Adam(), parameters)


def test_settings_do_not_import_torch():
    program = "import sys, pinnkit.optimizers.settings; print('torch' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"
