"""The compared problems in jinns: its self-scaled Broyden method (SSBroyden). A box is the only domain that it has."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from .accuracy_jinns import search_words
from .accuracy_timing import EVERY, say
from .comparison_timing import (
    ALPHA,
    COORDINATES,
    EPSILON,
    LEARNING_RATE,
    NU,
    STEPS,
    Clock,
    arguments,
    growth,
    inputs,
    worst_relative_l2,
)
from .step_timing import BLOCK

ALLEN_CAHN_WEIGHT = 100.0
"""Of the start: jinns has a number for it, and no weight that differs from point to point."""


def dynamics(problem: str) -> Any:
    """The equation as jinns' dynamic loss; inputs are (t, x), or (x, y)."""
    import jax
    import jax.numpy as jnp
    import jinns

    class Evolution(jinns.loss.PDENonStatio):
        def equation(self, t_x: Any, u: Any, params: Any) -> Any:
            gradient = jax.grad(lambda at: u(at, params).squeeze())
            along = jnp.array([0.0, 1.0])
            slope, bent = jax.jvp(gradient, (t_x,), (along,))
            value, u_t, u_x, u_xx = u(t_x, params), slope[0:1], slope[1:2], bent[1:2]
            if problem == "heat":
                return u_t - ALPHA * u_xx
            if problem == "burgers":
                return u_t + value * u_x - NU * u_xx
            root = growth(value, t_x[0:1], jnp.exp) ** 0.5
            return root * (u_t - EPSILON * u_xx - 5 * (value - value**3))

    class Poisson(jinns.loss.PDEStatio):
        def equation(self, x: Any, u: Any, params: Any) -> Any:
            load = 2 * jnp.pi**2 * jnp.sin(jnp.pi * x[0:1]) * jnp.sin(jnp.pi * x[1:2])
            return -jinns.loss.laplacian_rev(x, u, params, eq_type="PDEStatio") - load

    return Poisson() if problem == "poisson_2d" else Evolution()


def pose(options: Any, u: Any, params: Any, key: Any) -> tuple[Any, Any]:
    """The points and the loss."""
    import jax.numpy as jnp
    import jinns

    problem, counts = options.problem, {"n": options.equations, "nb": options.conditions}
    if problem == "poisson_2d":
        data = jinns.data.CubicMeshPDEStatio(
            key=key, dim=2, min_pts=(0.0, 0.0), max_pts=(1.0, 1.0), method="sobol", **counts
        )
        # jinns adds up the sides: a quarter of the weight is that of the mean over all points.
        weights = jinns.loss.LossWeightsPDEStatio(dyn_loss=jnp.array(1.0), boundary_loss=jnp.array(100.0 / 4))
        loss = jinns.loss.LossPDEStatio(
            u=u, dynamic_loss=dynamics(problem), boundary_condition=jinns.loss.Dirichlet(), params=params,
            loss_weights=weights,
        )  # fmt: skip
        return data, loss
    periodic = problem == "allen_cahn"
    data = jinns.data.CubicMeshPDENonStatio(
        key=key, ni=options.conditions, dim=1, min_pts=(-1.0,), max_pts=(1.0,), tmin=0.0, tmax=1.0, method="sobol",
        **counts,
    )  # fmt: skip
    weight = {"heat": 10.0, "burgers": 1.0, "allen_cahn": ALLEN_CAHN_WEIGHT}[problem]

    def start(x: Any) -> Any:
        if periodic:
            return x**2 * jnp.cos(jnp.pi * x)
        return (-1.0 if problem == "burgers" else 1.0) * jnp.sin(jnp.pi * x)

    ends = {} if periodic else {"boundary_loss": jnp.array(weight / 2)}
    weights = jinns.loss.LossWeightsPDENonStatio(dyn_loss=jnp.array(1.0), initial_condition=jnp.array(weight), **ends)
    loss = jinns.loss.LossPDENonStatio(
        u=u, dynamic_loss=dynamics(problem), boundary_condition=None if periodic else jinns.loss.Dirichlet(),
        initial_condition_fun=start, params=params, loss_weights=weights,
    )  # fmt: skip
    return data, loss


