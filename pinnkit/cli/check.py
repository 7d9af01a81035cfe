"""`pinnkit check`: a problem as understood; nothing is trained."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from pinnkit.cli.arguments import parse
from pinnkit.cli.checks import check_configuration
from pinnkit.cli.composition import Composer
from pinnkit.cli.entry import FINISHED, asks_help, report_error
from pinnkit.domains.shape import Shape
from pinnkit.language.errors import Mistake, ProblemError
from pinnkit.losses.scaling import described_scales, scaling
from pinnkit.problem.integrals import described_integrals
from pinnkit.problem.parts import Equation
from pinnkit.problem.places import equations_with_keys
from pinnkit.problem.problem import Problem
from pinnkit.problem.statement import where_it_holds
from pinnkit.problem.units import unit_behind
from pinnkit.runs.console import for_terminal
from pinnkit.runs.resources import check_environment
from pinnkit.sampling.points import shared
from pinnkit.settings import Settings

HELP = """
Print a problem as pinnkit understands it, and run every check that precedes training; nothing is trained.

usage: python scripts/check.py [pde=NAME | FILE.yaml] [KEY=VALUE ...] [--config-dir FOLDER]

It takes the arguments of training, but no sweep. What it passes, begins to train.

examples:
  python scripts/check.py pde=burgers
  python scripts/check.py my_problem.yaml network.activation=relu

Exit codes: 0 every check passed, 2 something is wrong (all of it is listed, with its key and its place).
"""


def check(argv: Sequence[str], conf: Path) -> int:
    """Print the problem and run every check; returns the exit code: 0, or 2 for a mistake."""
    if asks_help(argv, HELP):
        return FINISHED
    warnings = _Warnings()
    logging.getLogger().addHandler(warnings)
    try:
        check_environment()
        arguments = parse(argv)
        if arguments.plain or arguments.multirun:
            raise ProblemError([Mistake("command line", "check takes no such flag: write pde=NAME and settings")])
        composed = Composer(arguments, conf).compose(arguments.overrides)
        run = check_configuration(composed.task, arguments.overrides)
        composed.check_folder()
    except ProblemError as error:
        return report_error(error)
    finally:
        logging.getLogger().removeHandler(warnings)
    print(for_terminal("\n".join(described(run.problem, run.settings)), sys.stdout, " " * 14))
    told = f", with {warnings.count} warning{'s' * (warnings.count > 1)}" if warnings.count else ""
    print(f"every check passed{told}; nothing was trained")
    return FINISHED


class _Warnings(logging.Handler):
    """Prints warnings to standard error, and counts them."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.count += 1
        print(for_terminal(f"warning: {record.getMessage()}", sys.stderr), file=sys.stderr)


def described(problem: Problem, settings: Settings) -> Iterator[str]:
    """The problem in mathematics, a line for each part."""
    yield f"{problem.name}: {problem.description}" if problem.description else problem.name
    periodic = f", periodic in {', '.join(problem.periodic)}" if problem.periodic else ""
    yield f"  domain      {problem.domain.description}{_size(problem.domain, problem.domain.fills_bounds)}{periodic}"
    for name, region in problem.regions.items():
        yield f"  region      {name}: {region.description}{_size(region, region.fills_bounds)}"
    found = scaling(problem, settings.weighting)
    scales = found.fields
    for field in problem.fields:
        transform = f", through {field.transform}" if field.transform else ""
        if field.bounds:
            transform = f", kept {field.bounds.description}"
        scaled = "" if scales[field.name] == 1 else f", network output scaled by {scales[field.name]:g}"
        yield f"  field       {field.name}({', '.join(field.inputs)}){scaled}{transform}"
    for name in problem.axes.parameters:
        spread = ", spread by its logarithm" if name in problem.axes.logarithmic else ""
        lower, upper = problem.domain.bounds[name]
        unit = unit_behind(problem.units, name)
        yield f"  parameter   {name} in [{lower:g}, {upper:g}]{unit}, an input of the network{spread}"
    for parameter in problem.parameters:
        kind = "learned, from" if parameter.learn else "="
        kept = f", kept {parameter.bounds.description}" if parameter.bounds else ""
        unit = unit_behind(problem.units, parameter.name)
        yield f"  parameter   {parameter.name} {kind} {parameter.value:.10g}{unit}{kept}"
    for name, table in problem.tables.items():
        yield f"  table       {name}({', '.join(table.coordinates)}), {table.description}"
    for name, expression in problem.definitions.items():
        yield f"  defined     {name} = {expression}"
    for _, equation, condition in equations_with_keys(problem):
        count = shared(problem, equation.region, settings.sampling.count(len(problem.coordinates)))
        where = where_it_holds(condition, problem) if condition else f"at {count} points {_inside(equation.region)}"
        exact = ", exact by construction" if condition and condition.hard else ""
        yield f"  {equation.name:<11} {_residual(equation)}   {where}{_weight(equation)}{exact}"
    if text := described_scales(found):
        yield f"  scales      {text}"
    for line in described_integrals(problem):
        yield f"  quadrature  {line}"
    for name, expression in problem.exact.items():
        yield f"  exact       {name} = {expression}"
    if problem.units:
        yield f"  units       {', '.join(f'{name}: {unit}' for name, unit in problem.units.items())}"
    if problem.reference:
        yield f"  reference   {problem.reference}"


def _inside(region: str) -> str:
    return f"in {region}" if region else "inside"


def _size(shape: Shape, obvious: bool) -> str:
    return "" if obvious else f", of measure {shape.measure:.6g}"


def _residual(equation: Equation) -> str:
    return f"a residual in Python: {equation.text}" if callable(equation.residual) else f"0 = {equation.residual}"


def _weight(equation: Equation) -> str:
    if not equation.weight.is_number:
        return f", weight {equation.weight}"
    return "" if float(equation.weight) == 1 else f", weight {float(equation.weight):g}"
