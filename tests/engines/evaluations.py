"""Losses and gradients of an engine, and their definition."""

import torch

SAMPLING = {"equations": 13, "conditions": 7}
CLOSE = 1e-10


def weights_of(module):
    """Weights that differ from term to term."""
    return torch.linspace(0.5, 2.0, sum(len(group.terms) for group in module.groups.values()), dtype=torch.float64)


def evaluated(module, batches, engine, chunk=None, weights=None, directions=()):
    evaluator = module.make_evaluator(engine, chunk)
    weights = weights_of(module) if weights is None else weights
    return evaluator(evaluator.prepare(batches), weights, list(directions))


def assert_same(found, expected, tolerance):
    """Losses and gradient, to a tolerance relative to the largest loss and to the gradient's norm."""
    assert float(expected[0].abs().max()) > 0
    assert float(expected[1].norm()) > 0
    assert float((found[0] - expected[0]).abs().max()) <= tolerance * float(expected[0].abs().max())
    assert float((found[1] - expected[1]).norm()) <= tolerance * float(expected[1].norm())


def definition(module, batches, weights):
    """Losses and gradient by the module's own residuals, with nothing of the evaluator."""
    losses = torch.stack(list(module.losses(batches).values()))
    trained = list(module.model.trainable().values())
    gradient = torch.autograd.grad(torch.dot(weights, losses), trained, allow_unused=True, materialize_grads=True)
    return losses.detach(), torch.cat([one.flatten() for one in gradient])
