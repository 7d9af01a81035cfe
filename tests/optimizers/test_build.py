"""Optimizers by name: each setting has its effect, and each optimizer continues to the bit from its state."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest
import torch

from pinnkit.optimizers.methods.adam import Adam
from pinnkit.optimizers.methods.gauss_newton import GaussNewton, GaussNewtonCG
from pinnkit.optimizers.methods.lbfgs import LBFGS
from pinnkit.optimizers.methods.sample_space import ENGDW, Spring
from pinnkit.optimizers.methods.self_scaled import BFGS, SSBFGS, SSBroyden
from pinnkit.optimizers.methods.soap import SOAP
from pinnkit.optimizers.settings import OPTIMIZERS, LeastSquares

LEAST_SQUARES = [name for name, kind in OPTIMIZERS.items() if issubclass(kind, LeastSquares)]


class Run:
    """A small fit by a network, trained by the optimizer of that name."""

    def __init__(self, name, settings=None):
        torch.manual_seed(3)
        self.network = torch.nn.Sequential(torch.nn.Linear(1, 6), torch.nn.Tanh(), torch.nn.Linear(6, 1)).double()
        self.x = torch.linspace(-1.0, 1.0, 32, dtype=torch.float64)[:, None]
        self.optimizer = (settings or OPTIMIZERS[name]()).build(self.network.parameters())
        self.optimizer.system = self  # of the Gauss-Newton methods
        self.evaluations = 0

    def closure(self):
        self.evaluations += 1
        self.optimizer.zero_grad()
        loss = ((self.network(self.x) - torch.sin(3.0 * self.x)) ** 2).mean()
        loss.backward()
        return loss

    def residuals_at(self, flat):
        a, b, c, d = flat.split([6, 6, 6, 1])
        found = torch.tanh(self.x * a + b) @ c[:, None] + d
        return ((found - torch.sin(3.0 * self.x)) / 32**0.5).flatten()

    def rows(self):
        return self.residuals(), torch.func.jacrev(self.residuals_at)(self.parameters)

    def residuals(self):
        return self.residuals_at(self.parameters)

    def rows_shape(self):
        return 32, 19

    def gram(self):
        r, jacobian = self.rows()
        return jacobian.T @ jacobian, jacobian.T @ r

    def product(self, vector):
        _, jacobian = self.rows()
        return jacobian.T @ (jacobian @ vector)

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
    first = Run(name).steps(29)  # some updates of H wait
    buffer = io.BytesIO()
    torch.save({"network": first.network.state_dict(), "optimizer": first.optimizer.state_dict()}, buffer)
    buffer.seek(0)
    saved = torch.load(buffer, weights_only=True)
    resumed = Run(name)
    resumed.network.load_state_dict(saved["network"])
    resumed.optimizer.load_state_dict(saved["optimizer"])
    resumed.steps(11)
    assert torch.equal(resumed.parameters, whole.parameters)
    assert resumed.evaluations + first.evaluations == whole.evaluations
    assert not torch.equal(first.parameters, whole.parameters)


def test_the_residuals_here_are_those_of_the_closure():
    run = Run("gauss_newton")
    r, jacobian = run.rows()
    loss = run.loss
    gradient = torch.cat([one.grad.flatten() for one in run.network.parameters()])
    assert float(r @ r) == pytest.approx(loss, rel=1e-14)
    torch.testing.assert_close(2.0 * jacobian.T @ r, gradient, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", [name for name in OPTIMIZERS if name not in ("adam", "soap")])
def test_methods_with_curvature_beat_adam_by_far(name):
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


@pytest.mark.parametrize(("name", "kind"), [("adam", Adam), ("soap", SOAP)])
def test_settings_of_first_order_methods_reach_the_optimizer(name, kind):
    """Each of them changes the trajectory."""
    plain = Run(name).steps(12).parameters
    for change in ({"learning_rate": 0.03}, {"beta1": 0.5}, {"beta2": 0.9}):
        assert not torch.equal(Run(name, kind(**change)).steps(12).parameters, plain)
    assert Run(name, kind(learning_rate=0.03)).optimizer.param_groups[0]["lr"] == 0.03
    assert Run(name, kind(beta1=0.5, beta2=0.9)).optimizer.param_groups[0]["betas"] == (0.5, 0.9)


def test_soap_precondition_every():
    """The first turn of the basis is in call 1 + precondition_every, so the next one moves another way."""
    often, seldom = (Run("soap", SOAP(precondition_every=every)) for every in (2, 5))
    assert torch.equal(often.steps(3).parameters, seldom.steps(3).parameters)
    assert not torch.equal(often.steps(1).parameters, seldom.steps(1).parameters)


def test_lbfgs_settings_reach_the_optimizer():
    short, long = (Run("lbfgs", LBFGS(history=history)).steps(30) for history in (2, 20))
    assert [len(run.optimizer.state_dict()["state"][0]["s"]) for run in (short, long)] == [2, 20]
    assert long.loss < short.loss
    assert "gradient_tolerance = 10" in Run("lbfgs", LBFGS(gradient_tolerance=10.0)).steps(1).optimizer.finished
    costs = []
    for allowed in (1, 25):
        run = Run("lbfgs", LBFGS(max_evaluations=allowed)).steps(1)
        costs.append(max(run.steps(1).optimizer.diagnostics["evaluations"] for _ in range(20)))
    assert costs[0] == 1.0
    assert costs[1] > 1.0


def test_self_scaled_settings_reach_the_optimizer():
    with pytest.raises(ValueError, match="max_parameters = 18"):
        Run("ssbfgs", SSBFGS(max_parameters=18))
    assert Run("ssbfgs", SSBFGS(max_parameters=19)).steps(1).optimizer.finished is None
    assert "gradient_tolerance = 10" in Run("bfgs", BFGS(gradient_tolerance=10.0)).steps(1).optimizer.finished
    costs = []
    for allowed in (1, 25):
        run = Run("ssbroyden", SSBroyden(max_evaluations=allowed)).steps(1)
        costs.append(max(run.steps(1).optimizer.diagnostics["evaluations"] for _ in range(20)))
    assert costs[0] == 1.0
    assert costs[1] > 1.0


def test_gauss_newton_settings_reach_the_optimizer():
    with pytest.raises(ValueError, match="max_parameters = 18"):
        Run("gauss_newton", GaussNewton(max_parameters=18))
    assert Run("gauss_newton", GaussNewton(max_parameters=19)).steps(1).optimizer.finished is None
    few, loose, tight = (
        Run("gauss_newton_cg", GaussNewtonCG(cg_iterations=most, cg_tolerance=tolerance)).steps(1).optimizer.diagnostics
        for most, tolerance in ((1, 1e-12), (200, 0.5), (200, 1e-12))
    )
    assert few["cg_iterations"] == 1.0
    assert loose["cg_iterations"] < tight["cg_iterations"]
    bytes_ = (32 * 19 + 2 * 32**2) * 8
    with pytest.raises(ValueError, match=r"engd_w would keep J, 32 x 19.*max_bytes = 2\.12e\+04"):
        Run("engd_w", ENGDW(max_bytes=bytes_ - 1)).steps(1)
    assert Run("engd_w", ENGDW(max_bytes=bytes_)).steps(1).optimizer.finished is None


def test_solvers_of_gauss_newton():
    gram = Run("gauss_newton", GaussNewton(solver="gram")).steps(2)
    assert "residual_evaluations" not in gram.optimizer.diagnostics
    assert Run("gauss_newton").steps(2).optimizer.diagnostics["residual_evaluations"] > 10
    bytes_ = (2 * 32 * 19 + 4 * 19**2) * 8
    with pytest.raises(ValueError, match=r"gauss_newton would keep J, 32 x 19.*max_bytes = 2\.13e\+04.*solver=gram"):
        Run("gauss_newton", GaussNewton(max_bytes=bytes_ - 1)).steps(1)
    assert Run("gauss_newton", GaussNewton(max_bytes=bytes_)).steps(1).optimizer.finished is None


@pytest.mark.parametrize("name", [name for name in LEAST_SQUARES if name not in ("spring", "gauss_newton")])
def test_evaluations_of_a_step_of_gauss_newton_are_bounded(name):
    costs = []
    for allowed in (1, 25):
        run = Run(name, OPTIMIZERS[name](max_evaluations=allowed)).steps(1)
        costs.append(max(run.steps(1).optimizer.diagnostics["evaluations"] for _ in range(20)))
    assert costs[0] <= 2.0  # a trial, and the evaluation after a failure
    assert costs[1] > 2.0


def test_spring_settings_reach_the_optimizer():
    plain = Run("spring").steps(3)
    assert not torch.equal(Run("spring", Spring(momentum=0.5)).steps(3).parameters, plain.parameters)
    assert Run("spring", Spring(momentum=0.5)).steps(1).loss == Run("spring").steps(1).loss
    tenfold = Run("spring", Spring(damping=1e-7)).steps(1).optimizer.diagnostics["damping"]
    assert tenfold == pytest.approx(10.0 * Run("spring").steps(1).optimizer.diagnostics["damping"])


def test_settings_do_not_import_torch():
    program = "import sys, pinnkit.optimizers.settings as one; list(one.OPTIMIZERS); print('torch' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"
