"""The compared problems in DeepXDE (PyTorch backend): Adam, then L-BFGS."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from .comparison_timing import (
    ALPHA,
    EPSILON,
    LBFGS,
    LEARNING_RATE,
    NU,
    STEPS,
    VISCOSITY,
    Clock,
    arguments,
    corner,
    fields,
    growth,
    inputs,
    torch_embedding,
)


def residual(problem: str, dde: Any) -> Callable[[Any, Any], Any]:
    """The function `pde(x, y)`; a residual is multiplied by the root of its weight."""
    from torch import exp, pi, sin

    jacobian, hessian = dde.grad.jacobian, dde.grad.hessian

    def heat(x: Any, y: Any) -> Any:
        return jacobian(y, x, i=0, j=1) - ALPHA * hessian(y, x, i=0, j=0)

    def burgers(x: Any, y: Any) -> Any:
        return jacobian(y, x, i=0, j=1) + y * jacobian(y, x, i=0, j=0) - NU * hessian(y, x, i=0, j=0)

    def poisson_2d(x: Any, y: Any) -> Any:
        load = 2 * pi**2 * sin(pi * x[:, 0:1]) * sin(pi * x[:, 1:2])
        return -hessian(y, x, i=0, j=0) - hessian(y, x, i=1, j=1) - load

    def allen_cahn(x: Any, y: Any) -> Any:
        plain = jacobian(y, x, i=0, j=1) - EPSILON * hessian(y, x, i=0, j=0) - 5 * (y - y**3)
        return growth(y, x[:, 1:2], exp) ** 0.5 * plain

    def back_step_flow(x: Any, y: Any) -> Any:
        u, v = y[:, 0:1], y[:, 1:2]
        (u_x, u_y), (v_x, v_y) = ((jacobian(y, x, i=i, j=j) for j in range(2)) for i in range(2))
        p_x, p_y = (jacobian(y, x, i=2, j=j) for j in range(2))
        bent_u, bent_v = (sum(hessian(y, x, component=i, i=j, j=j) for j in range(2)) for i in range(2))
        root = corner(x[:, 0:1], x[:, 1:2]) ** 0.5
        momentum_x = u * u_x + v * u_y + p_x - VISCOSITY * bent_u
        momentum_y = u * v_x + v * v_y + p_y - VISCOSITY * bent_v
        return [root * momentum_x, root * momentum_y, root * (u_x + v_y)]

    known = {"heat": heat, "burgers": burgers, "poisson_2d": poisson_2d, "allen_cahn": allen_cahn}
    return known.get(problem, back_step_flow)


def pose(options: Any, dde: Any) -> tuple[Any, list[float]]:
    """The data of the problem, and the weights of its losses."""
    problem = options.problem
    pde = residual(problem, dde)
    if problem == "back_step_flow":
        return flow(options, dde, pde)
    if problem == "poisson_2d":
        square = dde.geometry.Rectangle([0, 0], [1, 1])
        edge = dde.icbc.DirichletBC(square, lambda x: 0, lambda _, on_boundary: on_boundary)
        points = {"num_domain": options.equations, "num_boundary": options.conditions}
        return dde.data.PDE(square, pde, [edge], **points), [1, 100]
    geometry = dde.geometry.GeometryXTime(dde.geometry.Interval(-1, 1), dde.geometry.TimeDomain(0, 1))
    if problem == "allen_cahn":  # a weight that differs from point to point: the root multiplies the residual
        at = geometry.random_initial_points(options.conditions, "Hammersley")

        def first(x: Any, cos: Any) -> Any:
            return x[:, 0:1] ** 2 * cos(np.pi * x[:, 0:1])

        def weighted(x: Any, y: Any, _: Any) -> Any:
            return 10 * growth(first(x, dde.backend.cos), 0, np.exp) ** 0.5 * y

        u = first(at, np.cos)
        start = dde.icbc.PointSetOperatorBC(at, 10 * growth(u, 0, np.exp) ** 0.5 * u, weighted)
        return dde.data.TimePDE(geometry, pde, [start], num_domain=options.equations), [1, 1]
    sign, weight = {"heat": (1, 10), "burgers": (-1, 1)}[problem]
    conditions = [
        dde.icbc.IC(geometry, lambda x: sign * np.sin(np.pi * x[:, 0:1]), lambda _, on_initial: on_initial),
        dde.icbc.DirichletBC(geometry, lambda x: 0, lambda _, on_boundary: on_boundary),
    ]
    counts = {"num_domain": options.equations, "num_boundary": options.conditions, "num_initial": options.conditions}
    return dde.data.TimePDE(geometry, pde, conditions, **counts), [1, weight, weight]


def flow(options: Any, dde: Any, pde: Callable[[Any, Any], Any]) -> tuple[Any, list[float]]:
    """The channel by constructive solid geometry; the step is drawn larger, so that no face of it lies on the box's."""
    channel = dde.geometry.Rectangle([0, 0], [4, 2]) - dde.geometry.Rectangle([-1, 1], [2, 3])

    def on_inlet(x: Any, on_boundary: bool) -> bool:
        return on_boundary and np.isclose(x[0], 0)

    def on_outlet(x: Any, on_boundary: bool) -> bool:
        return on_boundary and np.isclose(x[0], 4)

    def on_walls(x: Any, on_boundary: bool) -> bool:
        return on_boundary and not np.isclose(x[0], 0) and not np.isclose(x[0], 4)

    def stress(x: Any, y: Any, _: Any) -> Any:
        return VISCOSITY * dde.grad.jacobian(y, x, i=0, j=0) - y[:, 2:3]

    def slope(x: Any, y: Any, _: Any) -> Any:
        return dde.grad.jacobian(y, x, i=1, j=0)

    conditions = [
        dde.icbc.DirichletBC(channel, lambda x: 4 * x[:, 1:2] * (1 - x[:, 1:2]), on_inlet, component=0),
        dde.icbc.DirichletBC(channel, lambda x: 0, on_inlet, component=1),
        dde.icbc.DirichletBC(channel, lambda x: 0, on_walls, component=0),
        dde.icbc.DirichletBC(channel, lambda x: 0, on_walls, component=1),
        dde.icbc.OperatorBC(channel, stress, on_outlet),
        dde.icbc.OperatorBC(channel, slope, on_outlet),
    ]
    counts = {"num_domain": options.equations, "num_boundary": 3 * options.conditions}
    return dde.data.PDE(channel, pde, conditions, **counts), [1] * 3 + [10] * 6


