"""Settings with every default that depends on the problem or the machine filled in: what a run uses and writes."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import cast

import torch
from torch import nn

from pinnkit.losses.scaling import uses_scales
from pinnkit.networks.settings import Network
from pinnkit.optimizers.methods.adam import Adam
from pinnkit.optimizers.settings import Auto
from pinnkit.problem.problem import Problem
from pinnkit.references.names import own_reference
from pinnkit.runs.memory import parameters
from pinnkit.settings import Settings
from pinnkit.training.automatic import automatic
from pinnkit.training.settings import Trainer

log = logging.getLogger(__name__)


def resolved(problem: Problem, settings: Settings, network: nn.Module | None = None) -> Settings:
    """The settings with a value in the place of each default that is chosen for a problem or a machine.

    A run with them is the run without: they only name what would be chosen. `operators.engine: auto` and
    `operators.chunk: null` stay, since what is fastest is measured when training begins (metrics.json has it).

    Args:
        problem: as it will be solved.
        network: one of the user's own, in the place of `settings.network`.
    """
    dimension = len(problem.coordinates)
    trained = settings.method == "network"
    found = replace(
        settings,
        network=_network(problem, settings.network) if trained else settings.network,
        sampling=settings.sampling.resolved(dimension),
        trainer=_trainer(settings.trainer, dimension),
        reference=settings.reference or own_reference(problem),
        weighting=replace(settings.weighting, scales=uses_scales(problem, settings.weighting)),
    )
    return _phases(problem, found, network) if trained else found


def _network(problem: Problem, network: Network) -> Network:
    dimension = len(problem.coordinates)

    def chosen(count: int) -> Network:
        return network.chosen(dimension, count, problem.simple, problem.steady, len(problem.equations))

    found = chosen(dimension)
    counts = sorted({len(field.coordinates) for field in problem.fields})
    widths = {count: cast(int, chosen(count).width) for count in counts}
    others = {str(count): width for count, width in widths.items() if width != found.width}
    return replace(found, widths={**network.widths, **others})


def _trainer(trainer: Trainer, dimension: int) -> Trainer:
    devices = trainer.devices
    if devices is None and trainer.accelerator == "gpu":
        devices = torch.cuda.device_count()
    return replace(trainer, devices=devices, default_reduction=trainer.reduction_by_default(dimension))


def _phases(problem: Problem, settings: Settings, network: nn.Module | None) -> Settings:
    """The phases that `optimizer=auto` stands for."""
    if not any(isinstance(one, Auto) for _, one in settings.optimizers):
        return settings
    if settings.operators.directions is not None:
        log.info("optimizer=auto: adam, since operators.directions makes the losses random estimates")
        return replace(settings, phases=(Adam(),))
    if network is None:
        size = parameters(problem, settings.network, fixed=False)
    else:
        size = sum(one.numel() for one in network.parameters() if one.requires_grad)
    chosen, reason = automatic(
        size + len(problem.learned),
        getattr(torch, settings.dtype),
        settings.trainer.accelerator,
        len(problem.coordinates),
        _rows(problem, settings),
    )
    log.info("optimizer=auto: %s, since %s", " then ".join(phase.name for phase in chosen), reason)
    return replace(settings, phases=tuple(phase.settings for phase in chosen))


def _rows(problem: Problem, settings: Settings) -> int:
    """Residuals of a step of a method that has new points in each."""
    sampling = settings.sampling.fresh_points()
    conditions = sum(len(condition.equations) for condition in problem.soft_conditions)
    return sampling.count(len(problem.coordinates)) * len(problem.equations) + sampling.of_condition * conditions
