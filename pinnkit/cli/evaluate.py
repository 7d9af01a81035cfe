"""`pinnkit evaluate`: measure a trained network again."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from pinnkit.cli import yaml_files
from pinnkit.cli.entry import FAILED, FINISHED, asks_help, report_error
from pinnkit.cli.resume import read_saved_config
from pinnkit.language.errors import Mistake, ProblemError, Report
from pinnkit.reading import read_as, type_error
from pinnkit.reporting.animation_formats import FORMATS, CannotAnimateError, check_format
from pinnkit.reporting.artifacts import FIGURE_FORMATS, RunFolder, RunFolderError
from pinnkit.runs.memory import check_grid
from pinnkit.runs.network_exporters import check_packages, formats
from pinnkit.runs.planes import check_moves
from pinnkit.runs.point_table import read_points
from pinnkit.runs.validation import read_and_check
from pinnkit.settings import Settings

TEXTS = ("run", "problem_folder", "export", "points", "format")
"""Keys whose values are taken as they are written."""
HELP = """
Read a run folder back: measure its network again, draw it, and write RUN/evaluation.

usage: python scripts/evaluate.py RUN_FOLDER [KEY=VALUE ...]

  grid=N            points along each coordinate (default: as at the end of training)
  checkpoint=best   the state of the least objective, in the place of the last
  export=FORMATS    RUN/evaluation/solution.* too, in one format or several:
                      csv, npz, netcdf   a table of the fields' values
                      vtk                for ParaView; shapes by triangles or tetrahedra, time as a series
                      onnx, pt2          the network with all that belongs to it, which runs without pinnkit
  estimate=true     the error of each field without a reference, by random features
  points=FILE       RUN/evaluation/points.csv: fields and residuals at the rows of a CSV or NPZ file of coordinates
  animate=gif       RUN/evaluation/animation_FIELD.gif too, each field in time (mp4: pip install "pinnkit[animation]")
  format=pdf        the files of the figures: png, pdf, svg or several, png,pdf (default: as the run has them)
  dpi=300           pixels per inch of a png, and of the maps within a pdf or svg
  problem_folder=F  where the files that the problem names are, if they have been moved

example:
  python scripts/evaluate.py outputs/heat/2026-01-31_12-00-00 grid=401 export=csv,vtk

Exit codes: 0 finished, 2 an argument or the run folder is wrong, 1 the results cannot be written.
"""


@dataclass(frozen=True)
class Request:
    """The arguments KEY=VALUE."""

    run: str = ""
    """The run folder."""
    checkpoint: str = field(default="last", metadata={"choices": ("last", "best")})
    """The state at the end, or that of the least objective."""
    grid: int | None = field(default=None, metadata={"minimum": 2, "maximum": 1_000_000_000})
    """Points along each coordinate; None: as at the end of training. A table is evaluated at its own points."""
    export: tuple[str, ...] = ()
    """Formats in which the solution is written too."""
    estimate: bool = False
    """Whether the error is estimated."""
    points: str | None = None
    """A table of coordinates at which the solution is written too."""
    animate: str | None = field(default=None, metadata={"choices": FORMATS})
    """The format of animations of the fields in time; None: none."""
    format: tuple[str, ...] = ()
    """The files of the figures; (): those of the run."""
    dpi: int | None = field(default=None, metadata={"minimum": 20, "maximum": 1200})
    """Pixels per inch of the figures; None: those of the run."""
    problem_folder: str | None = None
    """Where the files that the problem names are now, if they have been moved."""


def evaluate(argv: Sequence[str]) -> int:
    """Measure a trained network again; writes RUN/evaluation and returns the exit code.

    0, 2 for a mistake, 1 where the results cannot be written.
    """
    if asks_help(argv, HELP):
        return FINISHED
    try:
        request = _request(argv)
        config = read_saved_config(Path(request.run), "run")
        if request.problem_folder is not None:
            config["problem_folder"] = request.problem_folder
        problem, settings = read_and_check(config)
        check_grid(problem, request.grid, table=bool(request.export))
        for name in request.export:
            check_packages(name)
        points = None if request.points is None else read_points(problem, Path(request.points))
        settings = _with_figures(settings, request)
        if request.animate is not None:
            check_moves(problem)
            check_format(Path(f"animation.{request.animate}"))
        run = RunFolder(Path(request.run))
        if run.metrics.exists():
            run.read_metrics()  # a damaged one is refused before torch is loaded
    except (ProblemError, RunFolderError) as error:
        return report_error(error)
    except CannotAnimateError as error:
        return report_error(ProblemError([Mistake("animate", str(error))]))
    from pinnkit.cli.train_and_measure import measure  # torch is loaded here, after every check
    from pinnkit.training.checkpoint_reader import DamagedCheckpoint

    try:
        with _reference_told():
            measure(
                problem, settings, run, request.checkpoint, request.grid, request.export, points, request.animate,
                estimate=request.estimate,
            )  # fmt: skip
    except (ProblemError, RunFolderError, DamagedCheckpoint) as error:
        return report_error(error)
    except OSError as error:
        report_error(error)
        return FAILED
    return FINISHED


@contextmanager
def _reference_told() -> Iterator[None]:
    """Tell on standard error how a reference is computed while this is open: it may take a minute."""
    log, handler = logging.getLogger("pinnkit.references"), logging.StreamHandler()
    former = log.level, log.propagate
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(former[0])
        log.propagate = former[1]


def _with_figures(settings: Settings, request: Request) -> Settings:
    """The settings of the run with the files of figures that are asked for."""
    asked = {"figures_format": request.format, "figures_dpi": request.dpi}
    given: dict[str, Any] = {key: value for key, value in asked.items() if value}
    return replace(settings, callbacks=replace(settings.callbacks, **given))


EXAMPLES = "grid=401, checkpoint=best or export=csv,vtk"


def _request(argv: Sequence[str]) -> Request:
    report = Report()
    given: dict[str, Any] = {}
    for argument in argv:
        key, equals, value = argument.partition("=")
        if not equals:
            key, value = "run", argument
        if key in given:
            report.add(key, f"is given twice, {given[key]!r} and {value!r}")
        try:
            given[key] = value if key in TEXTS else yaml_files.value(value)
        except yaml.YAMLError:
            report.add(key, f"{value!r} cannot be read: write {EXAMPLES}")
    export = _several("export", given, formats(), report)
    figures = _several("format", given, FIGURE_FORMATS, report)
    request = replace(read_as(Request, given, report), export=export, format=figures)
    if not request.run and not report.mistakes:
        report.add("run", f"is missing: write outputs/heat/..., the folder of a run, and perhaps {EXAMPLES}")
    report.raise_if_any()
    return request


def _several(key: str, given: dict[str, Any], choices: Collection[str], report: Report) -> tuple[str, ...]:
    """The formats of export=csv,vtk or format=png,pdf, also in brackets, taken out of what was given."""
    text = given.pop(key, "")
    names = [name.strip() for name in text.strip("[] ").split(",")] if text else []
    for name in names:
        if complaint := type_error(name, str, {"choices": choices}):
            report.add(key, f"{name!r}: {complaint}")
    return tuple(dict.fromkeys(names))
