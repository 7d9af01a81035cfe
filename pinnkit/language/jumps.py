"""Jumps of an expression inside the domain: its derivative has a delta there, which no collocation point meets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import sympy
from sympy.core.relational import Relational

from pinnkit.language.errors import LanguageError
from pinnkit.language.evaluate import Program
from pinnkit.language.partial import Partial, partials, symbol

LINES, SAMPLES = 32, 256
"""Lines along the coordinate at random places, and points on each; a step narrower than 1/8000 may be missed."""
HALVINGS = 60
CROSSINGS = 200
TOLERANCE = 1e-6
"""The least jump, relative to the values on its sides."""

Ranges = Mapping[str, tuple[float, float]]


def check_continuous(expr: sympy.Expr, coordinate: str, ranges: Ranges) -> None:
    """Raise LanguageError where `expr` jumps along a coordinate, so that its derivative by it would lose a delta.

    `ranges` are those of coordinates and parameters; fields and their derivatives may take any values.

    >>> x = symbol("x")
    >>> check_continuous(sympy.Heaviside(x) * x, "x", {"x": (-1.0, 1.0)})
    >>> check_continuous(sympy.Heaviside(x), "x", {"x": (-1.0, 1.0)})
    Traceback (most recent call last):
        ...
    pinnkit.language.errors.LanguageError: ...
    """
    for one in (expr, *(value for partial in partials(expr) for _, value in partial.at)):
        switches = list(_switches(one))
        if switches and coordinate in ranges:
            _check(one, switches, coordinate, ranges)


def _switches(expr: sympy.Basic) -> Iterator[sympy.Basic]:
    """The conditions at whose change the expression may jump."""
    seen, stack = set(), [expr]
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        stack.extend(node.args)
        if isinstance(node, Relational):
            yield node
        elif isinstance(node, sympy.sign | sympy.Heaviside | sympy.atan2):
            yield sympy.Ge(node.args[0], 0, evaluate=False)


def _check(expr: sympy.Expr, switches: Sequence[sympy.Basic], coordinate: str, ranges: Ranges) -> None:
    rng = np.random.default_rng(0)
    program, masks = Program([expr]), Program(switches)
    atoms = {atom: _line(atom, coordinate, ranges, rng) for atom in {*program.atoms, *masks.atoms}}

    def given(lines: np.ndarray, places: np.ndarray) -> dict[sympy.Basic, np.ndarray]:
        """The atoms' values at these places of these lines."""
        return {atom: start[lines] + slope[lines] * places for atom, (start, slope) in atoms.items()}

    def sides(lines: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Which switches are on there, (switches, points)."""
        return np.array([np.broadcast_to(one, places.shape) for one in masks(given(lines, places))])

    every = np.repeat(np.arange(LINES), SAMPLES)
    places = ((np.arange(SAMPLES) + rng.random((LINES, SAMPLES))) / SAMPLES).ravel()
    on = sides(every, places).reshape(len(switches), LINES, SAMPLES)
    lines, steps = np.nonzero(np.any(on[:, :, 1:] != on[:, :, :-1], axis=0))
    chosen = rng.permutation(len(lines))[:CROSSINGS]
    lines, steps = lines[chosen], steps[chosen]
    places = places.reshape(LINES, SAMPLES)
    ends = before, after = places[lines, steps], places[lines, steps + 1]
    left = on[:, lines, steps]
    for _ in range(HALVINGS):
        middle = (before + after) / 2
        same = np.all(sides(lines, middle) == left, axis=0)
        before, after = np.where(same, middle, before), np.where(same, after, middle)
    low, high, start, end = (np.broadcast_to(program(given(lines, at))[0], at.shape) for at in (before, after, *ends))
    with np.errstate(invalid="ignore"):
        jumps = np.abs(high - low) > TOLERANCE * np.fmax(np.abs(start), np.abs(end))
    if not np.any(jumps):
        return
    first = int(np.argmax(jumps))
    right = sides(lines[first : first + 1], after[first : first + 1])
    changed = [one for one, was, now in zip(switches, left[:, first], right[:, 0], strict=True) if was != now]
    raise LanguageError(_told(changed, coordinate, float(before[first]), ranges))


def _told(changed: Sequence[sympy.Basic], coordinate: str, place: float, ranges: Ranges) -> str:
    """What jumps where, and what to write instead."""
    lower, length = _ends(ranges[coordinate])
    value = lower + length * place
    value = 0.0 if abs(value) < 1e-12 * length else value
    held = sorted(str(one) for condition in changed for one in partials(condition))
    where = f"where {held[0]} crosses a value" if held else f"at {coordinate} = {value:.4g}"
    shown = held[0] if held else f"{coordinate} {'-' if value >= 0 else '+'} {abs(value):.4g}" if value else coordinate
    width = "width" if held else f"{length / 100:.1g}"
    return (
        f"what is differentiated by {coordinate} jumps {where}, and no point meets the delta that its derivative has "
        f"there. Write a smooth transition, such as tanh(({shown})/{width})"
    )


def _line(
    atom: sympy.Basic, coordinate: str, ranges: Ranges, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Start and slope (LINES,) of an atom's value along each line, whose places go from 0 to 1."""
    if isinstance(atom, Partial) or str(atom) not in ranges:
        sizes = 10.0 ** rng.uniform(-3, 3, LINES)
        return sizes * rng.standard_normal(LINES), 2 * sizes * rng.standard_normal(LINES)
    start, slope = _ends(ranges[str(atom)])
    if atom == symbol(coordinate):
        return np.full(LINES, start), np.full(LINES, slope)
    return start + slope * rng.random(LINES), np.zeros(LINES)


def _ends(ends: tuple[float, float]) -> tuple[float, float]:
    return ends[0], ends[1] - ends[0]