def main() -> None:
    options = arguments(__doc__)
    if options.problem == "back_step_flow":
        raise SystemExit("jinns has boxes alone: no domain of the form of an L")
    import equinox as eqx
    import jax
    import jax.numpy as jnp
    import optax

    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_x64", True)
    import jinns
    from jax.experimental import io_callback
    from jinns.optimizers import scale_by_SSBroyden_family
    from jinns.validation._validation import AbstractValidationModule

    problem = options.problem
    box = np.array(list(COORDINATES[problem].values()), dtype=float)
    timed = "t" in COORDINATES[problem]
    box = box[::-1] if timed else box  # jinns has t first
    low, high = jnp.asarray(box[:, 0]), jnp.asarray(box[:, 1])

    def embed(point: Any) -> Any:
        scaled = (2 * point - low - high) / (high - low)
        if problem != "allen_cahn":
            return scaled
        return jnp.concatenate([scaled[0:1], jnp.cos(jnp.pi * point[1:2]), jnp.sin(jnp.pi * point[1:2])])

    activation = jnp.tanh  # also in the place of sin: XLA on a CPU takes several times as long for sin in float64
    layers: list[tuple[Any, ...]] = [(embed,), (eqx.nn.Linear, inputs(problem), options.width), (activation,)]
    layers += [(eqx.nn.Linear, options.width, options.width), (activation,)] * (options.depth - 1)
    layers += [(eqx.nn.Linear, options.width, 1)]
    for_points, for_weights = jax.random.split(jax.random.PRNGKey(options.seed))
    kind = "PDENonStatio" if timed else "PDEStatio"
    u, weights = jinns.nn.PINN_MLP.create(key=for_weights, eqx_list=tuple(layers), eq_type=kind)
    params = jinns.parameters.Params(nn_params=weights, eq_params={})
    data, loss = pose(options, u, params, for_points)
    _, unravel = jax.flatten_util.ravel_pytree(params.nn_params)

    @jax.jit
    def predict(vector: Any, points: Any) -> Any:
        moved = eqx.tree_at(lambda one: one.nn_params, params, unravel(vector))
        return jax.vmap(lambda at: u(at, moved))(points).reshape(-1, 1)

    clock: list[Clock] = []
    kept: list[tuple[float, int, np.ndarray]] = []
    began: list[float] = []
    calls = [0]

    def host(vector: Any) -> np.bool_:
        """Called every few steps: the clock begins after compilation, with the first call."""
        calls[0] += 1
        if not began:
            began.append(time.perf_counter())
            clock.append(Clock(options, lambda points: points))
            return np.bool_(False)
        if options.task == "step":
            return np.bool_(not clock[0].tick(BLOCK))
        now = time.perf_counter() - began[0]
        if now >= min(options.seconds, EVERY + (kept[-1][0] if kept else 0.0)):
            kept.append((now, (calls[0] - 1) * BLOCK, np.array(vector)))
        return np.bool_(now >= options.seconds)

    class Look(AbstractValidationModule):
        call_every: int = eqx.field(kw_only=True, default=BLOCK)

        def __call__(self, params: Any) -> Any:
            vector = jax.flatten_util.ravel_pytree(params.nn_params)[0]
            return self, io_callback(host, jax.ShapeDtypeStruct((), np.bool_), vector), jnp.zeros(()), False

    timed_steps = options.task == "step"
    optimizer = optax.adam(LEARNING_RATE) if timed_steps else scale_by_SSBroyden_family()
    words = {} if timed_steps else {"extra_optax_args_and_kwargs": search_words()}
    before = time.perf_counter()
    solved = jinns.solve(
        init_params=params, data=data, optimizer=optimizer, loss=loss, n_iter=STEPS, print_loss_every=STEPS,
        verbose=False, validation=Look(), **words,
    )  # fmt: skip
    jax.block_until_ready(solved[0])
    for seconds, step, vector in kept:
        points = jnp.asarray(clock[0].points[:, ::-1] if timed else clock[0].points)
        say(seconds, worst_relative_l2(np.asarray(predict(jnp.asarray(vector), points)), clock[0].exact), step)
    clock[0].say(("jinns", "jax", "optax", "equinox"), "SSBroyden", compile_s=began[0] - before)


if __name__ == "__main__":
    main()
