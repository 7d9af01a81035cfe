"""The compared problems in PINA: Adam, then L-BFGS by its SwitchOptimizer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
    WALLS,
    Clock,
    arguments,
    corner,
    fields,
    growth,
    inputs,
    torch_embedding,
)

Condition = tuple[Any, list[Callable[[Any, Any], Any]], int, float]
"""A domain, the residuals there, the number of points, and the weight of the mean of their squares."""


def equations(problem: str) -> list[Callable[[Any, Any], Any]]:
    """The equations as functions of the labelled inputs and outputs, by PINA's operators without checks of names."""
    from pina.operator import fast_grad, fast_laplacian
    from torch import exp, pi, sin

    def evolution(x: Any, y: Any) -> tuple[Any, Any, Any, Any]:
        du = fast_grad(y, x, components=["u"], d=["x", "t"])
        u_xx = fast_grad(du, x, components=["dudx"], d=["x"])
        return y.extract(["u"]), du.extract(["dudt"]), du.extract(["dudx"]), u_xx

    def heat(x: Any, y: Any) -> Any:
        _, u_t, _, u_xx = evolution(x, y)
        return u_t - ALPHA * u_xx

    def burgers(x: Any, y: Any) -> Any:
        u, u_t, u_x, u_xx = evolution(x, y)
        return u_t + u * u_x - NU * u_xx

    def allen_cahn(x: Any, y: Any) -> Any:
        u, u_t, _, u_xx = evolution(x, y)
        return growth(u, x.extract(["t"]), exp) ** 0.5 * (u_t - EPSILON * u_xx - 5 * (u - u**3))

    def poisson_2d(x: Any, y: Any) -> Any:
        load = 2 * pi**2 * sin(pi * x.extract(["x"])) * sin(pi * x.extract(["y"]))
        return -fast_laplacian(y, x, components=["u"], d=["x", "y"]) - load

    def root(x: Any) -> Any:
        return corner(x.extract(["x"]), x.extract(["y"])) ** 0.5

    def momentum(field: str, axis: str) -> Callable[[Any, Any], Any]:
        def equation(x: Any, y: Any) -> Any:
            df = fast_grad(y, x, components=[field], d=["x", "y"])
            slope = fast_grad(y, x, components=["p"], d=[axis])
            bent = fast_laplacian(y, x, components=[field], d=["x", "y"])
            carried = y.extract(["u"]) * df.extract([f"d{field}dx"]) + y.extract(["v"]) * df.extract([f"d{field}dy"])
            return root(x) * (carried + slope - VISCOSITY * bent)

        return equation

    def continuity(x: Any, y: Any) -> Any:
        u_x = fast_grad(y, x, components=["u"], d=["x"])
        return root(x) * (u_x + fast_grad(y, x, components=["v"], d=["y"]))

    known = {"heat": heat, "burgers": burgers, "allen_cahn": allen_cahn, "poisson_2d": poisson_2d}
    return [known[problem]] if problem in known else [momentum("u", "x"), momentum("v", "y"), continuity]


