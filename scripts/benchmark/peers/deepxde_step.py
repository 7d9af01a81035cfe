"""The training step of DeepXDE, with the backend pytorch or jax."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from .step_timing import (
    StepTimer,
    Unsupported,
    Work,
    arguments,
    jax_memory,
    read_work,
    say,
    say_unsupported,
    source,
    torch_memory,
    use_torch,
)

PACKAGES = {"pytorch": ("deepxde", "torch"), "jax": ("deepxde", "jax", "flax")}


def residual(problem: str, work: Work, dde: Any, backend: str) -> Callable[[Any, Any], Any]:
    """The function `pde(x, y)` of the problem, by dde.grad.

    With the backend jax, y and every derivative is a pair (values, function); equations are made of the values.
    """
    jacobian, hessian = dde.grad.jacobian, dde.grad.hessian
    sin = dde.backend.sin

    def of(derivative: Any) -> Any:
        return derivative[0] if backend == "jax" else derivative

    def burgers(x: Any, y: Any) -> Any:
        u_x, u_t, u_xx = jacobian(y, x, i=0, j=0), jacobian(y, x, i=0, j=1), hessian(y, x, i=0, j=0)
        return of(u_t) + of(y) * of(u_x) - 0.01 / np.pi * of(u_xx)

    def allen_cahn(x: Any, y: Any) -> Any:
        u, u_t, u_xx = of(y), jacobian(y, x, i=0, j=1), hessian(y, x, i=0, j=0)
        return of(u_t) - 0.0001 * of(u_xx) + 5 * u**3 - 5 * u

    def kdv(x: Any, y: Any) -> Any:
        u_x, u_t, u_xx = jacobian(y, x, i=0, j=0), jacobian(y, x, i=0, j=1), hessian(y, x, i=0, j=0)
        u_xxx = jacobian(u_xx, x, i=0, j=0)
        return of(u_t) + of(y) * of(u_x) + 0.022**2 * of(u_xxx)

    def plate(x: Any, y: Any) -> Any:
        u_xx, u_yy = hessian(y, x, i=0, j=0), hessian(y, x, i=1, j=1)
        u_xxxx, u_xxyy = hessian(u_xx, x, i=0, j=0), hessian(u_xx, x, i=1, j=1)
        u_yyyy = hessian(u_yy, x, i=1, j=1)
        return of(u_xxxx) + 2 * of(u_xxyy) + of(u_yyyy) - source(problem, x[:, 0:1], x[:, 1:2], sin)

    def navier_stokes(x: Any, y: Any) -> Any:
        values = of(y)
        u, v = values[:, 0:1], values[:, 1:2]
        u_x, u_y, u_t = (of(jacobian(y, x, i=0, j=j)) for j in range(3))
        v_x, v_y, v_t = (of(jacobian(y, x, i=1, j=j)) for j in range(3))
        p_x, p_y = (of(jacobian(y, x, i=2, j=j)) for j in range(2))
        u_xx, u_yy = (of(hessian(y, x, component=0, i=j, j=j)) for j in range(2))
        v_xx, v_yy = (of(hessian(y, x, component=1, i=j, j=j)) for j in range(2))
        return [
            u_t + u * u_x + v * u_y + p_x - 0.01 * (u_xx + u_yy),
            v_t + u * v_x + v * v_y + p_y - 0.01 * (v_xx + v_yy),
            u_x + v_y,
        ]

    def poisson(x: Any, y: Any) -> Any:
        return sum(of(hessian(y, x, i=axis, j=axis)) for axis in range(len(work.coordinates))) - 2

    known = {"burgers": burgers, "allen_cahn": allen_cahn, "kdv": kdv, "plate": plate, "navier_stokes": navier_stokes}
    return poisson if problem.startswith("poisson_") else known[problem]


def conditions(work: Work, dde: Any, backend: str) -> list[Any]:
    """The conditions on their points; several fields at once where the backend can.

    Raises:
        Unsupported: a condition on a derivative, with the backend jax.
    """
    found = []
    for targets in work.conditions.values():
        given = [name for name in work.fields if name in targets.values]
        columns = [targets.values[name] for name in given]
        places = [work.fields.index(name) for name in given]
        if backend == "pytorch" and len(given) > 1:
            found.append(dde.icbc.PointSetBC(targets.points, np.hstack(columns), component=places))
        else:
            for column, place in zip(columns, places, strict=True):
                found.append(dde.icbc.PointSetBC(targets.points, column, component=place))
        if "laplacian" in targets.values:
            if backend == "jax":
                raise Unsupported(
                    "with the backend jax DeepXDE gives a condition the network's values, not the function, so that a "
                    "condition on a derivative cannot be posed"
                )
            axes = range(len(work.coordinates))

            def laplacian(x: Any, y: Any, _: Any, axes: range = axes) -> Any:
                return sum(dde.grad.hessian(y, x, i=axis, j=axis) for axis in axes)

            found.append(dde.icbc.PointSetOperatorBC(targets.points, targets.values["laplacian"], laplacian))
    return found


def prepare(options: argparse.Namespace) -> tuple[Any, Callable[[Any], Any]]:
    """The library with its backend, and what waits until a model's last step is done."""
    os.environ["DDE_BACKEND"] = options.variant
    if options.variant == "jax":
        import jax

        jax.config.update("jax_enable_x64", options.dtype == "float64")
        jax.config.update("jax_default_matmul_precision", "highest")
        jax.config.update("jax_platforms", options.device)

        def wait(model: Any) -> None:
            jax.block_until_ready(model.params)
    else:
        synchronize = use_torch(options)

        def wait(model: Any) -> None:
            synchronize()

    import deepxde as dde

    if options.variant == "pytorch":
        import torch

        torch.set_default_device(options.device)
    dde.config.set_default_float(options.dtype)
    dde.config.set_random_seed(0)
    return dde, wait


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--variant", choices=tuple(PACKAGES), default="pytorch")
    options = parser.parse_args()
    name = f"DeepXDE {options.variant}"
    work = read_work(options.data, options.dtype)
    dde, wait = prepare(options)
    try:
        bcs = conditions(work, dde, options.variant)
    except Unsupported as reason:
        return say_unsupported(name, reason)
    low, high = work.equations.min(axis=0) - 1, work.equations.max(axis=0) + 1  # unused: all points are given
    geometry = dde.geometry.Hypercube(low, high)
    pde = residual(options.problem, work, dde, options.variant)
    data = dde.data.PDE(geometry, pde, bcs, num_domain=0, num_boundary=0, anchors=work.equations)
    sizes = [len(work.coordinates), *[options.width] * options.depth, len(work.fields)]
    model = dde.Model(data, dde.nn.FNN(sizes, "tanh", "Glorot normal"))
    model.compile("adam", lr=1e-3)
    timer = StepTimer(options.steps, options.seconds, lambda: wait(model))

    class Ticks(dde.callbacks.Callback):
        def on_epoch_end(self) -> None:
            self.model.stop_training = not timer.tick()

    model.train(iterations=timer.total + 1, display_every=10**9, verbose=0, callbacks=[Ticks()])
    figures = {**timer.figures(), **(jax_memory if options.variant == "jax" else torch_memory)(options)}
    _, losses = model._outputs_losses(True, data.train_x, data.train_y, None)
    say(name, PACKAGES[options.variant], **figures, loss=float(np.sum(losses)))
    return None


if __name__ == "__main__":
    main()
