"""The training step of TorchPhysics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .step_timing import StepTimer, Work, arguments, read_work, say, source, torch_memory, use_torch


def residual(problem: str) -> Callable[..., Any]:
    """The equation of the problem; its arguments name what it reads, as TorchPhysics asks."""
    import torch
    from torchphysics.utils import grad, laplacian

    def burgers(u: Any, x: Any, t: Any) -> Any:
        return grad(u, t) + u * grad(u, x) - 0.01 / np.pi * laplacian(u, x)

    def allen_cahn(u: Any, x: Any, t: Any) -> Any:
        return grad(u, t) - 0.0001 * laplacian(u, x) + 5 * u**3 - 5 * u

    def kdv(u: Any, x: Any, t: Any) -> Any:
        u_x = grad(u, x)
        return grad(u, t) + u * u_x + 0.022**2 * laplacian(u_x, x)

    def plate(u: Any, x: Any, y: Any) -> Any:
        return laplacian(laplacian(u, x, y), x, y) - source(problem, x, y, torch.sin)

    def navier_stokes(u: Any, v: Any, p: Any, x: Any, y: Any, t: Any) -> Any:
        u_x, v_y = grad(u, x), grad(v, y)
        momentum_x = grad(u, t) + u * u_x + v * grad(u, y) + grad(p, x) - 0.01 * laplacian(u, x, y)
        momentum_y = grad(v, t) + u * grad(v, x) + v * v_y + grad(p, y) - 0.01 * laplacian(v, x, y)
        return torch.cat((momentum_x, momentum_y, u_x + v_y), dim=1)

    def poisson(u: Any, x: Any) -> Any:
        return laplacian(u, x) - 2

    known = {"burgers": burgers, "allen_cahn": allen_cahn, "kdv": kdv, "plate": plate, "navier_stokes": navier_stokes}
    return poisson if problem.startswith("poisson_") else known[problem]


def fit(fields: list[str]) -> Callable[..., Any]:
    """The residual of a condition that gives these fields: values less targets."""
    import torch

    def one(u: Any, target: Any) -> Any:
        return u - target

    def three(u: Any, v: Any, p: Any, target: Any) -> Any:
        return torch.cat((u, v, p), dim=1) - target

    return {("u",): one, ("u", "v", "p"): three}[tuple(fields)]


def conditions(problem: str, work: Work, model: Any, inputs: Any) -> list[Any]:
    """The equation and the conditions on the given points, which stay the same."""
    import torch
    import torchphysics as tp
    from torchphysics.utils import laplacian

    def sampler(points: np.ndarray) -> Any:
        return tp.samplers.DataSampler(tp.spaces.Points(torch.as_tensor(points), inputs)).make_static()

    def bent(u: Any, x: Any, y: Any) -> Any:
        return laplacian(u, x, y)

    found = [tp.conditions.PINNCondition(model, sampler(work.equations), residual(problem), name="equations")]
    for name, targets in work.conditions.items():
        given = [field for field in work.fields if field in targets.values]
        values = torch.cat([torch.as_tensor(targets.values[field]) for field in given], dim=1)
        data = {"target": values}
        found.append(
            tp.conditions.PINNCondition(model, sampler(targets.points), fit(given), data_functions=data, name=name)
        )
        if "laplacian" in targets.values:  # zero in all problems here
            found.append(tp.conditions.PINNCondition(model, sampler(targets.points), bent, name=f"{name}_laplacian"))
    return found


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--data", required=True)
    options = parser.parse_args()
    synchronize = use_torch(options)

    import pytorch_lightning as lightning
    import torch
    import torchphysics as tp

    work = read_work(options.data, options.dtype)
    if options.problem.startswith("poisson_"):  # one variable of d components
        inputs = tp.spaces.Rn("x", len(work.coordinates))
    else:
        inputs = _product(tp.spaces.R1(name) for name in work.coordinates)
    outputs = _product(tp.spaces.R1(name) for name in work.fields)
    model = tp.models.FCN(inputs, outputs, hidden=(options.width,) * options.depth)
    found = conditions(options.problem, work, model, inputs)
    solver = tp.solver.Solver(found, optimizer_setting=tp.OptimizerSetting(torch.optim.Adam, lr=1e-3))
    timer = StepTimer(options.steps, options.seconds, synchronize)
    losses: list[Any] = []

    class Ticks(lightning.Callback):
        def on_train_batch_end(self, trainer: Any, module: Any, result: Any, *_: Any) -> None:
            losses[:] = [result["loss"]]
            if not timer.tick():
                trainer.should_stop = True

    trainer = lightning.Trainer(
        max_steps=timer.total,
        accelerator="gpu" if options.device == "cuda" else "cpu",
        devices=1,
        logger=False,
        callbacks=[Ticks()],
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(solver)
    packages = ("torchphysics", "torch", "pytorch-lightning")
    say("TorchPhysics", packages, **timer.figures(), **torch_memory(options), loss=float(losses[0]))


def _product(spaces: Any) -> Any:
    first, *rest = spaces
    for space in rest:
        first = first * space
    return first


if __name__ == "__main__":
    main()