def conditions(problem: str, count: int) -> dict[str, Condition]:
    """The conditions, with `count` points each; one on several lines has a share on each, and of its weight."""
    from pina.domain import CartesianDomain
    from pina.operator import fast_grad
    from torch import cos, exp, pi, sin

    def zero(field: str) -> Callable[[Any, Any], Any]:
        return lambda x, y: y.extract([field])

    if problem == "back_step_flow":

        def parabola(x: Any, y: Any) -> Any:
            return y.extract(["u"]) - 4 * x.extract(["y"]) * (1 - x.extract(["y"]))

        def stress(x: Any, y: Any) -> Any:
            return VISCOSITY * fast_grad(y, x, components=["u"], d=["x"]) - y.extract(["p"])

        def slope(x: Any, y: Any) -> Any:
            return fast_grad(y, x, components=["v"], d=["x"])

        found: dict[str, Condition] = {
            "inlet": (CartesianDomain({"x": 0, "y": [0, 1]}), [parabola, zero("v")], count, 10.0),
            "outlet": (CartesianDomain({"x": 4, "y": [0, 2]}), [stress, slope], count, 10.0),
        }
        total = sum(high - low for *_, (low, high) in WALLS)
        for number, (fixed, value, free, (low, high)) in enumerate(WALLS):
            share = (high - low) / total
            line = CartesianDomain({fixed: value, free: [low, high]})
            found[f"wall_{number}"] = (line, [zero("u"), zero("v")], round(share * count), 10.0 * share)
        return found
    if problem == "poisson_2d":
        lines = [{"x": side, "y": [0, 1]} for side in (0, 1)] + [{"x": [0, 1], "y": side} for side in (0, 1)]
        return {f"edge_{n}": (CartesianDomain(line), [zero("u")], count // 4, 25.0) for n, line in enumerate(lines)}

    def start(x: Any, y: Any) -> Any:
        return y.extract(["u"]) - (-1 if problem == "burgers" else 1) * sin(pi * x.extract(["x"]))

    def weighted_start(x: Any, y: Any) -> Any:
        u = x.extract(["x"]) ** 2 * cos(pi * x.extract(["x"]))
        return 10 * growth(u, 0 * u, exp) ** 0.5 * (y.extract(["u"]) - u)

    at_start = CartesianDomain({"x": [-1, 1], "t": 0})
    if problem == "allen_cahn":
        return {"initial": (at_start, [weighted_start], count, 1.0)}
    weight = {"heat": 10.0, "burgers": 1.0}[problem]
    ends = [CartesianDomain({"x": side, "t": [0, 1]}) for side in (-1, 1)]
    found = {f"end_{number}": (end, [zero("u")], count // 2, weight / 2) for number, end in enumerate(ends)}
    return {"initial": (at_start, [start], count, weight), **found}


def pose(problem: str, counts: tuple[int, int]) -> tuple[Any, dict[str, float]]:
    """The problem with its points, and the weights of its conditions."""
    from pina import Condition as PinaCondition
    from pina.domain import CartesianDomain, Difference
    from pina.equation import SystemEquation
    from pina.problem import SpatialProblem, TimeDependentProblem

    box = {name: list(ends) for name, ends in COORDINATES[problem].items()}
    inside: Any = CartesianDomain(box)
    if problem == "back_step_flow":
        inside = Difference([inside, CartesianDomain({"x": [0, 2], "y": [1, 2]})])
    posed = equations(problem)
    found: Mapping[str, Condition] = {
        "equations": (inside, posed, counts[0], 1.0),
        **conditions(problem, counts[1]),
    }
    space = CartesianDomain({name: ends for name, ends in box.items() if name != "t"})
    parts: dict[str, Any] = {
        "output_variables": list(fields(problem)),
        "spatial_domain": space,
        "domains": {name: one[0] for name, one in found.items()},
        "conditions": {
            name: PinaCondition(domain=name, equation=SystemEquation(one[1])) for name, one in found.items()
        },
    }
    bases: tuple[type, ...] = (SpatialProblem,)
    if "t" in box:
        parts["temporal_domain"] = CartesianDomain({"t": box["t"]})
        bases = (TimeDependentProblem, SpatialProblem)
    made = type("Posed", bases, parts)()
    for name, (_, _, number, _) in found.items():
        made.discretise_domain(number, "random", domains=[name])
    # PINA takes the mean over points and residuals: times their number, each has the weight that it has elsewhere.
    return made, {name: weight * len(residuals) for name, (_, residuals, _, weight) in found.items()}


def main() -> None:
    options = arguments(__doc__)
    import torch

    torch.set_num_threads(options.threads)
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(options.seed)
    from lightning.pytorch.callbacks import Callback
    from pina import LabelTensor, Trainer
    from pina.callback import SwitchOptimizer
    from pina.model import FeedForward
    from pina.optim import TorchOptimizer
    from pina.solver import PINN
    from pina.weighting import ScalarWeighting

    problem = options.problem
    embed = torch_embedding(problem, torch)

    class Sin(torch.nn.Module):
        def forward(self, values: Any) -> Any:
            return torch.sin(values)

    class Network(torch.nn.Module):
        """The embedding, and PINA's multilayer perceptron with weights by Glorot's normal rule."""

        def __init__(self) -> None:
            super().__init__()
            kind = Sin if options.activation == "sin" else torch.nn.Tanh
            layers = [options.width] * options.depth
            self.mlp = FeedForward(inputs(problem), len(fields(problem)), layers=layers, func=kind)
            for layer in self.mlp.modules():
                if isinstance(layer, torch.nn.Linear):
                    torch.nn.init.xavier_normal_(layer.weight)
                    torch.nn.init.zeros_(layer.bias)

        def forward(self, points: Any) -> Any:
            return self.mlp(embed(points.extract(names).as_subclass(torch.Tensor)))

    names = list(COORDINATES[problem])
    posed, weights = pose(problem, (options.equations, options.conditions))
    optimizer = TorchOptimizer(torch.optim.Adam, lr=LEARNING_RATE)
    solver = PINN(posed, Network(), optimizer=optimizer, weighting=ScalarWeighting(weights))

    def predict(points: Any) -> Any:
        with torch.no_grad():
            return solver(LabelTensor(torch.as_tensor(points), names)).as_subclass(torch.Tensor).numpy()

    clock = Clock(options, predict)
    switch = SwitchOptimizer(TorchOptimizer(torch.optim.LBFGS, lr=1, **LBFGS), epoch_switch=STEPS)
    begun: list[int] = []

    class Look(Callback):
        def on_train_epoch_end(self, trainer: Any, module: Any) -> None:
            if not clock.tick(LBFGS["max_iter"] if begun else 1):
                trainer.should_stop = True
            elif clock.adam_is_over and not begun:
                begun.append(trainer.current_epoch + 1)
                switch._epoch_switch = begun[0]  # by the clock: the number of epochs until then is not known before

    trainer = Trainer(
        solver=solver, max_epochs=STEPS, accelerator="cpu", devices=1, logger=False, callbacks=[switch, Look()],
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    trainer.train()
    clock.say(("pina-mathlab", "torch", "lightning"), "Adam, then L-BFGS")


if __name__ == "__main__":
    main()
