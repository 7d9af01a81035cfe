"""Animations of a trained network's fields in time."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np

from pinnkit.language.errors import suggestion
from pinnkit.problem.problem import Problem
from pinnkit.references.choose import Reference
from pinnkit.reporting.animation import FRAMES_PER_SECOND, animate
from pinnkit.reporting.animation_formats import check_format
from pinnkit.reporting.figures import modulus_label
from pinnkit.reporting.grid import Grid
from pinnkit.reporting.labels import file_name, math_name
from pinnkit.runs import evaluation, planes
from pinnkit.training.module import PINN

FRAMES = 61
"""Values of time."""
LINE, PLANE = 401, 121
"""Points along the one space coordinate that is drawn, or along each of two."""


def animation_grid(
    problem: Problem, reference: Reference | None = None, frames: int = FRAMES
) -> tuple[Grid, dict[str, np.ndarray]]:
    """The grid of an animation, and the reference there: values of time, and one or two space coordinates.

    All others have the middle of their range. Where the reference is a table on a grid of these coordinates, its own
    points, and at most `frames` of its times; a table at scattered points has none to show.
    """
    if reference is not None and reference.grid is not None and not problem.axes.parameters:
        own = evaluation.grid_of(problem, reference)
        if own.structured and len(own.names) <= 3 and len(own.axis(cast(str, problem.time))) > 1:
            along = own.names.index(problem.time)
            times = np.unique(np.linspace(0, own.shape[along] - 1, frames).round().astype(int))
            picked = {name: np.take(values, times, along) for name, values in own.coordinates.items()}
            known = {name: np.take(values, times, along) for name, values in reference(own.coordinates).items()}
            return planes.grid(problem, picked, structured=True), known
    counts = {
        cast(str, problem.time): frames,
        **dict.fromkeys(problem.space[:2], LINE if len(problem.space) == 1 else PLANE),
    }
    axes = [planes.axis(problem, name, counts.get(name, 1)) for name in problem.coordinates]
    coordinates = dict(zip(problem.coordinates, np.meshgrid(*axes, indexing="ij"), strict=True))
    known = reference(coordinates) if reference is not None and reference.grid is None else {}
    return planes.grid(problem, coordinates, structured=True), known


def animate_fields(
    module: PINN,
    reference: Reference | None,
    folder: Path,
    kind: str = "gif",
    fields: tuple[str, ...] = (),
    frames: int = FRAMES,
    frames_per_second: int = FRAMES_PER_SECOND,
) -> list[Path]:
    """Write FOLDER/animation_FIELD.gif (or .mp4) for each field that depends on time; of complex ones the modulus.

    Args:
        reference: drawn dashed over curves, and its range is that of the colours.
        fields: the fields; (): all.

    Raises:
        CannotAnimateError: the problem has no time or no space, or MP4 has no encoder.
    """
    check_format(Path(f"animation.{kind}"))
    moving = _Moving(module, reference, frames)
    names = [name for name in moving.names if not fields or name in fields]
    return [
        moving.write(folder / f"{file_name(f'animation_{name}')}.{kind}", name, frames_per_second) for name in names
    ]


def animate_field(module: PINN, reference: Reference | None, path: Path, field: str = "", frames: int = FRAMES) -> Path:
    """Write one field over time to a .gif or .mp4 file.

    Args:
        field: its name; "": the first that depends on time.

    Raises:
        CannotAnimateError: the problem has no time or no space, or the file has another format or no encoder.
        ValueError: no field of that name depends on time, or there are fewer than two frames.
    """
    check_format(path)
    if frames < 2:
        raise ValueError(f"frames={frames}: an animation has at least 2")
    names = _moving_names(module.problem)
    if field and field not in names:
        raise ValueError(f"there is no field '{field}' in time{suggestion(field, names)}; there are {', '.join(names)}")
    return _Moving(module, reference, frames).write(path, field or names[0])


def _moving_names(problem: Problem) -> list[str]:
    planes.check_moves(problem)
    return [one.name for one in problem.unknowns if problem.time in one.coordinates]


class _Moving:
    """The fields of a problem that depend on time, with their reference, on the grid of an animation."""

    def __init__(self, module: PINN, reference: Reference | None, frames: int) -> None:
        self.problem = module.problem
        self.names = _moving_names(self.problem)
        self.grid, known = animation_grid(self.problem, reference, frames)
        inside = evaluation.inside_domain(self.problem, self.grid)
        self.fields = evaluation.blanked(evaluation.predict(module, self.grid.coordinates), inside)
        self.references = evaluation.blanked(known, inside)

    def write(self, path: Path, name: str, frames_per_second: int = FRAMES_PER_SECOND) -> Path:
        values, truth, label = self.fields[name], self.references.get(name), math_name(name)
        if np.iscomplexobj(values):
            values, truth, label = np.abs(values), None if truth is None else np.abs(truth), modulus_label(name)
        label = self.grid.label(name, label)
        return animate(path, self.problem.name, self.grid, values, label, truth, frames_per_second=frames_per_second)
