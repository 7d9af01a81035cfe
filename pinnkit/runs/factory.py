"""The module and the data of a run, made of a problem and settings."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import torch
from torch import nn

from pinnkit.features.supported import check_supported
from pinnkit.language.errors import Report, suggestion
from pinnkit.losses.residuals import TermGroup, groups, reweighted, weights
from pinnkit.losses.scaling import described_scales, scaled_weights, scaling, uses_scales
from pinnkit.networks.build import build
from pinnkit.networks.custom import UnfitNetwork, check_custom
from pinnkit.networks.fields import FieldNetworks, Output
from pinnkit.networks.levels import Levels
from pinnkit.optimizers.settings import Optimizer, optimizers_where
from pinnkit.problem.at import random_points
from pinnkit.problem.integrals import described_integrals
from pinnkit.problem.problem import Problem
from pinnkit.runs.constraints import hard_constraints
from pinnkit.runs.continued import continued_stages, continued_values
from pinnkit.runs.feature_module import FeaturePINN, Solve
from pinnkit.runs.resolved import resolved
from pinnkit.runs.start_fit import fit_start
from pinnkit.runs.subdomains import check_subdomains
from pinnkit.runs.windows import check_windows, start_weights, time_windows
from pinnkit.settings import Settings
from pinnkit.training.datamodule import CollocationData
from pinnkit.training.module import PINN
from pinnkit.training.parameter_values import ParameterValues
from pinnkit.training.settings import Trainer
from pinnkit.training.stage_settings import levelled
from pinnkit.training.stages import Stage
from pinnkit.training.windowed_data import WindowedData

log = logging.getLogger(__name__)

SHOWN = 5
"""Points at which a network of the user's own is tried."""


def assemble(
    problem: Problem, settings: Settings, network: nn.Module | None = None, threads: int = 1
) -> tuple[PINN, CollocationData]:
    """The module and the data of a run, before training.

    Args:
        settings: as used; defaults that are left are resolved first.
        network: one of the user's own, after `check_network`.
        threads: on how many threads compiled code works.

    Raises:
        ProblemError: the network has more parameters than an optimizer may have, or features cannot be the fields.
    """
    settings = resolved(problem, settings, network)
    arguments = module_arguments(problem, settings, network, threads)
    module = PINN(**arguments) if settings.method == "network" else FeaturePINN(settings.features, **arguments)
    module = module.to(getattr(torch, settings.dtype))
    return module, data_of(module, settings)


def data_of(module: PINN, settings: Settings) -> CollocationData:
    """The points of a module; `settings` as used."""
    dtype, steps = getattr(torch, settings.dtype), settings.trainer.steps_per_batch
    given = (module.problem, settings.sampling, settings.seed, dtype, steps, module.stages)
    windows = module.state.windows
    return CollocationData(*given) if windows is None else WindowedData(windows, *given)


