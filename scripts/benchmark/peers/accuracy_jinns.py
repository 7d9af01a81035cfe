"""jinns' self-scaled Broyden on a budget. Prints the error every few seconds, measured after training."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from .accuracy_timing import (
    ALPHA,
    DEPTH,
    EVERY,
    NU,
    POINTS,
    WIDTH,
    arguments,
    reference,
    relative_l2,
    say,
    say_versions,
)

CALL_EVERY = 10
"""Iterations between two readings of the timer."""
STEPS = 200_000
"""More iterations than any budget holds."""


def equation(name: str) -> Any:
    """The residual as jinns' dynamic loss; inputs are (t, x)."""
    import jax
    import jinns

    class Heat(jinns.loss.PDENonStatio):
        def equation(self, t_x: Any, u: Any, params: Any) -> Any:
            u_t = jax.grad(lambda at: u(at, params).squeeze())(t_x)[0:1]
            return u_t - params.eq_params.nu * jinns.loss.laplacian_rev(t_x, u, params, eq_type="PDENonStatio")

    return Heat() if name == "heat" else jinns.loss.BurgersEquation(Tmax=1)


def search_words() -> dict[str, Any]:
    """What jinns hands to the line search: the value and the gradient of the loss, and how to compute them.

    It tells functions from names by how their own begin: callback.
    """
    import jinns

    def callback_value(params: Any, batch: Any, loss: Any) -> Any:
        return loss.evaluate(params, batch)[0]

    def callback_gradient(params: Any, batch: Any, loss: Any) -> Any:
        return loss.ponderate_and_sum_gradient(loss.values_and_grads(params, batch)[1])

    named = jinns.solver.GetJinnsVariableName
    return {
        "value": named("train_loss_value"),
        "grad_pt": named("grads"),
        "value_fn": callback_value,
        "grad_fn": callback_gradient,
        "batch": named("batch"),
        "loss": named("loss"),
    }


def main() -> None:
    options = arguments(__doc__)
    import equinox as eqx
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_x64", True)
    import jinns
    from jax.experimental import io_callback
    from jinns.optimizers import scale_by_SSBroyden_family
    from jinns.validation._validation import AbstractValidationModule

    inside, ends, initial = POINTS[options.problem]
    for_points, for_weights = jax.random.split(jax.random.PRNGKey(options.seed))
    data = jinns.data.CubicMeshPDENonStatio(
        key=for_points, n=inside, nb=ends, ni=initial, dim=1, min_pts=(-1.0,), max_pts=(1.0,), tmin=0.0, tmax=1.0,
        method="uniform",
    )  # fmt: skip
    layers: list[tuple[Any, ...]] = [(eqx.nn.Linear, 2, WIDTH), (jax.nn.tanh,)]
    layers += [(eqx.nn.Linear, WIDTH, WIDTH), (jax.nn.tanh,)] * (DEPTH - 1)
    layers += [(eqx.nn.Linear, WIDTH, 1)]
    u, weights = jinns.nn.PINN_MLP.create(key=for_weights, eqx_list=tuple(layers), eq_type="PDENonStatio")
    sign, coefficient = {"heat": (1.0, ALPHA), "burgers": (-1.0, NU)}[options.problem]
    params = jinns.parameters.Params(nn_params=weights, eq_params={"nu": jnp.array(coefficient)})
    loss = jinns.loss.LossPDENonStatio(
        u=u,
        dynamic_loss=equation(options.problem),
        boundary_condition=jinns.loss.Dirichlet(),
        initial_condition_fun=lambda x: sign * jnp.sin(jnp.pi * x),
        params=params,
        loss_weights=jinns.loss.LossWeightsPDENonStatio(
            dyn_loss=jnp.array(1.0),
            initial_condition=jnp.array(1.0),
            boundary_loss=jnp.array(0.5),  # jinns adds up both ends: this is the mean over all their points
        ),
    )
    _, unravel = jax.flatten_util.ravel_pytree(params.nn_params)
    points, exact = reference(options.data)
    swapped = jnp.asarray(points[:, ::-1])

    @jax.jit
    def predict(vector: Any) -> Any:
        moved = eqx.tree_at(lambda one: one.nn_params, params, unravel(vector))
        return jax.vmap(lambda t_x: u(t_x, moved))(swapped).reshape(-1, 1)

    kept: list[tuple[float, int, np.ndarray]] = []
    began: list[float] = []
    calls: list[None] = []

    def host(vector: Any) -> np.bool_:
        """Keep the weights every few seconds; the clock begins after compilation, with the first call."""
        calls.append(None)
        if not began:
            began.append(time.perf_counter())
        now = time.perf_counter() - began[0]
        over = now >= options.seconds
        if over or now >= EVERY + (kept[-1][0] if kept else 0.0):
            kept.append((now, (len(calls) - 1) * CALL_EVERY, np.array(vector)))
        return np.bool_(over)

    class Look(AbstractValidationModule):
        call_every: int = eqx.field(kw_only=True, default=CALL_EVERY)

        def __call__(self, params: Any) -> Any:
            vector = jax.flatten_util.ravel_pytree(params.nn_params)[0]
            return self, io_callback(host, jax.ShapeDtypeStruct((), np.bool_), vector), jnp.zeros(()), False

    say_versions(("jinns", "jax", "optax"))
    solved = jinns.solve(
        init_params=params,
        data=data,
        optimizer=scale_by_SSBroyden_family(),
        loss=loss,
        n_iter=STEPS,
        print_loss_every=STEPS,
        verbose=False,
        validation=Look(),
        extra_optax_args_and_kwargs=search_words(),
    )
    jax.block_until_ready(solved[0])
    for seconds, step, vector in kept:
        say(seconds, relative_l2(np.asarray(predict(jnp.asarray(vector))), exact), step)


if __name__ == "__main__":
    main()
