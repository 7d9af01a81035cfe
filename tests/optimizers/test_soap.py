"""SOAP against its definition with a dense basis, Adam and rotations; and a loss that is not finite."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from pinnkit.optimizers.settings import OPTIMIZERS, FirstOrder
from pinnkit.optimizers.soap import SOAP
from pinnkit.training.gradient import NonFiniteGradientGuard

FIRST_ORDER = [name for name, kind in OPTIMIZERS.items() if issubclass(kind, FirstOrder)]
RATE, BETA1, BETA2 = 0.01, 0.9, 0.98


def stream(*shape, steps=12, seed=0):
    """Gradients of unequal size in every direction, each new but all of one kind."""
    rng = np.random.default_rng(seed)
    left, right = rng.standard_normal((shape[-2],) * 2), rng.standard_normal((shape[-1],) * 2)
    return [left @ rng.standard_normal(shape) @ right for _ in range(steps)]


def path(gradients, **options):
    """The parameter (start 0) after each of these gradients."""
    weight = torch.nn.Parameter(torch.zeros(np.shape(gradients[0]), dtype=torch.float64))
    optimizer = SOAP([weight], RATE, (BETA1, BETA2), **{"precondition_every": 2, **options})
    found = []
    for gradient in gradients:
        weight.grad = torch.as_tensor(gradient, dtype=torch.float64)
        optimizer.step()
        found.append(weight.detach().numpy().copy())
    return np.array(found)


def eigenvectors(matrix):
    return np.linalg.eigh(matrix)[1][:, ::-1]


def dense_path(gradients, every):
    """Algorithm 3 of the paper on vec(W), with the basis Q_L x Q_R written out as one (m n, m n) matrix."""
    shape = m, n = gradients[0].shape
    weight, mean, square = np.zeros(m * n), np.zeros(m * n), np.zeros(m * n)
    left = (1 - BETA2) * gradients[0] @ gradients[0].T
    right = (1 - BETA2) * gradients[0].T @ gradients[0]
    q_left, q_right = eigenvectors(left), eigenvectors(right)
    found = [weight.reshape(shape)]
    for t, gradient in enumerate(gradients[1:], start=1):
        basis = np.kron(q_left, q_right)  # of row-major vec
        assert np.allclose(basis @ basis.T, np.eye(m * n), atol=1e-12)
        g = gradient.ravel()
        mean = BETA1 * mean + (1 - BETA1) * g
        square = BETA2 * square + (1 - BETA2) * (basis.T @ g) ** 2
        step = (basis.T @ mean) / (1 - BETA1**t) / (np.sqrt(square / (1 - BETA2**t)) + 1e-8)
        weight = weight - RATE * basis @ step
        found.append(weight.reshape(shape))
        left = BETA2 * left + (1 - BETA2) * gradient @ gradient.T
        right = BETA2 * right + (1 - BETA2) * gradient.T @ gradient
        if t % every == 0:
            by_left = np.argsort(-np.diag(q_left.T @ left @ q_left))
            by_right = np.argsort(-np.diag(q_right.T @ right @ q_right))
            q_left = np.linalg.qr(left @ q_left[:, by_left])[0]
            q_right = np.linalg.qr(right @ q_right[:, by_right])[0]
            square = square.reshape(shape)[np.ix_(by_left, by_right)].ravel()
    return np.array(found)


@pytest.mark.parametrize("every", [1, 3])
@pytest.mark.parametrize("seed", range(3))
def test_equals_the_definition_with_a_dense_basis(every, seed):
    gradients = stream(5, 5, seed=seed)
    expected = dense_path(gradients, every)
    assert np.abs(path(gradients, precondition_every=every) - expected).max() < 1e-10 * np.abs(expected).max()
    assert np.abs(path(gradients, precondition_every=4 - every) - expected).max() > 1e-3 * np.abs(expected).max()


def test_a_rotation_of_the_gradients_rotates_the_path():
    """What Adam lacks: the path does not depend on the axes of the input and of the output of a layer."""
    rng = np.random.default_rng(1)
    u, v = (np.linalg.qr(rng.standard_normal((4, 4)))[0] for _ in range(2))
    gradients = stream(4, 4)
    turned, plain = path([u @ g @ v.T for g in gradients]), path(gradients)
    assert np.abs(turned - u @ plain @ v.T).max() < 1e-10
    assert np.abs(turned - plain).max() > 1e-2


def test_vectors_scalars_and_sides_of_length_one():
    """Where there is no basis it is Adam, one call late; a (4, 1) matrix is turned on its left alone."""
    gradients = [torch.linspace(-1.0, 2.0, 8, dtype=torch.float64) * 1.1**k * math.cos(3.0 * k) for k in range(9)]
    shapes = [(4,), (), (1, 1), (2,)]
    ours, theirs = ([torch.nn.Parameter(torch.zeros(s, dtype=torch.float64)) for s in shapes] for _ in range(2))
    soap, adam = SOAP(ours, RATE, (BETA1, BETA2)), torch.optim.Adam(theirs, RATE, (BETA1, BETA2))
    for number, gradient in enumerate(gradients):
        for parameters, optimizer in ((ours, soap), (theirs, adam)):
            for one, part in zip(parameters, gradient.split([4, 1, 1, 2]), strict=True):
                one.grad = part.reshape(one.shape).clone()
            if optimizer is soap or number > 0:
                optimizer.step()
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-13, atol=0.0)
        assert one.abs().min() > 1e-3
    rng = np.random.default_rng(2)
    column, turn = [rng.standard_normal((4, 1)) for _ in range(9)], np.linalg.qr(rng.standard_normal((4, 4)))[0]
    # The first basis has one direction and the rest as rounding leaves it, so only multiples of it are comparable.
    along = [column[0] * (1.0 + 0.3 * k) for k in range(9)]
    assert np.abs(path([turn @ g for g in along]) - turn @ path(along)).max() < 1e-7
    assert np.abs(path([-g for g in column]) + path(column)).max() < 1e-12


def test_matrices_of_one_shape_and_stacks_of_them_move_as_each_would_alone():
    first, second, third = (stream(3, 5, seed=seed) for seed in (1, 2, 3))
    alone = [path(gradients)[-1] for gradients in (first, second, third)]
    one = torch.nn.Parameter(torch.zeros(3, 5, dtype=torch.float64))
    stack = torch.nn.Parameter(torch.zeros(2, 3, 5, dtype=torch.float64))
    bias = torch.nn.Parameter(torch.zeros(3, dtype=torch.float64))
    optimizer = SOAP([bias, one, stack], RATE, (BETA1, BETA2), 2)
    for parts in zip(first, second, third, strict=True):
        one.grad, *rest = map(torch.as_tensor, parts)
        stack.grad, bias.grad = torch.stack(rest), torch.ones(3, dtype=torch.float64)
        optimizer.step()
    found = [one, *stack]
    assert max(np.abs(a.detach().numpy() - b).max() for a, b in zip(found, alone, strict=True)) < 1e-12
    assert min(np.abs(b).max() for b in alone) > 1e-3


class Fit:
    """A network of 2 inputs trained on sin(5 x) y."""

    def __init__(self, name, dtype=torch.float64, **options):
        torch.manual_seed(0)
        first, hidden, last = torch.nn.Linear(2, 20), torch.nn.Linear(20, 20), torch.nn.Linear(20, 1)
        self.network = torch.nn.Sequential(first, torch.nn.Tanh(), hidden, torch.nn.Tanh(), last).to(dtype)
        self.points = torch.cartesian_prod(*[torch.linspace(-1.0, 1.0, 12, dtype=dtype)] * 2)
        self.values = torch.sin(5.0 * self.points[:, :1]) * self.points[:, 1:]
        self.optimizer = OPTIMIZERS[name](**options).build(self.network.parameters())

    def closure(self):
        self.optimizer.zero_grad()
        loss = ((self.network(self.points) - self.values) ** 2).mean()
        loss.backward()
        return loss

    def steps(self, count):
        for _ in range(count):
            self.optimizer.step(self.closure)
        return self

    def bases(self):
        states = self.optimizer.state_dict()["state"].values()
        return [state[name] for state in states for name in state if name.endswith("basis")]


def test_reaches_a_loss_below_that_of_adam():
    """A tenth to two fifths of it, as rounding would have it."""
    soap = Fit("soap", learning_rate=1e-2).steps(300).closure().item()
    adam = min(Fit("adam", learning_rate=rate).steps(300).closure().item() for rate in (3e-3, 1e-2, 3e-2))
    assert soap < 0.7 * adam


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_keeps_its_precision(dtype):
    """In float64 the bases are orthogonal to float64's rounding; and nothing in the state has another dtype."""
    fit = Fit("soap", dtype).steps(60)
    assert len(fit.bases()) == 5  # (20, 2): both; (20, 20): both; (1, 20): right
    for basis in fit.bases():
        identity = torch.eye(basis.shape[-1], dtype=dtype)
        assert float((basis.mT @ basis - identity).abs().max()) < 20 * torch.finfo(dtype).eps
    for state in fit.optimizer.state.values():
        assert {value.dtype for value in state.values()} == {dtype}


