"""Detection of jumps of an expression inside the domain, at which its derivative has a delta."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

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
NEAR, WIDE = 1e-12, 1e-9
"""Distances from a switch at which its sides are compared: sign(x)^2 is 1 on both, and 0 at it."""
KEPT = 0.8
"""Least ratio of the differences at both distances for a jump; that of a root falls with the distance."""
TOLERANCE = 1e-6
"""The least jump, relative to the values on its sides."""

Ranges = Mapping[str, tuple[float, float]]
Inside = Callable[[Mapping[str, np.ndarray]], np.ndarray]


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
    jump = find_jump(expr, coordinate, ranges)
    if jump is not None:
        raise LanguageError(
            f"what is differentiated by {coordinate} jumps {jump.where}, and no point meets the delta that its "
            f"derivative has there. Write a smooth transition, such as {jump.smooth}"
        )


@dataclass(frozen=True)
class Jump:
    """Where an expression jumps, and a smooth step to write instead."""

    where: str
    smooth: str


def find_jump(expr: sympy.Expr, coordinate: str, ranges: Ranges, inside: Inside | None = None) -> Jump | None:
    """A jump of an expression along a coordinate, if one is found.

    inside: mask (n,) of the values (n,) of the atoms that lie in the domain; None: all within their ranges do.
    """
    for one in (expr, *(value for partial in partials(expr) for _, value in partial.at)):
        switches = list(_switches(one))
        if switches and coordinate in ranges:
            found = _search(one, switches, coordinate, ranges, inside)
            if found is not None:
                return found
    return None


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


def _search(
    expr: sympy.Expr, switches: Sequence[sympy.Basic], coordinate: str, ranges: Ranges, inside: Inside | None
) -> Jump | None:
    rng = np.random.default_rng(0)
    program, masks = Program([expr]), Program(switches)
    names = {symbol(name) for name in ranges} if inside is not None else set()
    atoms = {atom: _line(atom, coordinate, ranges, rng) for atom in {*program.atoms, *masks.atoms, *names}}

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
    grid = places.reshape(LINES, SAMPLES)
    ends = before, after = grid[lines, steps], grid[lines, steps + 1]
    left = on[:, lines, steps]
    for _ in range(HALVINGS):
        middle = (before + after) / 2
        same = np.all(sides(lines, middle) == left, axis=0)
        before, after = np.where(same, middle, before), np.where(same, after, middle)
    low, high, lower, higher, start, end = (
        np.broadcast_to(program(given(lines, at))[0], at.shape)
        for at in (before - NEAR, after + NEAR, before - WIDE, after + WIDE, *ends)
    )
    with np.errstate(invalid="ignore"):
        size = np.abs(high - low)
        jumps = (size > TOLERANCE * np.fmax(np.abs(start), np.abs(end))) & ~(size < KEPT * np.abs(higher - lower))
    if inside is not None:
        jumps &= inside({str(atom): values for atom, values in given(lines, before).items()})
    if not np.any(jumps):
        return None
    first = int(np.argmax(jumps))
    right = sides(lines[first : first + 1], after[first : first + 1])
    changed = [one for one, was, now in zip(switches, left[:, first], right[:, 0], strict=True) if was != now]
    return _described_jump(changed, coordinate, float(before[first]), ranges)


def _described_jump(changed: Sequence[sympy.Basic], coordinate: str, place: float, ranges: Ranges) -> Jump:
    held = sorted(str(one) for condition in changed for one in partials(condition))
    if held:
        return Jump(f"where {held[0]} crosses a value", f"tanh({held[0]}/width)")
    lower, length = _ends(ranges[coordinate])
    value = lower + length * place
    if abs(value) < 1e-12 * length:
        return Jump(f"at {coordinate} = 0", f"tanh({coordinate}/{length / 100:.1g})")
    shown = f"{coordinate} {'-' if value >= 0 else '+'} {abs(value):.4g}"
    return Jump(f"at {coordinate} = {value:.4g}", f"tanh(({shown})/{length / 100:.1g})")


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
