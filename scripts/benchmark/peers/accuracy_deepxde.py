"""DeepXDE's usual recipe on a budget: Adam for 40 % of the time, then L-BFGS. Prints the error every few seconds."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from .accuracy_timing import (
    ALPHA,
    DEPTH,
    NU,
    POINTS,
    WIDTH,
    TrainingTimer,
    arguments,
    reference,
    relative_l2,
    say_versions,
)

SHARE_OF_ADAM = 0.4
LBFGS_STEPS = 20
"""Iterations of L-BFGS between two readings of the timer; its memory goes on over them."""


def problem(name: str, dde: Any) -> tuple[Callable[[Any, Any], Any], Callable[[Any], Any]]:
    """The residual of the equation and the values at t = 0."""

    def heat(x: Any, y: Any) -> Any:
        return dde.grad.jacobian(y, x, i=0, j=1) - ALPHA * dde.grad.hessian(y, x, i=0, j=0)

    def burgers(x: Any, y: Any) -> Any:
        u_x, u_t = dde.grad.jacobian(y, x, i=0, j=0), dde.grad.jacobian(y, x, i=0, j=1)
        return u_t + y * u_x - NU * dde.grad.hessian(y, x, i=0, j=0)

    sign = {"heat": 1, "burgers": -1}[name]
    return {"heat": heat, "burgers": burgers}[name], lambda x: sign * np.sin(np.pi * x[:, :1])


def main() -> None:
    options = arguments(__doc__)
    os.environ["DDE_BACKEND"] = "pytorch"
    import deepxde as dde

    dde.config.set_default_float("float64")
    dde.config.set_random_seed(options.seed)
    equation, start = problem(options.problem, dde)
    inside, ends, initial = POINTS[options.problem]
    space_time = dde.geometry.GeometryXTime(dde.geometry.Interval(-1, 1), dde.geometry.TimeDomain(0, 1))
    conditions = [
        dde.icbc.DirichletBC(space_time, lambda x: 0, lambda _, on_boundary: on_boundary),
        dde.icbc.IC(space_time, start, lambda _, on_initial: on_initial),
    ]
    data = dde.data.TimePDE(space_time, equation, conditions, num_domain=inside, num_boundary=ends, num_initial=initial)
    model = dde.Model(data, dde.nn.FNN([2, *[WIDTH] * DEPTH, 1], "tanh", "Glorot normal"))
    points, exact = reference(options.data)
    say_versions(("deepxde", "torch"))
    model.compile("adam", lr=1e-3)
    timer = TrainingTimer(options.seconds)

    class Look(dde.callbacks.Callback):
        def __init__(self, until: float) -> None:
            super().__init__()
            self.until = until

        def on_epoch_end(self) -> None:
            timer.look(self.model.train_state.step, lambda: relative_l2(self.model.predict(points), exact))
            self.model.stop_training = timer.time >= self.until

    quiet = {"display_every": 10**9, "verbose": 0}
    model.train(iterations=10**9, callbacks=[Look(SHARE_OF_ADAM * options.seconds)], **quiet)
    dde.optimizers.config.set_LBFGS_options(maxcor=50, maxiter=10**9, ftol=0, gtol=0)
    while not timer.over:  # a line search that fails ends L-BFGS: it begins anew
        model.compile("L-BFGS")
        model.opt.param_groups[0]["max_iter"] = LBFGS_STEPS
        model.train(callbacks=[Look(options.seconds)], **quiet)


if __name__ == "__main__":
    main()