def module_arguments(
    problem: Problem, settings: Settings, network: nn.Module | None = None, threads: int = 1
) -> dict[str, Any]:
    """The arguments of the module, by their names.

    Args:
        settings: as used, see `resolved`.
        network, threads: as for `assemble`.

    Raises:
        ProblemError: the network has more parameters than an optimizer may have.
    """
    if settings.method == "features":
        check_supported(problem)
    if settings.method == "network":
        _check_levels(settings, custom=network is not None)
        check_windows(problem, settings, custom=network is not None)
        check_subdomains(problem, settings)
    weighting = replace(settings.weighting, scales=uses_scales(problem, settings.weighting))
    problem = reweighted(problem, settings.weighting.weights)
    names = list(problem.coordinates)
    dtype = getattr(torch, settings.dtype)
    found = scaling(problem, weighting)
    scales = found.fields
    if text := described_scales(found):
        log.info("scales: %s", text)
    by_name = [field.name for field in problem.fields]
    fields = build(
        settings.network,
        problem.domain.lower.tolist(),
        problem.domain.upper.tolist(),
        [
            Output(
                tuple(names.index(name) for name in field.inputs if name not in field.arguments),
                field.transform,
                scales[field.name],
                (field.bounds.lower, field.bounds.upper),
                tuple(map(by_name.index, field.arguments)),
                tuple(_span(problem, scales, *pair) for pair in zip(field.arguments, field.spans, strict=True)),
                tuple(map(names.index, problem.periods(field))),
                field.part,
                (problem.solid(field.part).lower.tolist(), problem.solid(field.part).upper.tolist()),
            )
            for field in problem.fields
        ],
        settings.seed,
        linear=problem.linear,
        steady=problem.steady,
        custom=network,
        constraints=hard_constraints(problem),
        logarithmic=[names.index(name) for name in problem.axes.logarithmic],
        zero=settings.method == "features",
        levels=settings.networks,
        windowed=None if settings.windows is None else names.index(str(problem.time)),
        names=names,
    )
    fit_start(problem, fields, groups(problem), settings.sampling, settings.seed)
    fields = fields.to(dtype)
    if problem.hard_conditions:
        log.info("exact by construction: %s", ", ".join(dict.fromkeys(one.origin for one in problem.hard_conditions)))
    size = sum(parameter.numel() for parameter in fields.parameters() if parameter.requires_grad) + len(problem.learned)
    if network is None and settings.method == "network":
        count = f"; {settings.networks} levels of them, one after the other" if settings.networks > 1 else ""
        log.info("network: %s; %d parameters are trained%s", _shapes(fields, settings.network.name), size, count)
    for line in described_integrals(problem):
        log.info("quadrature: %s", line)
    _check_size(settings, size)
    _check_terms(settings, groups(problem))
    width = max((one.shape[0] for one in fields.parameters() if one.ndim == 2), default=None)
    if width is None:  # networks side by side
        width = max((one.shape[0] * one.shape[2] for one in fields.parameters() if one.ndim == 3), default=None)
    if width is None:
        linear, steady = problem.linear, problem.steady
        width = settings.network.chosen(len(names), len(names), linear, steady, len(problem.equations)).width
    terms, every, windows = groups(problem), scaled_weights(weights(problem), found), None
    if settings.windows is not None:
        windows, start = time_windows(problem, settings, fields, stages_of(settings), terms)
        terms, every = (*terms, start), every | start_weights(problem, start, found)
    return {
        "problem": problem,
        "network": fields,
        "groups": terms,
        "weights": every,
        "windows": windows,
        "stages": stages_of(settings, continued_values(problem, settings.continuation)),
        "limits": settings.trainer,
        "operators": settings.operators,
        "width": width,
        "threads": threads,
        "minibatch": settings.sampling.batch,
        "seed": settings.seed,
        "weighting": settings.weighting,
    }


def _shapes(fields: FieldNetworks, name: str) -> str:
    """What the networks are; of several levels the first."""
    first = [one.networks[0] if isinstance(one, Levels) else one for one in fields.networks]
    shapes = [getattr(one[-1], "description", name) for one in cast(Sequence[nn.Sequential], first)]
    return " and ".join(dict.fromkeys(shapes))


def _span(
    problem: Problem, scales: Mapping[str, float], name: str, given: tuple[float, float] | None
) -> tuple[float, float]:
    """The range by which a field's values are scaled where they are inputs: the given one, or one by its size."""
    if given is not None:
        return given
    (field,) = (one for one in problem.fields if one.name == name)
    (least, most), size = field.range, scales[name]
    if math.isfinite(least) and math.isfinite(most):
        return least, most
    if math.isfinite(least):
        return least, least + size
    return (most - size, most) if math.isfinite(most) else (-size, size)


