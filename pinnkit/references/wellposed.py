"""Whether an evolution is well posed: short waves must not grow the faster the shorter they are (Hadamard)."""

from __future__ import annotations

import numpy as np

from pinnkit.language import linear
from pinnkit.language.calculus import TIME, Partial, partials, symbol
from pinnkit.language.errors import LanguageError
from pinnkit.language.evaluate import Program
from pinnkit.references.system import System
from pinnkit.references.unsupported import UnsupportedProblem

WAVES = (1e5, 4e5)
"""Numbers of radians along the range of x: so many that the highest derivatives decide."""
GROWTH = 1e-3
"""The least real part of a growing wave's rate, relative to the rate."""
NOISE = 1e-7
"""A rate that is rounding, relative to the largest that there may be."""
PLACES = 8
"""Points along t and along x where the coefficients are frozen."""

Terms = list[
    tuple[int, Partial, np.ndarray]
]  # the row of a field's highest derivative in time, what it holds, its factor


def check_well_posed(system: System) -> None:
    """Refuse equations whose linear part, with its coefficients frozen at some point, lets ever shorter waves grow.

    For f_m = sum a_jl d^j/dt^j d^l/dx^l f and waves exp(ikx + st), the rates s are the eigenvalues of the companion
    matrix; u_tt = -u_xx has s = |k|. Where the highest derivatives have coefficients that hold fields, nothing is told.

    Raises:
        UnsupportedProblem: with a rate and a point.
    """
    if system.space is None:
        return
    t, x = (
        ends[0] + (ends[1] - ends[0]) * (np.arange(PLACES) + 0.5) / PLACES for ends in (system.times, system.interval)
    )
    at = {symbol(TIME): np.repeat(t, PLACES), symbol(system.space): np.tile(x, PLACES)}
    terms = _terms(system, at)
    if terms is None:
        return
    length = system.interval[1] - system.interval[0]
    slow, fast = (_rates(system, terms, waves / length) for waves in WAVES)
    grows = (fast.real > GROWTH * np.abs(fast)) & (np.abs(fast) > 1.5 * np.abs(slow)) & (fast.real > 0)
    if np.any(grows):
        place = int(np.argmax(grows))
        where = f"{system.space} = {x[place % PLACES]:.4g}, t = {t[place // PLACES]:.4g}"
        raise UnsupportedProblem(
            f"it is ill posed: the shorter a wave is, the faster it grows (at {where}, one of length "
            f"{2 * np.pi * length / WAVES[1]:.2g} as exp({fast[place].real:.2g}*t))"
        )


def _terms(system: System, at: dict) -> Terms | None:
    """The linear part's coefficients at the points, or None where those of a highest derivative hold fields."""
    terms: Terms = []
    count = PLACES * PLACES
    for row, rate in enumerate(system.rates.values()):
        held = sorted(partials(rate), key=str)
        try:
            factors = linear.slopes(rate, held)
        except LanguageError:  # too long
            return None
        for one, factor in zip(held, factors, strict=True):
            if partials(factor):
                if one.derivative.count(system.space) == system.space_orders[one.field]:
                    return None
                continue
            terms.append((row, one, np.broadcast_to(Program([factor])(at)[0], count)))
    return terms


def _rates(system: System, terms: Terms, wave: float) -> np.ndarray:
    """The rate s with the largest real part at each point, 0 where it is rounding or no number."""
    sizes = {field: wave ** (system.space_orders[field] / order) for field, order in system.orders.items()}
    index = {(field, j): n for n, (field, j) in enumerate((f, j) for f, m in system.orders.items() for j in range(m))}
    matrix = np.zeros((PLACES * PLACES, len(index), len(index)), dtype=complex)
    for field, order in system.orders.items():
        for j in range(order - 1):
            matrix[:, index[field, j], index[field, j + 1]] = sizes[field]
    tops = [(field, order - 1) for field, order in system.orders.items()]
    for row, one, factor in terms:
        field, j = tops[row]
        k = one.derivative.count(TIME)
        scale = sizes[one.field] ** k / sizes[field] ** j
        matrix[:, index[tops[row]], index[one.field, k]] += (
            factor * scale * (1j * wave) ** one.derivative.count(system.space)
        )
    known = np.all(np.isfinite(matrix), axis=(1, 2))
    matrix[~known] = 0.0
    found = np.linalg.eigvals(matrix)
    largest = found[np.arange(len(found)), np.argmax(found.real, axis=1)]
    return np.where(np.abs(largest) > NOISE * np.abs(matrix).max(axis=(1, 2)), largest, 0.0)