def test_the_basis_diagonalises_what_it_stands_for():
    """In a stream of one kind, orthogonal iteration leads to the eigenvectors of L."""
    weight = torch.nn.Parameter(torch.zeros(4, 4, dtype=torch.float64))
    optimizer = SOAP([weight], RATE, (BETA1, 0.999), precondition_every=1)
    for gradient in stream(4, 4, steps=400, seed=5):
        weight.grad = torch.as_tensor(gradient)
        optimizer.step()
    state = optimizer.state[weight]
    for side in ("left", "right"):
        (seen,) = state[f"{side}_basis"].mT @ state[side] @ state[f"{side}_basis"]
        correlation = seen / seen.diag().sqrt().outer(seen.diag().sqrt())
        assert float((correlation - torch.eye(4)).abs().max()) < 0.01
        assert torch.equal(seen.diag().sort(descending=True).values, seen.diag())


def test_precondition_every_is_obeyed():
    fit, turned, before = Fit("soap", precondition_every=3), [], None
    for call in range(10):
        fit.steps(1)
        now = [basis.clone() for basis in fit.bases()]
        if before is not None and not all(map(torch.equal, before, now)):
            turned.append(call)
        before = now
    assert turned == [3, 6, 9]


def test_the_first_call_moves_nothing_and_the_second_moves_by_the_rate():
    """Adam's first step has the size of the rate in every direction of the basis, so in the Frobenius norm too."""
    gradients = stream(5, 5)
    first, second, *_ = path(gradients)
    assert np.array_equal(first, np.zeros((5, 5)))
    assert np.linalg.norm(second) == pytest.approx(RATE * 5.0, rel=1e-6)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("moment", [0, 7])
