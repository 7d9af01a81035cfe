"""Checks of the settings against the machine and the processes that were started."""

from __future__ import annotations

import os
from pathlib import Path

from pinnkit.language.errors import Report
from pinnkit.operators.compiler_cache import CACHE_VARIABLE
from pinnkit.optimizers.settings import Auto
from pinnkit.problem.problem import Problem
from pinnkit.runs import environment
from pinnkit.runs.memory import check_memory
from pinnkit.settings import Settings
from pinnkit.training.settings import DIVIDES


def check_environment() -> None:
    """Refuse variables that do not say how this process was started, or that name a cache that cannot be.

    Raises:
        ProblemError: naming them.
    """
    report = Report()
    for name, message in environment.mistakes():
        report.add(name, message)
    if named := os.environ.get(CACHE_VARIABLE):
        cache = Path(named).absolute()
        there = next(one for one in (cache, *cache.parents) if one.exists())
        if not there.is_dir() or not os.access(there, os.W_OK):
            report.add(CACHE_VARIABLE, f"'{cache}': no folder can be made at {there}; unset it, or name another")
    report.raise_if_any()


def check_run(problem: Problem, settings: Settings, custom_network: bool = False) -> None:
    """Compare the settings with this machine and with the processes that were started.

    Raises:
        ProblemError: an accelerator that is not there, other numbers of processes, estimates for a line search,
            more memory than is free.
    """
    check_environment()
    report = Report()
    gpus = _gpus() if settings.trainer.accelerator == "gpu" else 0
    chosen = [one for _, one in settings.optimizers]
    searching = [one.name for one in chosen if not isinstance(one, Auto) and not one.first_order]
    if settings.operators.directions is not None and searching:
        message = f"the losses become random estimates, which {searching[0]} cannot use: optimizer=adam or soap"
        report.add("operators.directions", message)
    if settings.trainer.accelerator == "gpu" and not gpus:
        report.add("trainer.accelerator", "gpu: no CUDA device is at hand; choose trainer=cpu")
    elif settings.trainer.accelerator == "gpu" and (settings.trainer.devices or 1) > gpus:
        message = f"{settings.trainer.devices}, but {gpus} GPUs are at hand"
        report.add("trainer.devices", message)
    elif settings.trainer.accelerator == "cpu" and settings.trainer.devices is None:
        report.add("trainer.devices", "null means every GPU: on CPUs say how many processes, such as 2")
    if settings.trainer.nodes > 1 and environment.rank() is None:
        message = f"{settings.trainer.nodes}, but this process was started alone: start the command by torchrun or srun"
        report.add("trainer.nodes", message)
    processes = (settings.trainer.devices or gpus) * settings.trainer.nodes
    started = environment.process_count()
    if started is not None and processes and started != processes:
        message = (
            f"{started} processes were started for this run, and the configuration asks for {settings.trainer.devices} "
            f"on {settings.trainer.nodes} machine(s): choose trainer=ddp_cpu, ddp or multi_node with the numbers that "
            "torchrun or srun was given"
        )
        report.add("trainer.devices", message)
    if settings.trainer.shards is not None and processes and settings.trainer.shards % processes:
        report.add("trainer.shards", f"{settings.trainer.shards}: {DIVIDES}, not {processes}")
    report.raise_if_any()
    if environment.rank() is None:  # processes that were started together have begun to take what is free
        check_memory(problem, settings, custom_network)


def _gpus() -> int:
    import torch  # only where a GPU is asked for: it is slow to load

    return torch.cuda.device_count() if torch.cuda.is_available() else 0
