"""What is checked of a run besides its problem, before anything is computed."""

from __future__ import annotations

import torch

from pinnkit import environment
from pinnkit.language.errors import Report
from pinnkit.optimizers.settings import FirstOrder
from pinnkit.settings import Settings
from pinnkit.training.ranks import DIVIDES


def check_run(settings: Settings) -> None:
    """Whether optimizers, devices and processes go together.

    Raises:
        ProblemError: they do not.
    """
    report = Report()
    chosen = settings.phases or (settings.optimizer,)
    searching = [
        phase.name for phase in chosen if phase.settings is not None and not isinstance(phase.settings, FirstOrder)
    ]
    if settings.operators.directions is not None and searching:
        told = f"the losses become random estimates, which {searching[0]} cannot use: optimizer=adam or soap"
        report.add("operators.directions", told)
    if settings.trainer.accelerator == "gpu" and not torch.cuda.is_available():
        report.add("trainer.accelerator", "gpu: no CUDA device is at hand; choose trainer=cpu")
    elif settings.trainer.accelerator == "gpu" and (settings.trainer.devices or 1) > torch.cuda.device_count():
        told = f"{settings.trainer.devices}, but {torch.cuda.device_count()} GPUs are at hand"
        report.add("trainer.devices", told)
    elif settings.trainer.accelerator == "cpu" and settings.trainer.devices is None:
        report.add("trainer.devices", "null means every GPU: on CPUs say how many processes, such as 2")
    if settings.trainer.nodes > 1 and environment.rank() is None:
        told = f"{settings.trainer.nodes}, but this process was started alone: start the command by torchrun or srun"
        report.add("trainer.nodes", told)
    processes = (settings.trainer.devices or torch.cuda.device_count()) * settings.trainer.nodes
    started = environment.started()
    if started is not None and processes and started != processes:
        told = (
            f"{started} processes were started for this run, and the configuration asks for {settings.trainer.devices} "
            f"on {settings.trainer.nodes} machine(s): choose trainer=ddp_cpu, ddp or multi_node with the numbers that "
            "torchrun or srun was given"
        )
        report.add("trainer.devices", told)
    if settings.trainer.shards is not None and processes and settings.trainer.shards % processes:
        report.add("trainer.shards", f"{settings.trainer.shards}: {DIVIDES}, not {processes}")
    report.raise_if_any()