def main() -> None:
    options = arguments(__doc__)
    os.environ["DDE_BACKEND"] = "pytorch"
    import torch

    torch.set_num_threads(options.threads)
    import deepxde as dde

    dde.config.set_default_float("float64")
    dde.config.set_random_seed(options.seed)
    data, weights = pose(options, dde)
    problem = options.problem
    sizes = [inputs(problem), *[options.width] * options.depth, len(fields(problem))]
    network = dde.nn.FNN(sizes, options.activation, "Glorot normal")
    network.apply_feature_transform(torch_embedding(problem, torch))
    model = dde.Model(data, network)
    model.compile("adam", lr=LEARNING_RATE, loss_weights=weights)
    clock = Clock(options, model.predict)

    class Look(dde.callbacks.Callback):
        def __init__(self, adam: bool) -> None:
            super().__init__()
            self.adam, self.seen = adam, 0

        def on_epoch_end(self) -> None:
            step = self.model.train_state.step
            going = clock.tick(step - self.seen)
            self.seen = step
            self.model.stop_training = not going or (self.adam and clock.adam_is_over)

        def on_train_begin(self) -> None:
            self.seen = self.model.train_state.step

    quiet = {"display_every": 10**9, "verbose": 0}
    model.train(iterations=STEPS, callbacks=[Look(adam=True)], **quiet)
    dde.optimizers.config.set_LBFGS_options(maxcor=LBFGS["history_size"], maxiter=10**9, ftol=0, gtol=0)
    while not clock.over:  # a line search that fails ends L-BFGS: it begins anew
        model.compile("L-BFGS", loss_weights=weights)
        model.opt.param_groups[0]["max_iter"] = LBFGS["max_iter"]
        model.train(callbacks=[Look(adam=False)], **quiet)
    clock.say(("deepxde", "torch"), "Adam, then L-BFGS")


if __name__ == "__main__":
    main()