def check_network(network: nn.Module, problem: Problem, settings: Settings) -> None:
    """Refuse a network of the user's own that does not give the fields at points of the domain.

    Raises:
        ProblemError: it does not, or has no parameter that is trained.
    """
    dtype = getattr(torch, settings.dtype)
    report = Report()
    if not isinstance(network, nn.Module):
        report.add("network", f"is a {type(network).__name__}: a torch.nn.Module is needed")
        report.raise_if_any()
    if settings.method == "features":
        report.add("network", "is given, and method=features trains none: leave it out, or method=network")
    for field in problem.fields:
        if field.arguments:
            message = f"cannot make {field.name} a function of {', '.join(field.arguments)}: leave network out"
            report.add("network", message)
    report.raise_if_any()
    points = torch.from_numpy(random_points(problem.domain, SHOWN)).to(dtype)
    try:
        check_custom(network.to(dtype), points, [field.name for field in problem.fields])
    except UnfitNetwork as error:
        report.add("network", str(error))
    for name in sorted({name for field in problem.fields for name in field.periodic} - set(problem.periodic)):
        message = f"has no period in {name}, which a hard condition asks for by the embedding of pinnkit's own networks"
        report.add("network", f"{message}: leave hard out of that condition")
    if not report.mistakes and not any(one.requires_grad for one in network.parameters()):
        report.add("network", "has no parameter that is trained")
    report.raise_if_any()


def stages_of(settings: Settings, values: Sequence[ParameterValues] = ()) -> tuple[Stage, ...]:
    """The stages of a run: one for each optimizer and level, and for each of the values before the problem's own."""
    if settings.method == "features":
        return (Stage(Solve()),)
    if settings.stages is not None:
        return tuple(_stage(one, level) for _, level, one in levelled(settings.stages))
    chosen = [cast(Optimizer, one) for _, one in settings.optimizers]
    if values:
        return continued_stages(chosen, values, settings.trainer)
    limits, count, stages = settings.trainer, settings.levels, []
    for level in range(count):
        stages += [Stage(one, level=level) for one in chosen]
        if level < count - 1:
            stages[-1] = _ending(stages[-1], limits, level, count, sum(one.steps or 0 for one in chosen[:-1]))
    return tuple(stages)


def _stage(settings: Any, level: int) -> Stage:
    """A stage of `stages`."""
    terms = None if settings.terms is None else frozenset(settings.terms)
    return Stage(settings, terms, max_time=settings.max_time, stop_loss=settings.stop_loss, level=level)


def _ending(stage: Stage, limits: Trainer, level: int, count: int, before: int) -> Stage:
    """The last stage of one of `count` levels, which has an equal share of the steps and the time of the run.

    Args:
        before: steps of the stages before it in each level.
    """
    steps = [] if stage.settings.steps is None else [stage.settings.steps]
    if limits.steps is not None:
        steps.append(max(limits.steps // count - before, 1))
    until = None if limits.max_time is None else (level + 1) / count * limits.max_time
    return replace(stage, settings=replace(stage.settings, steps=min(steps, default=None)), until=until)


def _check_size(settings: Settings, size: int) -> None:
    """Refuse optimizers whose matrices of size x size are larger than their `max_parameters` allows."""
    report = Report()
    for key, one in settings.optimizers if settings.method == "network" else ():
        limit = getattr(one, "max_parameters", None)
        if limit is not None and size > limit:
            report.add(
                f"{key}.max_parameters",
                f"{limit}, but {size} parameters are trained, and {one.name} keeps matrices of {size} x {size}: use "
                "a smaller network, raise it if memory and time allow, or take an optimizer whose memory grows less "
                f"({optimizers_where(lambda one: not hasattr(one, 'max_parameters'))})",
            )
    report.raise_if_any()


def _check_levels(settings: Settings, custom: bool) -> None:
    """Refuse levels of networks that have none."""
    report, key = Report(), "stages" if settings.stages else "levels"
    if settings.networks > 1 and custom:
        report.add(key, "other levels need a network of pinnkit's own, and one was given in Python")
    elif settings.networks > 1 and not settings.network.levels:
        report.add(key, f"network={settings.network.name} has no other levels: network=mlp has")
    report.raise_if_any()


def _check_terms(settings: Settings, groups: Sequence[TermGroup]) -> None:
    """Refuse stages with terms that the problem does not have."""
    report, known = Report(), [term for group in groups for term in group.terms]
    for key, one in settings.optimizers:
        for term in getattr(one, "terms", None) or ():
            if term not in known:
                report.add(f"{key}.terms", f"there is no equation or condition '{term}'{suggestion(term, known)}")
    report.raise_if_any()
