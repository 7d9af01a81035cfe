"""Check that a second-order system is elliptic, and parabolic in time."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import sympy

from pinnkit.language import linear
from pinnkit.language.calculus import Partial, partials, symbol
from pinnkit.language.evaluate import Program
from pinnkit.problem.problem import Problem
from pinnkit.references.fem.second_order import SecondOrderSystem
from pinnkit.references.fem.unsupported import unsupported

DIRECTIONS = 181
DEGENERATE = 1e-12
POINTS = 16


def check_elliptic(system: SecondOrderSystem, problem: Problem, points: np.ndarray) -> None:
    """Check the principal symbol at points (n, d) of the domain, with a few values of the fields.

    The determinant of the symbol (with pressures as in a Stokes system) must not vanish in any direction, and waves
    must not grow in time without bound.

    Raises:
        UnsupportedProblem: it does; the message says where.
    """
    for pattern, own in system.patterns.items():
        inside = np.ones(len(points), dtype=bool)
        for name in system.regions:
            inside &= problem.regions[name].contains(points) == (name in pattern)
        if inside.any():
            part = dataclasses.replace(
                system, equations=own.equations, fields={f: system.fields[f] for f in own.fields}
            )
            _check_part(part, problem, points[inside])


def _check_part(system: SecondOrderSystem, problem: Problem, points: np.ndarray) -> None:
    read = {symbol(name): points[:, n] for n, name in enumerate(problem.coordinates)}
    directions = _directions(len(system.space))
    names = [one.field for one in system.equations]
    entries = _symbol_entries(system)
    program = Program([entry for _, _, _, entry in entries])
    for value in (0.0, 0.7):
        inputs = {**read, **{atom: value for atom in program.atoms if isinstance(atom, Partial)}}
        numbers = [np.broadcast_to(one, len(points)) for one in program(inputs)]
        symbols = np.zeros((len(points), len(directions), len(names), len(names)), dtype=complex)
        masses = np.zeros((len(points), len(names), len(names)))
        for (row, column, wave, _), number in zip(entries, numbers, strict=True):
            if wave == (system.time,):
                masses[:, row, column] += number
            else:
                factor = np.prod([1j * directions[:, system.space.index(one)] for one in wave], axis=0)
                symbols[:, :, row, column] += number[:, None] * factor
        if not (np.all(np.isfinite(symbols)) and np.all(np.isfinite(masses))):
            continue
        reduced = [index for index, name in enumerate(names) if name not in system.local]
        if reduced:
            _check_determinant(symbols[:, :, reduced][:, :, :, reduced], system, problem, points)
        if system.evolving:
            _check_growth(symbols, masses, system)


def _directions(dimensions: int) -> np.ndarray:
    if dimensions == 2:
        angles = np.linspace(0, np.pi, DIRECTIONS)
        return np.stack([np.cos(angles), np.sin(angles)], axis=1)
    found = np.random.default_rng(0).standard_normal((4 * DIRECTIONS, dimensions))
    found = np.vstack([np.eye(dimensions), found])
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def _symbol_entries(system: SecondOrderSystem) -> list[tuple[int, int, tuple[str, ...], sympy.Expr]]:
    """(row, column, coordinates differentiated by, coefficient) of the principal symbol."""
    names = [one.field for one in system.equations]
    entries: list[tuple[int, int, tuple[str, ...], sympy.Expr]] = []
    for row, one in enumerate(system.equations):
        for (field, i, j), factor in one.second.items():
            entries.append((row, names.index(field), (i, j), factor))
        atoms = sorted(partials(one.rest), key=str)
        for atom, slope in zip(atoms, linear.slopes(one.rest, atoms), strict=True):
            in_time = system.time is not None and system.time in atom.derivative
            saddle = len(atom.derivative) == 1 and (atom.field in system.pressures or one.field in system.pressures)
            if in_time or (saddle and not in_time):
                entries.append((row, names.index(atom.field), atom.derivative, slope))
    return entries


def _check_determinant(symbols: np.ndarray, system: SecondOrderSystem, problem: Problem, points: np.ndarray) -> None:
    scales = np.linalg.norm(symbols, axis=-1).max(axis=1, keepdims=True)
    if np.any(scales == 0):
        raise unsupported(f"{_all_words(system)}: a principal part vanishes, so it is not elliptic")
    determinants = np.linalg.det(symbols / scales[..., None])
    turned = (determinants * determinants[:, :1].conj()).real
    sizes = np.abs(determinants)
    bad = (turned <= 0).any(axis=1) | (sizes.min(axis=1) <= DEGENERATE * sizes.max(axis=1))
    if bad.any():
        where = points[np.argmax(bad)]
        place = ", ".join(f"{name} = {value:.3g}" for name, value in zip(problem.coordinates, where, strict=True))
        kind = "elliptic in space" if system.time else "elliptic"
        raise unsupported(f"{_all_words(system)}: the principal part is not {kind} at {place}")


def _check_growth(symbols: np.ndarray, masses: np.ndarray, system: SecondOrderSystem) -> None:
    from scipy.linalg import eigvals

    for point, mass in zip(symbols, masses, strict=True):
        for wave in point[:: max(1, len(point) // 16)]:
            rates = eigvals(-wave, mass)
            rates = rates[np.isfinite(rates) & (np.abs(rates) < 1e10 * max(1.0, np.abs(wave).max()))]
            if rates.size and rates.real.max() > 1e-9 * np.abs(rates).max():
                raise unsupported(
                    f"{_all_words(system)}: waves grow the faster the shorter they are (ill-posed in time)"
                )


def _all_words(system: SecondOrderSystem) -> str:
    names = ", ".join(f"'{one.name}'" for one in itertools.islice(system.equations, 4))
    return f"the equation {names}" if len(system.equations) == 1 else f"the equations {names}"
