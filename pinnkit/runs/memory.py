"""Checks of the memory that a run needs at least against what is free."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from pinnkit.language.errors import Report
from pinnkit.memory import free_memory
from pinnkit.networks.settings import Network
from pinnkit.optimizers.settings import Auto
from pinnkit.problem.groups import equation_groups, region_of
from pinnkit.problem.problem import Problem
from pinnkit.sampling.points import shared
from pinnkit.sampling.settings import Sampling
from pinnkit.settings import Settings

NUMBER = 8
"""Bytes of a number; networks and points are made in float64, and trained in the dtype of the run."""
COPIES = 4
"""Weights, gradient and what Adam remembers."""
PROCESS = 3e8
"""Bytes of a process with torch."""
GRID = (1, 2, 3)
"""Numbers of coordinates in which a solution is evaluated on a grid."""
DRAWN = 16
"""Numbers for each point of a grid while it is evaluated and drawn."""


def check_memory(problem: Problem, settings: Settings, custom_network: bool = False) -> None:
    """Compare network, points, optimizers and processes with the free memory.

    Raises:
        ProblemError: what does not fit, and what would.
    """
    report = Report()
    free = free_memory()
    if not custom_network:
        _check_network(problem, settings, free, report)
    _check_points(problem, settings.sampling, free, report)
    if not report.mistakes and not custom_network and settings.trainer.accelerator == "cpu":
        _check_optimizers(problem, settings, free, report)
    devices = settings.trainer.devices or 1
    if settings.trainer.accelerator == "cpu" and devices > 1 and devices * PROCESS > free:
        message = f"{devices} processes take at least {size(devices * PROCESS)}, and {size(free)} of memory are free"
        report.add("trainer.devices", f"{message}: {max(1, int(free // PROCESS))} fit")
    report.raise_if_any()


def check_grid(problem: Problem, count: int | None, table: bool = False) -> None:
    """Compare a grid of so many points along each coordinate, perhaps written as a table too, with the free memory.

    Raises:
        ProblemError: it does not fit; the message has a size that does.
    """
    dimension = len(problem.coordinates)
    if count is None or dimension not in GRID:
        return

    def needed(one: int) -> float:
        columns = dimension + 2 * len(problem.fields)
        numbers = columns + len(problem.equations) + DRAWN + (5 * columns if table else 0)
        return NUMBER * numbers * float(one) ** dimension

    report, free = Report(), free_memory()
    if needed(count) > free:
        fits = _largest(count, lambda one: needed(one) <= free)
        message = f"{count}: {float(count) ** dimension:.3g} points take at least {size(needed(count))}"
        report.add("grid", f"{message}, and {size(free)} of memory are free: {fits} fits")
    report.raise_if_any()


def size(count: float) -> str:
    """A number of bytes for people.

    >>> size(2.5e9), size(3e15), size(4.2e5)
    ('2.5 GB', '3e+06 GB', '0.42 MB')
    """
    return f"{count / 1e9:.3g} GB" if count >= 1e9 else f"{count / 1e6:.3g} MB"


def parameters(problem: Problem, network: Network, fixed: bool = True) -> int:
    """How many numbers the networks of a problem have.

    Args:
        fixed: whether to count those that are not trained, the frequencies of Fourier features.
    """
    outputs: dict[Any, int] = {}
    for number, field in enumerate(problem.fields):
        plain = tuple("" if name in field.arguments else name for name in field.inputs)
        key = (number if network.separate else field.part, field.inputs, plain, problem.periods(field))
        outputs[key] = outputs.get(key, 0) + 1
    total = 0
    for (_, names, plain, periods), count in outputs.items():
        periodic = sum(name in names for name in periods)
        chosen = network.chosen(
            len(problem.coordinates), len(names), problem.linear, problem.steady, len(problem.equations)
        ).on([name for name in plain if name not in periods])
        embedded = chosen.embedded(len(names) - periodic, periodic)
        total += chosen.total(embedded, count) - (0 if fixed else chosen.fixed(embedded))
    return total


def _check_network(problem: Problem, settings: Settings, free: float, report: Report) -> None:
    network = settings.network
    # A network for a GPU is made here, and trained there.
    number = NUMBER if settings.trainer.accelerator == "gpu" else COPIES * _item(settings)

    def needed(one: Network) -> float:
        return number * float(parameters(problem, one))

    if needed(network) <= free:
        return
    dimension = len(problem.coordinates)
    fuller = network.chosen(dimension, dimension, problem.linear, problem.steady, len(problem.equations))

    def fits_with(key: str, value: int) -> bool:
        sized: dict[str, Any] = {key: value}
        return needed(replace(fuller, **sized)) <= free

    for key, least in network.sizes.items():
        if fits_with(key, least):
            fits = _largest(getattr(fuller, key), partial(fits_with, key))
            break
    else:
        fits = least
    message = (
        f"{getattr(fuller, key)}: the network has {parameters(problem, network):.3g} parameters, which take at least "
    )
    message += f"{size(needed(network))}, and {size(free)} of memory are free"
    report.add(f"network.{key}", f"{message}: {fits} fits")


def _check_points(problem: Problem, sampling: Sampling, free: float, report: Report) -> None:
    dimension = len(problem.coordinates)

    def needed(count: float) -> float:
        return NUMBER * dimension * float(count) * (1 + sampling.pool)  # the candidates of a redraw

    def fits_in(groups: float, count: int) -> bool:
        return needed(count * groups) <= free

    places = sum(len(condition.places) or 1 for condition in problem.soft_conditions if not condition.data)
    equations = sampling.count(dimension) if problem.equations else 0
    shares = sum(shared(problem, region_of(name), 1000) for name in equation_groups(problem)) / 1000
    for key, count, groups in (("equations", equations, shares), ("conditions", sampling.of_condition, places)):
        if groups and needed(count * groups) > free:
            fits = _largest(count, partial(fits_in, groups))
            message = (
                f"{count}: with sampling.pool={sampling.pool} these points take at least {size(needed(count * groups))}"
            )
            report.add(f"sampling.{key}", f"{message}, and {size(free)} of memory are free: {fits} fit")


def _check_optimizers(problem: Problem, settings: Settings, free: float, report: Report) -> None:
    count = parameters(problem, settings.network) + len(problem.learned)
    for key, phase in settings.optimizers:
        kept = None if isinstance(phase, Auto) else phase.memory(count)  # auto heeds the memory itself
        if kept is not None and (needed := _item(settings) * kept[1]) > free:
            message = f"{phase.name} keeps {size(needed)} for {count} parameters, and {size(free)} of memory are free"
            report.add(f"{key}.{kept[0]}", f"{message}: take a smaller network, or an optimizer such as lbfgs or adam")


def _item(settings: Settings) -> int:
    """Bytes of a number in training."""
    return NUMBER if settings.dtype == "float64" else NUMBER // 2


def _largest(count: int, fits: Callable[[int], bool]) -> int:
    """The largest number of two digits below `count` that fits, or 1."""
    low, high = 1, count
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    digits = 10 ** max(0, len(str(low)) - 2)
    return low // digits * digits
