"""The compared problems in TorchPhysics: Adam on points that are drawn anew, then L-BFGS on fixed ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .comparison_timing import (
    ALPHA,
    COORDINATES,
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

Residual = Callable[..., Any]
RESAMPLED = 100
"""Steps of Adam between draws of points: one in a cut domain, or on a filtered boundary, takes longer than a step."""


def equation(problem: str) -> Residual:
    """The equation; its arguments name what it reads. Several residuals are columns, whose squares add up."""
    import torch
    from torch import exp, pi, sin
    from torchphysics.utils import grad, laplacian

    def heat(u: Any, x: Any, t: Any) -> Any:
        return grad(u, t) - ALPHA * laplacian(u, x)

    def burgers(u: Any, x: Any, t: Any) -> Any:
        u_x = grad(u, x)
        return grad(u, t) + u * u_x - NU * laplacian(u, x, grad=u_x)

    def allen_cahn(u: Any, x: Any, t: Any) -> Any:
        return growth(u, t, exp) ** 0.5 * (grad(u, t) - EPSILON * laplacian(u, x) - 5 * (u - u**3))

    def poisson_2d(u: Any, x: Any) -> Any:
        return -laplacian(u, x) - 2 * pi**2 * sin(pi * x[:, 0:1]) * sin(pi * x[:, 1:2])

    def back_step_flow(u: Any, v: Any, p: Any, x: Any) -> Any:
        du, dv, dp = grad(u, x), grad(v, x), grad(p, x)
        momentum_x = u * du[:, 0:1] + v * du[:, 1:2] + dp[:, 0:1] - VISCOSITY * laplacian(u, x, grad=du)
        momentum_y = u * dv[:, 0:1] + v * dv[:, 1:2] + dp[:, 1:2] - VISCOSITY * laplacian(v, x, grad=dv)
        together = torch.cat((momentum_x, momentum_y, du[:, 0:1] + dv[:, 1:2]), dim=1)
        return corner(x[:, 0:1], x[:, 1:2]) ** 0.5 * together

    known = {"heat": heat, "burgers": burgers, "allen_cahn": allen_cahn, "poisson_2d": poisson_2d}
    return known.get(problem, back_step_flow)


def terms(problem: str, tp: Any) -> tuple[Any, list[tuple[Any, Residual, float, Any]]]:
    """The domain; for each condition where it holds, its residual, its weight, and a filter of the points (or None)."""
    import torch
    from torch import cos, exp, pi, sin
    from torchphysics.utils import grad

    def zero(u: Any) -> Any:
        return u

    if problem == "back_step_flow":
        plane = tp.spaces.R2("x")
        box = tp.domains.Parallelogram(plane, [0, 0], [4, 0], [0, 2])
        channel = box - tp.domains.Parallelogram(plane, [-1, 1], [2, 1], [-1, 3])

        def enters(u: Any, v: Any, x: Any) -> Any:
            return torch.cat((u - 4 * x[:, 1:2] * (1 - x[:, 1:2]), v), dim=1)

        def sticks(u: Any, v: Any) -> Any:
            return torch.cat((u, v), dim=1)

        def leaves(u: Any, v: Any, p: Any, x: Any) -> Any:
            return torch.cat((VISCOSITY * grad(u, x)[:, 0:1] - p, grad(v, x)[:, 0:1]), dim=1)

        def at_outlet(x: Any) -> Any:
            return x[:, 0:1] > 4 - 1e-6

        def at_walls(x: Any) -> Any:
            return (x[:, 0:1] > 1e-6) & (x[:, 0:1] < 4 - 1e-6)

        def at_inlet(x: Any) -> Any:
            return x[:, 0:1] < 1e-6

        # Slender domains whose ends are the inlet and the outlet: few points of their boundaries are drawn in vain.
        inlet = tp.domains.Parallelogram(plane, [0, 0], [0.1, 0], [0, 1]).boundary
        outlet = tp.domains.Parallelogram(plane, [3.9, 0], [4, 0], [3.9, 2]).boundary
        return channel, [
            (inlet, enters, 10.0, at_inlet),
            (channel.boundary, sticks, 10.0, at_walls),
            (outlet, leaves, 10.0, at_outlet),
        ]
    if problem == "poisson_2d":
        square = tp.domains.Parallelogram(tp.spaces.R2("x"), [0, 0], [1, 0], [0, 1])
        return square, [(square.boundary, zero, 100.0, None)]
    rod = tp.domains.Interval(tp.spaces.R1("x"), -1, 1)
    time = tp.domains.Interval(tp.spaces.R1("t"), 0, 1)
    start = rod * time.boundary_left
    if problem == "allen_cahn":

        def weighted(u: Any, x: Any) -> Any:
            first = x**2 * cos(pi * x)
            return 10 * growth(first, 0 * first, exp) ** 0.5 * (u - first)

        return rod * time, [(start, weighted, 1.0, None)]

    def initial(u: Any, x: Any) -> Any:
        return u - (-1 if problem == "burgers" else 1) * sin(pi * x)

    weight = {"heat": 10.0, "burgers": 1.0}[problem]
    return rod * time, [(start, initial, weight, None), (rod.boundary * time, zero, weight, None)]


def main() -> None:
    options = arguments(__doc__)
    import torch

    torch.set_num_threads(options.threads)
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(options.seed)
    import pytorch_lightning as lightning
    import torchphysics as tp

    problem = options.problem
    embed = torch_embedding(problem, torch)
    flat = "t" not in COORDINATES[problem]
    space = tp.spaces.R2("x") if flat else tp.spaces.R1("x") * tp.spaces.R1("t")
    hidden = tp.spaces.Rn("z", inputs(problem))
    unknown = tp.spaces.R1("u")
    for name in fields(problem)[1:]:
        unknown = unknown * tp.spaces.R1(name)

    class Embedding(tp.models.Model):
        def __init__(self) -> None:
            super().__init__(space, hidden)

        def forward(self, points: Any) -> Any:
            return tp.spaces.Points(embed(self._fix_points_order(points).as_tensor), hidden)

    activation = tp.models.Sinus() if options.activation == "sin" else torch.nn.Tanh()
    network = tp.models.FCN(hidden, unknown, hidden=(options.width,) * options.depth, activations=activation)
    for layer in network.modules():
        if isinstance(layer, torch.nn.Linear):
            torch.nn.init.xavier_normal_(layer.weight)
            torch.nn.init.zeros_(layer.bias)
    model = tp.models.Sequential(Embedding(), network)

    def predict(points: Any) -> Any:
        with torch.no_grad():
            return model(tp.spaces.Points(torch.as_tensor(points), space)).as_tensor.numpy()

    domain, found = terms(problem, tp)

    def conditions(fixed: bool) -> list[Any]:
        made = []
        inside = [(domain, equation(problem), 1.0, None)]
        for number, (where, residual, weight, only) in enumerate([*inside, *found]):
            count = options.conditions if number else options.equations
            sampler = tp.samplers.RandomUniformSampler(where, n_points=count, filter_fn=only)
            sampler = sampler.make_static() if fixed else sampler.make_static(resample_interval=RESAMPLED)
            made.append(tp.conditions.PINNCondition(model, sampler, residual, weight=weight, name=f"term_{number}"))
        return made

    clock = Clock(options, predict)

    class Look(lightning.Callback):
        def __init__(self, adam: bool) -> None:
            self.adam = adam

        def on_train_batch_end(self, trainer: Any, *_: Any) -> None:
            going = clock.tick(1 if self.adam else LBFGS["max_iter"])
            if not going or (self.adam and clock.adam_is_over):
                trainer.should_stop = True

    def fit(adam: bool) -> None:
        kind, rate, words = (torch.optim.Adam, LEARNING_RATE, {}) if adam else (torch.optim.LBFGS, 1, LBFGS)
        setting = tp.OptimizerSetting(kind, lr=rate, optimizer_args=words)
        solver = tp.solver.Solver(conditions(fixed=clock.timed or not adam), optimizer_setting=setting)
        trainer = lightning.Trainer(
            max_steps=STEPS, accelerator="cpu", devices=1, logger=False, callbacks=[Look(adam)],
            enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        )  # fmt: skip
        trainer.fit(solver)

    fit(adam=True)
    if not clock.over:
        fit(adam=False)
    clock.say(("torchphysics", "torch", "pytorch-lightning"), "Adam, then L-BFGS")


if __name__ == "__main__":
    main()
