"""The training step of PINA: with its operators, with its operators without checks, and with its trainer's compile."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from .step_timing import (
    StepTimer,
    Unsupported,
    Work,
    arguments,
    read_work,
    say,
    say_unsupported,
    source,
    torch_memory,
    use_torch,
)

VARIANTS = ("plain", "fast", "compiled")


def operators(variant: str) -> SimpleNamespace:
    """grad and laplacian; the fast ones leave out the checks of names."""
    import pina.operator as pina

    fast = variant == "fast"
    return SimpleNamespace(
        grad=pina.fast_grad if fast else pina.grad, laplacian=pina.fast_laplacian if fast else pina.laplacian
    )


def residuals(problem: str, work: Work, use: SimpleNamespace) -> list[Callable[[Any, Any], Any]]:
    """The equations of the problem as functions of the labelled inputs and outputs."""
    import torch

    names = list(work.coordinates)

    def burgers(x: Any, y: Any) -> Any:
        du = use.grad(y, x, components=["u"], d=["x", "t"])
        u_xx = use.grad(du, x, components=["dudx"], d=["x"])
        return du.extract(["dudt"]) + y.extract(["u"]) * du.extract(["dudx"]) - 0.01 / torch.pi * u_xx

    def allen_cahn(x: Any, y: Any) -> Any:
        du = use.grad(y, x, components=["u"], d=["x", "t"])
        u, u_xx = y.extract(["u"]), use.grad(du, x, components=["dudx"], d=["x"])
        return du.extract(["dudt"]) - 0.0001 * u_xx + 5 * u**3 - 5 * u

    def kdv(x: Any, y: Any) -> Any:
        du = use.grad(y, x, components=["u"], d=["x", "t"])
        u_xx = use.grad(du, x, components=["dudx"], d=["x"])
        u_xxx = use.grad(u_xx, x, components=["ddudxdx"], d=["x"])
        return du.extract(["dudt"]) + y.extract(["u"]) * du.extract(["dudx"]) + 0.022**2 * u_xxx

    def plate(x: Any, y: Any) -> Any:
        load = source(problem, x.extract(["x"]), x.extract(["y"]), torch.sin)
        inner = use.laplacian(y, x, components=["u"], d=names)
        return use.laplacian(inner, x, components=inner.labels, d=names) - load

    def momentum(field: str, axis: str) -> Callable[[Any, Any], Any]:
        def equation(x: Any, y: Any) -> Any:
            df = use.grad(y, x, components=[field], d=["x", "y", "t"])
            slope = use.grad(y, x, components=["p"], d=[axis])
            viscous = use.laplacian(y, x, components=[field], d=["x", "y"])
            carried = y.extract(["u"]) * df.extract([f"d{field}dx"]) + y.extract(["v"]) * df.extract([f"d{field}dy"])
            return df.extract([f"d{field}dt"]) + carried + slope - 0.01 * viscous

        return equation

    def continuity(x: Any, y: Any) -> Any:
        u_x = use.grad(y, x, components=["u"], d=["x"])
        return u_x + use.grad(y, x, components=["v"], d=["y"])

    def poisson(x: Any, y: Any) -> Any:
        return use.laplacian(y, x, components=["u"], d=names) - 2

    known = {
        "burgers": [burgers],
        "allen_cahn": [allen_cahn],
        "kdv": [kdv],
        "plate": [plate],
        "navier_stokes": [momentum("u", "x"), momentum("v", "y"), continuity],
    }
    return [poisson] if problem.startswith("poisson_") else known[problem]


def pose(problem: str, work: Work, use: SimpleNamespace) -> Any:
    """The problem on the given points."""
    import torch
    from pina import Condition, LabelTensor
    from pina.domain import CartesianDomain
    from pina.equation import Equation, SystemEquation
    from pina.problem import SpatialProblem, TimeDependentProblem

    names = list(work.coordinates)
    equations = residuals(problem, work, use)
    posed = SystemEquation(equations) if len(equations) > 1 else Equation(equations[0])
    points = LabelTensor(torch.as_tensor(work.equations), names)
    found = {"equations": Condition(input=points, equation=posed)}
    for name, targets in work.conditions.items():
        points = LabelTensor(torch.as_tensor(targets.points), names)
        given = [field for field in work.fields if field in targets.values]
        values = torch.cat([torch.as_tensor(targets.values[field]) for field in given], dim=1)
        found[name] = Condition(input=points, target=LabelTensor(values, given))
        if "laplacian" in targets.values:  # zero in all problems here
            bent = Equation(lambda x, y: use.laplacian(y, x, components=["u"], d=names))
            found[f"{name}_laplacian"] = Condition(input=points.clone(), equation=bent)
    timed = "t" in names
    space = CartesianDomain({name: [0, 1] for name in names if name != "t"})  # unused: all points are given
    parts = {"output_variables": list(work.fields), "spatial_domain": space, "conditions": found}
    if timed:
        parts["temporal_domain"] = CartesianDomain({"t": [0, 1]})
    bases = (TimeDependentProblem, SpatialProblem) if timed else (SpatialProblem,)
    return type("Posed", bases, parts)()


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--variant", choices=VARIANTS, default="plain")
    options = parser.parse_args()
    name = "PINA" if options.variant == "plain" else f"PINA {options.variant}"
    synchronize = use_torch(options)

    import torch
    from lightning.pytorch.callbacks import Callback
    from pina import Trainer
    from pina.model import FeedForward
    from pina.optim import TorchOptimizer
    from pina.solver import PINN

    work = read_work(options.data, options.dtype)
    problem = pose(options.problem, work, operators(options.variant))
    network = FeedForward(
        len(work.coordinates), len(work.fields), layers=[options.width] * options.depth, func=torch.nn.Tanh
    )
    solver = PINN(problem, network, optimizer=TorchOptimizer(torch.optim.Adam, lr=1e-3))
    timer = StepTimer(options.steps, options.seconds, synchronize)
    losses: list[Any] = []

    class Ticks(Callback):
        def on_train_batch_end(self, trainer: Any, module: Any, outputs: Any, *_: Any) -> None:
            losses[:] = [outputs["loss"] if isinstance(outputs, dict) else outputs]
            if not timer.tick():
                trainer.should_stop = True

    words = {"compile": True} if options.variant == "compiled" else {}
    try:
        trainer = _trainer(
            Trainer,
            solver=solver,
            max_epochs=timer.total,
            accelerator="gpu" if options.device == "cuda" else "cpu",
            devices=1,
            logger=False,
            callbacks=[Ticks()],
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            **words,
        )
    except Unsupported as reason:
        return say_unsupported(name, reason)
    trainer.train()
    packages = ("pina-mathlab", "torch", "lightning")
    say(name, packages, **timer.figures(), **torch_memory(options), loss=float(losses[0]))
    return None


def _trainer(kind: Callable[..., Any], **words: Any) -> Any:
    """PINA's trainer.

    Raises:
        Unsupported: this version of PINA takes the word compile, and does nothing with it.
    """
    with warnings.catch_warnings(record=True) as message:
        warnings.simplefilter("always", DeprecationWarning)
        trainer = kind(**words)
    for one in message:
        if "compile" in words and "compile" in str(one.message):
            raise Unsupported(f"PINA's trainer says: {one.message}")
    return trainer


if __name__ == "__main__":
    main()
