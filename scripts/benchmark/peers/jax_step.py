"""The training step in plain JAX, compiled: derivatives in reverse mode, in forward mode, or by Taylor series."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from .step_timing import StepTimer, Targets, arguments, jax_memory, read_work, say, source

VARIANTS = ("reverse", "forward", "taylor")

Function = Callable[[Any], Any]


def reverse(f: Function, x: Any, axis: Any, order: int) -> list[Any]:
    """f and its derivatives by one coordinate up to an order, at a point x (d,), by nested jax.grad."""
    import jax

    def slope(g: Function) -> Function:
        return lambda z: jax.grad(g)(z)[axis]

    found, inner = [f(x)], f
    for _ in range(order):
        inner = slope(inner)
        found.append(inner(x))
    return found


def forward(f: Function, x: Any, axis: Any, order: int) -> list[Any]:
    """The same by nested jax.jvp: each pass gives all lower orders too."""
    import jax
    import jax.numpy as jnp

    unit = jnp.zeros_like(x).at[axis].set(1)

    def raised(g: Callable[[Any], list[Any]]) -> Callable[[Any], list[Any]]:
        def higher(z: Any) -> list[Any]:
            values, slopes = jax.jvp(g, (z,), (unit,))
            return [*values, slopes[-1]]

        return higher

    def series(z: Any) -> list[Any]:
        return [f(z)]

    for _ in range(order):
        series = raised(series)
    return series(x)


def taylor(f: Function, x: Any, axis: Any, order: int) -> list[Any]:
    """The same by jax.experimental.jet, which carries a truncated Taylor series."""
    import jax.numpy as jnp

    return _along(f, x, jnp.zeros_like(x).at[axis].set(1), order)


def _along(f: Function, x: Any, direction: Any, order: int) -> list[Any]:
    import jax.numpy as jnp
    from jax.experimental.jet import jet

    value, slopes = jet(f, (x,), ((direction, *[jnp.zeros_like(x)] * (order - 1)),))
    return [value, *slopes]


MODES = {"reverse": reverse, "forward": forward, "taylor": taylor}


def residual(problem: str, variant: str) -> Callable[[Function, Any], Any]:
    """The equations as a function of the network (d,) -> (fields,) and one point; the result is (equations,)."""
    import jax
    import jax.numpy as jnp

    line = MODES[variant]

    def one(equation: Callable[[Function, Any], Any]) -> Callable[[Function, Any], Any]:
        return lambda net, x: equation(lambda z: net(z)[0], x)[None]

    def burgers(u: Function, x: Any) -> Any:
        (value, u_x, u_xx), (_, u_t) = line(u, x, 0, 2), line(u, x, 1, 1)
        return u_t + value * u_x - 0.01 / jnp.pi * u_xx

    def allen_cahn(u: Function, x: Any) -> Any:
        (value, _, u_xx), (_, u_t) = line(u, x, 0, 2), line(u, x, 1, 1)
        return u_t - 0.0001 * u_xx + 5 * value**3 - 5 * value

    def kdv(u: Function, x: Any) -> Any:
        (value, u_x, _, u_xxx), (_, u_t) = line(u, x, 0, 3), line(u, x, 1, 1)
        return u_t + value * u_x + 0.022**2 * u_xxx

    def plate(u: Function, x: Any) -> Any:
        u_xxxx, u_yyyy = line(u, x, 0, 4)[4], line(u, x, 1, 4)[4]
        if variant == "taylor":  # the fourth derivatives along (1, 1) and (1, -1): 2 u_xxxx + 12 u_xxyy + 2 u_yyyy
            both = sum(_along(u, x, jnp.array([1.0, sign], x.dtype), 4)[4] for sign in (1, -1))
            u_xxyy = (both - 2 * u_xxxx - 2 * u_yyyy) / 12
        else:
            u_xxyy = line(lambda z: line(u, z, 0, 2)[2], x, 1, 2)[2]
        return u_xxxx + 2 * u_xxyy + u_yyyy - source(problem, x[0], x[1], jnp.sin)

    def navier_stokes(net: Function, x: Any) -> Any:
        if variant == "reverse":
            parts = [line(lambda z, k=k: net(z)[k], x, 0, 2 if k < 2 else 1) for k in range(3)]
            (u, u_x, u_xx), (v, v_x, v_xx), (_, p_x) = parts
            parts = [line(lambda z, k=k: net(z)[k], x, 1, 2 if k < 2 else 1) for k in range(3)]
            (_, u_y, u_yy), (_, v_y, v_yy), (_, p_y) = parts
            u_t, v_t = (line(lambda z, k=k: net(z)[k], x, 2, 1)[1] for k in range(2))
        else:
            (u, v, _), (u_x, v_x, p_x), (u_xx, v_xx, _) = line(net, x, 0, 2)
            _, (u_y, v_y, p_y), (u_yy, v_yy, _) = line(net, x, 1, 2)
            _, (u_t, v_t, _) = line(net, x, 2, 1)
        momentum_x = u_t + u * u_x + v * u_y + p_x - 0.01 * (u_xx + u_yy)
        momentum_y = v_t + u * v_x + v * v_y + p_y - 0.01 * (v_xx + v_yy)
        return jnp.stack([momentum_x, momentum_y, u_x + v_y])

    def poisson(u: Function, x: Any) -> Any:
        return laplacian(u, x, variant) - 2

    known = {"burgers": one(burgers), "allen_cahn": one(allen_cahn), "kdv": one(kdv), "plate": one(plate)}
    known["navier_stokes"] = navier_stokes
    found = one(poisson) if problem.startswith("poisson_") else known[problem]
    return lambda net, points: jax.vmap(lambda x: found(net, x))(points)


def laplacian(u: Function, x: Any, variant: str) -> Any:
    """The sum over directions of second derivatives: in reverse mode jvp of grad, the trace of the Hessian."""
    import jax
    import jax.numpy as jnp

    directions = jnp.eye(len(x), dtype=x.dtype)
    if variant == "reverse":
        rows = jax.vmap(lambda v: jax.jvp(jax.grad(u), (x,), (v,))[1])(directions)
        return jnp.trace(rows)
    if variant == "forward":
        return jax.vmap(lambda v: jax.jvp(lambda z: jax.jvp(u, (z,), (v,))[1], (x,), (v,))[1])(directions).sum()
    return jax.vmap(lambda v: _along(u, x, v, 2)[2])(directions).sum()


def loss_of(targets: Targets, fields: tuple[str, ...], net: Function, problem: str, variant: str) -> Any:
    """The losses of a condition: mean squares of values less targets, and of the Laplacian where it is given."""
    import jax
    import jax.numpy as jnp

    values = jax.vmap(net)(targets.points)
    total = 0.0
    for operator, wanted in targets.values.items():
        if operator == "laplacian":
            found = jax.vmap(lambda x: laplacian(lambda z: net(z)[0], x, variant))(targets.points)[:, None]
        else:
            place = fields.index(operator)
            found = values[:, place : place + 1]
        total += jnp.mean((found - wanted) ** 2)
    return total


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--variant", choices=VARIANTS, default="reverse")
    options = parser.parse_args()

    import jax
    import jax.numpy as jnp
    import optax

    jax.config.update("jax_enable_x64", options.dtype == "float64")
    jax.config.update("jax_default_matmul_precision", "highest")
    jax.config.update("jax_platforms", options.device)
    work = read_work(options.data, options.dtype)
    sizes = [len(work.coordinates), *[options.width] * options.depth, len(work.fields)]
    keys = jax.random.split(jax.random.PRNGKey(0), len(sizes) - 1)
    start = jax.nn.initializers.glorot_normal()
    parameters = [
        (start(key, shape, options.dtype), jnp.zeros(shape[1], options.dtype))
        for key, shape in zip(keys, pairwise(sizes), strict=True)
    ]
    equations = residual(options.problem, options.variant)
    points = jnp.asarray(work.equations)

    def loss(parameters: Any) -> Any:
        def net(x: Any) -> Any:
            for weight, bias in parameters[:-1]:
                x = jnp.tanh(x @ weight + bias)
            return x @ parameters[-1][0] + parameters[-1][1]

        total = jnp.sum(jnp.mean(equations(net, points) ** 2, axis=0))
        for targets in work.conditions.values():
            total += loss_of(targets, work.fields, net, options.problem, options.variant)
        return total

    optimizer = optax.adam(1e-3)

    @jax.jit
    def step(parameters: Any, state: Any) -> tuple[Any, Any, Any]:
        value, gradient = jax.value_and_grad(loss)(parameters)
        updates, state = optimizer.update(gradient, state)
        return optax.apply_updates(parameters, updates), state, value

    state = optimizer.init(parameters)
    value = jnp.zeros(())
    timer = StepTimer(options.steps, options.seconds, lambda: jax.block_until_ready(parameters))
    going = True
    while going:
        parameters, state, value = step(parameters, state)
        going = timer.tick()
    say(f"JAX {options.variant}", ("jax", "optax"), **timer.figures(), **jax_memory(options), loss=float(value))


if __name__ == "__main__":
    main()