@pytest.mark.parametrize("name", FIRST_ORDER)
def test_a_loss_that_is_not_finite_leaves_the_weights(name, moment, bad):
    """As training does: once refused, no later step moves them, so they stay those that gave the infinite loss."""
    fit = Fit(name).steps(moment)
    guard = NonFiniteGradientGuard()
    parameters = list(fit.network.parameters())
    before = [one.detach().clone() for one in parameters]

    def closure(spoiled):
        loss = fit.closure()
        parameters[2].grad[3, 4] += spoiled
        gradient = torch.cat([one.grad.flatten() for one in parameters])
        guard.check(SimpleNamespace(optimizer=fit.optimizer), loss.detach(), gradient)
        return loss

    fit.optimizer.step(lambda: closure(bad))
    fit.optimizer.step(lambda: closure(0.0))
    assert all(map(torch.equal, before, parameters))
    assert int(guard.steps) == 2
    assert all(torch.isfinite(value).all() for state in fit.optimizer.state.values() for value in state.values())
    fit.optimizer.found_inf = None
    fit.steps(2)
    assert not any(map(torch.equal, before, parameters))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lr": 0.0}, "lr = 0.0: more than 0 is needed"),
        ({"betas": (1.0, 0.9)}, "beta1 = 1.0: at least 0 and less than 1 is needed"),
        ({"betas": (0.9, -0.1)}, "beta2 = -0.1: at least 0"),
        ({"precondition_every": 0}, "precondition_every = 0: at least 1 is needed"),
    ],
)
def test_wrong_numbers_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        SOAP([torch.nn.Parameter(torch.zeros(2, 2))], **options)
