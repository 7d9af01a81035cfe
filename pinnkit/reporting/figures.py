"""Figures of a run: which there are, and their captions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from pinnkit.reporting.curves import draw_curve, draw_phase_portrait, draw_signed_curve, draw_slices
from pinnkit.reporting.distributions import draw_histogram, draw_parity
from pinnkit.reporting.error_norms import max_error, relative_l2, rms
from pinnkit.reporting.field_maps import draw_comparison, draw_field, has_picture
from pinnkit.reporting.figure_style import signed_scale, solution_scale
from pinnkit.reporting.grid import Grid
from pinnkit.reporting.history_figure import History, draw_history
from pinnkit.reporting.labels import file_name, math_name, number, plain_text
from pinnkit.reporting.points_figure import draw_points

__all__ = ["Grid", "History", "draw"]


def draw(
    title: str,
    grid: Grid,
    fields: Mapping[str, np.ndarray],
    references: Mapping[str, np.ndarray],
    residuals: Mapping[str, np.ndarray],
    history: History,
    points: Mapping[str, Mapping[str, np.ndarray]],
) -> dict[str, Figure]:
    """The figures of a run by file name (without .png).

    title: the problem's name; fields, references, residuals: arrays of the grid's shape, references for
    some of the fields or none; points: term -> coordinate -> (n,).

    Keys: solution_FIELD; with a reference reference_FIELD (where it can be pictured) and error_FIELD;
    residual_EQUATION; slices_FIELD for one space coordinate and t, and for two with a reference;
    phase_portrait for two fields of one coordinate; loss_history; points.

    A point where every field and reference is NaN counts as outside the domain: it is left blank, and the
    numbers in the titles are taken without it. So is a point where a residual alone is NaN: it was left out.

    Raises ValueError for an array of another shape and for a reference without a field.
    """
    fields = {name: grid.checked(name, values) for name, values in fields.items()}
    references = {name: grid.checked(f"{name} (reference)", values) for name, values in references.items()}
    for name in references:
        if name not in fields:
            raise ValueError(f"reference {name!r} has no field; the fields are {', '.join(fields)}")
    prefix = f"{plain_text(title)}: " if title else ""
    inside = _inside(grid, [*fields.values(), *references.values()])

    figures: dict[str, Figure] = {}

    def add(drawn: Mapping[str, Figure]) -> None:
        for key, figure in drawn.items():
            figures[file_name(key, figures)] = figure

    for name, values in fields.items():
        add(_draw_one(prefix, grid, name, values, references.get(name), inside))
    for name, values in residuals.items():
        residual = np.where(inside, grid.checked(f"{name} (residual)", values), np.nan)
        caption = f"{prefix}residual of {plain_text(name)}, RMS {number(rms(_known(residual[inside])))}"
        add({f"residual_{name}": _draw_signed(caption, grid, residual, "residual")})
    if len(grid.names) == 1 and len(fields) == 2:
        add({"phase_portrait": draw_phase_portrait(prefix, fields, references)})
    add({"loss_history": draw_history(prefix, history), "points": draw_points(prefix, grid, points)})
    return figures


def _inside(grid: Grid, arrays: list[np.ndarray]) -> np.ndarray:
    inside = np.zeros(grid.shape, dtype=bool)
    for values in arrays:
        inside |= ~np.isnan(values)
    # NaN everywhere is a broken run, not an empty domain: its figures are to say nan.
    return inside if inside.any() else ~inside


def _known(residual: np.ndarray) -> np.ndarray:
    """The entries that are numbers; all where none is, for then the run is broken."""
    known = residual[~np.isnan(residual)]
    return known if known.size else residual


def _draw_one(
    prefix: str, grid: Grid, name: str, values: np.ndarray, reference: np.ndarray | None, inside: np.ndarray
) -> dict[str, Figure]:
    label = math_name(name)
    caption = f"{prefix}{label}"
    if reference is None:
        return _draw_solution(caption, grid, name, values, None)
    known = inside & np.isfinite(reference)
    known = known if known.any() else inside
    caption += f", relative $L^2$ error {number(relative_l2(values[known], reference[known]))}"
    figures = _draw_solution(caption, grid, name, values, reference)
    reference_caption = f"{prefix}{label}, reference"
    if has_picture(grid):
        scale = solution_scale(values, reference)
        figures[f"reference_{name}"] = draw_field(reference_caption, grid, reference, scale, label)
    elif len(grid.names) == 1:
        figures[f"reference_{name}"] = draw_curve(reference_caption, grid, reference, label)
    error = _difference(values, reference)
    largest = max_error(values[known], reference[known])
    error_caption = f"{prefix}error of {label}, at most {number(largest)}"
    figures[f"error_{name}"] = _draw_signed(error_caption, grid, error, f"error of {label}")
    return figures


def _draw_solution(
    caption: str, grid: Grid, name: str, values: np.ndarray, reference: np.ndarray | None
) -> dict[str, Figure]:
    label = math_name(name)
    if len(grid.names) == 1:
        return {f"solution_{name}": draw_curve(caption, grid, values, label, reference)}
    if not has_picture(grid):
        if reference is None:
            return {f"solution_{name}": draw_histogram(caption, values, label)}
        return {f"solution_{name}": draw_parity(caption, values, reference, label)}
    scale = solution_scale(values, reference)
    figures = {f"solution_{name}": draw_field(caption, grid, values, scale, label)}
    if grid.structured and grid.frames is not None:
        if len(grid.names) == 2:
            figures[f"slices_{name}"] = draw_slices(caption, grid, values, label, reference)
        elif reference is not None:
            error = _difference(values, reference)
            rows = [
                (label, values, scale),
                ("reference", reference, scale),
                ("error", error, signed_scale(error)),
            ]
            figures[f"slices_{name}"] = draw_comparison(caption, grid, rows)
    return figures


def _draw_signed(caption: str, grid: Grid, values: np.ndarray, label: str) -> Figure:
    scale = signed_scale(values)
    if len(grid.names) == 1:
        return draw_signed_curve(caption, grid, values, label, scale)
    if has_picture(grid):
        return draw_field(caption, grid, values, scale, label)
    return draw_histogram(caption, values, label, scale)


def _difference(values: np.ndarray, reference: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):  # inf - inf is nan, which the figures leave blank
        return values - reference
