"""Least-squares problems for the optimizers that need a Jacobian."""

from __future__ import annotations

import torch


class System:
    """The least-squares problem of a residual function x (n,) -> r (N,), with J by torch.func; `calls` by name."""

    def __init__(self, function, x):
        self.function, self.x, self.calls = function, x, []

    def rows(self):
        self.calls.append("rows")
        point = self.x.detach()
        return self.function(point), torch.func.jacrev(self.function)(point)

    def rows_shape(self):
        return (*self.function(self.x.detach()).shape, *self.x.shape)

    def gram(self):
        r, jacobian = self.rows()
        self.calls.append("gram")
        return jacobian.T @ jacobian, jacobian.T @ r

    def residuals(self):
        self.calls.append("residuals")
        return self.function(self.x.detach())

    def product(self, vector):
        self.calls.append("product")
        _, jacobian = self.rows()
        return jacobian.T @ (jacobian @ vector)


def prepare(function, start, make, dtype=torch.float64):
    """(x, optimizer, closure) with a list of the closure's losses as its attribute."""
    x = torch.nn.Parameter(torch.as_tensor(start, dtype=dtype).clone())
    optimizer = make([x])
    optimizer.system = System(function, x)

    def closure():
        optimizer.zero_grad()
        loss = (function(x) ** 2).sum()
        loss.backward()
        closure.losses.append(loss.item())
        return loss

    closure.losses = []
    return x, optimizer, closure
