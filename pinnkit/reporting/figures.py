"""Figures of a run: which there are, and their captions."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from matplotlib.figure import Figure

from pinnkit.reporting.curves import draw_curve, draw_function, draw_phase_portrait, draw_signed_curve, draw_slices
from pinnkit.reporting.distributions import draw_histogram, draw_parity
from pinnkit.reporting.error_norms import max_error, relative_l2, rms
from pinnkit.reporting.field_maps import draw_comparison, draw_field, has_picture
from pinnkit.reporting.grid import Grid
from pinnkit.reporting.history_figure import History, draw_history
from pinnkit.reporting.labels import file_name, math_name, number, plain_text
from pinnkit.reporting.learned_figure import draw_learned, moving
from pinnkit.reporting.planes import Planes, draw_planes
from pinnkit.reporting.points_figure import draw_points
from pinnkit.reporting.samples import Samples
from pinnkit.reporting.scales import PHASE, Scale, signed_scale, size_scale, solution_scale

__all__ = ["Grid", "History", "Samples", "draw"]

SMALLEST_MODULUS = 1e-3
"""The modulus below which a complex field's phase is left blank, relative to the largest."""


def draw(
    title: str,
    grid: Grid,
    fields: Mapping[str, np.ndarray],
    references: Mapping[str, np.ndarray],
    residuals: Mapping[str, np.ndarray],
    history: History,
    points: Mapping[str, Mapping[str, np.ndarray]],
    functions: Mapping[str, str] = MappingProxyType({}),
    planes: Planes | None = None,
    samples: Mapping[str, Samples] = MappingProxyType({}),
    truths: Mapping[str, float] = MappingProxyType({}),
    estimates: tuple[Grid, Mapping[str, np.ndarray]] | None = None,
) -> dict[str, Figure]:
    """The figures of a run by file name (without .png).

    title: the problem's name; fields, references, residuals: arrays of the grid's shape, references for
    some of the fields or none; points: term -> coordinate -> (n,); functions: field -> the field whose function it is;
    planes: what is drawn as maps of four or more coordinates; samples: field -> what was measured of it;
    truths: learned parameter -> its exact value; estimates: estimated errors of fields, on a grid of their own.
    Axes and colour bars have the units of the grid.

    Keys: solution_FIELD; with a reference reference_FIELD (where it can be pictured) and error_FIELD;
    estimated_error_FIELD;
    residual_EQUATION; slices_FIELD for one space coordinate and t, for two with a reference, and on `planes`, where the
    error is slices_error_FIELD;
    phase_portrait for two real fields of one coordinate; curve_FIELD for a function of a field; loss_history;
    learned_parameters where there are some; points.
    Of a complex field these show the modulus, and the modulus of the error; phase_FIELD and reference_phase_FIELD show
    the phase.

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
        draw_one = _draw_complex if np.iscomplexobj(values) else _draw_one
        add(draw_one(prefix, grid, name, values, references.get(name), inside, samples.get(name)))
    if estimates is not None:
        add({f"estimated_error_{name}": _draw_estimated(prefix, estimates[0], name, one)
             for name, one in estimates[1].items()})  # fmt: skip
    for name, values in residuals.items():
        residual = np.where(inside, grid.checked(f"{name} (residual)", values), np.nan)
        caption = f"{prefix}residual of {plain_text(name)}, RMS {number(rms(_known(residual[inside])))}"
        add({f"residual_{name}": _draw_signed(caption, grid, residual, "residual")})
    for name, argument in functions.items():
        if name in fields and not np.iscomplexobj(fields[name]):
            caption = f"{prefix}{math_name(name)} as a function of {math_name(argument)}"
            add({f"curve_{name}": draw_function(caption, grid, name, argument, fields, references)})
    if len(grid.names) == 1 and len(fields) == 2 and not any(map(np.iscomplexobj, fields.values())):
        add({"phase_portrait": draw_phase_portrait(prefix, grid, fields, references)})
    if planes is not None:
        add(_draw_on_planes(prefix, planes))
    if moving(history):
        add({"learned_parameters": draw_learned(prefix, grid, history, truths)})
    add({"loss_history": draw_history(prefix, history), "points": draw_points(prefix, grid, points)})
    return figures


def _draw_on_planes(prefix: str, planes: Planes) -> dict[str, Figure]:
    """Fields and errors on planes through four or more coordinates; of complex ones the moduli."""
    figures = {}
    for name, values in planes.fields.items():
        reference = planes.references.get(name)
        shown, label = values, math_name(name)
        if np.iscomplexobj(values):
            shown, label = np.abs(values), modulus_label(name)
        unit = planes.grid.label(name, label)
        sizes = np.abs(reference) if reference is not None and np.iscomplexobj(reference) else reference
        scale = solution_scale(shown, sizes)
        figures[f"slices_{name}"] = draw_planes(f"{prefix}{label}", planes.grid, shown, scale, unit)
        if reference is not None:
            error = _difference(values, reference)
            caption = f"error of {math_name(name)}"
            error, scale_of = (np.abs(error), size_scale) if np.iscomplexobj(error) else (error, signed_scale)
            unit = planes.grid.label(name, caption)
            figure = draw_planes(f"{prefix}{caption}", planes.grid, error, scale_of(error), unit)
            figures[f"slices_error_{name}"] = figure
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
    prefix: str,
    grid: Grid,
    name: str,
    values: np.ndarray,
    reference: np.ndarray | None,
    inside: np.ndarray,
    samples: Samples | None,
) -> dict[str, Figure]:
    label = math_name(name)
    if reference is None:
        return _draw_solution(f"{prefix}{label}", grid, name, label, values, None, samples)
    caption, error_caption = _captions(prefix, label, values, reference, inside)
    figures = _draw_solution(caption, grid, name, label, values, reference, samples)
    scale, shown = solution_scale(values, reference), grid.label(name)
    figures |= _draw_reference(f"{prefix}{label}, reference", grid, f"reference_{name}", shown, reference, scale)
    error = _difference(values, reference)
    figures[f"error_{name}"] = _draw_signed(error_caption, grid, error, grid.label(name, f"error of {label}"))
    return figures


def modulus_label(name: str) -> str:
    """The modulus of a field in mathtext.

    >>> modulus_label("h"), modulus_label("E_1_")
    ('$|h|$', '|E_1_|')
    """
    label = math_name(name)
    return f"$|{label[1:-1]}|$" if label.startswith("$") else f"|{label}|"


def _draw_complex(
    prefix: str,
    grid: Grid,
    name: str,
    values: np.ndarray,
    reference: np.ndarray | None,
    inside: np.ndarray,
    samples: Samples | None,
) -> dict[str, Figure]:
    """Modulus and phase of a complex field, and the modulus of its error."""
    label, size = math_name(name), modulus_label(name)
    unit = grid.label(name, size)
    angle = f"phase of {label}"
    phases = {f"phase_{name}": (f"{prefix}{angle}", phase(values))}
    if reference is None:
        figures = _draw_solution(f"{prefix}{size}", grid, name, size, np.abs(values), None, samples)
    else:
        caption, error_caption = _captions(prefix, label, values, reference, inside)
        sizes = np.abs(values), np.abs(reference)
        figures = _draw_solution(caption.replace(label, size, 1), grid, name, size, *sizes, samples)
        key, scale = f"reference_{name}", solution_scale(*sizes)
        figures |= _draw_reference(f"{prefix}{size}, reference", grid, key, unit, sizes[1], scale)
        error = np.abs(_difference(values, reference))
        shown = grid.label(name, f"|error| of {label}")
        if has_picture(grid):
            figures[f"error_{name}"] = draw_field(error_caption, grid, error, size_scale(error), shown)
        elif len(grid.names) == 1:
            figures[f"error_{name}"] = draw_curve(error_caption, grid, error, shown)
        else:
            figures[f"error_{name}"] = draw_histogram(error_caption, error, shown, size_scale(error, robust=False))
        phases[f"reference_phase_{name}"] = f"{prefix}{angle}, reference", phase(reference)
    for key, (caption, angles) in phases.items():
        figures |= _draw_reference(caption, grid, key, angle, angles, PHASE)
    return figures


def phase(values: np.ndarray) -> np.ndarray:
    """The angles of complex values, NaN where the modulus is too small for one."""
    sizes = np.abs(values)
    largest = np.max(sizes[np.isfinite(sizes)], initial=0.0)
    return np.where(sizes > SMALLEST_MODULUS * largest, np.angle(values), np.nan)


def _captions(
    prefix: str, label: str, values: np.ndarray, reference: np.ndarray, inside: np.ndarray
) -> tuple[str, str]:
    """The titles of solution and error, with the errors where the reference is known."""
    known = inside & np.isfinite(reference)
    known = known if known.any() else inside
    relative = number(relative_l2(values[known], reference[known]))
    largest = number(max_error(values[known], reference[known]))
    return f"{prefix}{label}, relative $L^2$ error {relative}", f"{prefix}error of {label}, at most {largest}"


def _draw_reference(
    caption: str, grid: Grid, key: str, label: str, values: np.ndarray, scale: Scale
) -> dict[str, Figure]:
    """A map or a curve, nothing over more coordinates."""
    if has_picture(grid):
        return {key: draw_field(caption, grid, values, scale, label)}
    return {key: draw_curve(caption, grid, values, label)} if len(grid.names) == 1 else {}


def _draw_solution(
    caption: str,
    grid: Grid,
    name: str,
    symbol: str,
    values: np.ndarray,
    reference: np.ndarray | None,
    samples: Samples | None,
) -> dict[str, Figure]:
    label = grid.label(name, symbol)
    if len(grid.names) == 1:
        return {f"solution_{name}": draw_curve(caption, grid, values, label, reference, samples)}
    if not has_picture(grid):
        if reference is None:
            return {f"solution_{name}": draw_histogram(caption, values, label)}
        labels = (grid.label(name, f"{symbol}, reference"), grid.label(name, f"{symbol}, network"))
        return {f"solution_{name}": draw_parity(caption, values, reference, labels)}
    scale = solution_scale(values, reference)
    figures = {f"solution_{name}": draw_field(caption, grid, values, scale, label, samples)}
    if grid.structured and grid.frames is not None:
        if len(grid.names) == 2:
            figures[f"slices_{name}"] = draw_slices(caption, grid, values, label, reference)
        elif reference is not None:
            error = _difference(values, reference)
            rows = [
                (label, values, scale),
                (grid.label(name, "reference"), reference, scale),
                (grid.label(name, "error"), error, signed_scale(error)),
            ]
            figures[f"slices_{name}"] = draw_comparison(caption, grid, rows)
    return figures


def _draw_estimated(prefix: str, grid: Grid, name: str, values: np.ndarray) -> Figure:
    """The estimate of a field's error, of a complex one its modulus."""
    shown = grid.checked(f"{name} (estimated error)", values)
    known = np.abs(shown[np.isfinite(shown)])
    caption = f"{prefix}estimated error of {math_name(name)}, at most {number(float(np.max(known, initial=0.0)))}"
    label = grid.label(name, f"estimated error of {math_name(name)}")
    return _draw_signed(caption, grid, np.abs(shown) if np.iscomplexobj(shown) else shown, label)


def _draw_signed(caption: str, grid: Grid, values: np.ndarray, label: str) -> Figure:
    scale = signed_scale(values, robust=len(grid.names) == 1 or has_picture(grid))
    if len(grid.names) == 1:
        return draw_signed_curve(caption, grid, values, label, scale)
    if has_picture(grid):
        return draw_field(caption, grid, values, scale, label)
    return draw_histogram(caption, values, label, scale)


def _difference(values: np.ndarray, reference: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):  # inf - inf is nan, which the figures leave blank
        return values - reference
