"""Animations of a trained network's fields in time."""

from __future__ import annotations

from pathlib import Path

import numpy as np

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
        if own.structured and len(own.names) <= 3 and len(own.axis(problem.time)) > 1:
            along = own.names.index(problem.time)
            times = np.unique(np.linspace(0, own.shape[along] - 1, frames).round().astype(int))
            picked = {name: np.take(values, times, along) for name, values in own.coordinates.items()}
            known = {name: np.take(values, times, along) for name, values in reference(own.coordinates).items()}
            return planes.grid(problem, picked, structured=True), known
    counts = {problem.time: frames, **dict.fromkeys(problem.space[:2], LINE if len(problem.space) == 1 else PLANE)}
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
    problem = module.problem
    planes.check_moves(problem)
    check_format(Path(f"animation.{kind}"))
    grid, known = animation_grid(problem, reference, frames)
    inside = evaluation.inside_domain(problem, grid)
    predicted = evaluation.blanked(evaluation.predict(module, grid.coordinates), inside)
    references = evaluation.blanked(known, inside)
    paths = []
    for one in problem.unknowns:
        name = one.name
        if problem.time not in one.coordinates or (fields and name not in fields):
            continue
        values, truth, label = predicted[name], references.get(name), math_name(name)
        if np.iscomplexobj(values):
            values, truth, label = np.abs(values), None if truth is None else np.abs(truth), modulus_label(name)
        path = folder / f"{file_name(f'animation_{name}')}.{kind}"
        paths.append(
            animate(
                path, problem.name, grid, values, grid.label(name, label), truth, frames_per_second=frames_per_second
            )
        )
    return paths
