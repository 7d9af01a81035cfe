"""Checks of well-posedness: growth of short waves, and placement of boundary conditions."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import cast

import numpy as np
import sympy

from pinnkit.language import linear
from pinnkit.language.calculus import Partial, differentiate, partials, symbol
from pinnkit.language.evaluate import Program
from pinnkit.references.budget import Budget
from pinnkit.references.evolution_system import EvolutionSystem
from pinnkit.references.method_of_lines import MethodOfLines, evaluate_at
from pinnkit.references.quasirandom import quasirandom_points
from pinnkit.references.unsupported import UnsupportedProblem

MAX_GROWTH_EXPONENT = 30.0
"""Errors that grow by e^MAX_GROWTH_EXPONENT within the time leave no correct digit."""
PLACES = 33
NODES = 16, 32, 64
GROWTH_RATIO = 1.6
"""Factor by which the growth rate rises with each doubling of the nodes, if it is unbounded."""
WAVE_NUMBERS = 64, 1024  # waves in the interval


def check_well_posed(system: EvolutionSystem) -> None:
    """Check Petrovskii's condition on the equations linearised about the start, with frozen coefficients.

    A wave exp(i k x) grows as exp(Re(l) t) with the eigenvalues l of the symbol, the rates' slopes times (i k)^m.
    A well-posed problem has an upper bound on Re(l) for all k.

    Raises:
        UnsupportedProblem: there is none, and within the time the shortest waves of a grid exceed the solution.
    """
    if system.space is None:
        return
    (shorter, longer), duration = (_growth(system, waves) for waves in WAVE_NUMBERS), system.times[1] - system.times[0]
    if longer * duration > MAX_GROWTH_EXPONENT and longer > 4 * max(shorter, 0.0) * GROWTH_RATIO:
        raise UnsupportedProblem(
            f"it is ill-posed as an evolution: of two waves, one 16 times shorter, the shorter grows at a rate of "
            f"{longer:.1e} in place of {shorter:.1e} in {system.time}, without a bound"
        )


def _growth(system: EvolutionSystem, waves: int) -> float:
    """The largest Re(l) of a wave that fits this many times into the interval, over points at the start."""
    lower, upper = system.interval
    x = quasirandom_points(PLACES, lower, upper)
    wave = 2j * np.pi * waves / (upper - lower)
    states = [(field, k) for field, order in system.orders.items() for k in range(order)]
    blocks = np.zeros((PLACES, len(states), len(states)), dtype=complex)
    for field, order in system.orders.items():
        for k in range(order - 1):
            blocks[:, states.index((field, k)), states.index((field, k + 1))] = 1.0
        for one, slope in zip(*_slopes(system, system.rates[field], x), strict=True):
            orders = one.derivative.count(system.time), len(one.derivative) - one.derivative.count(system.time)
            row, column = states.index((field, order - 1)), states.index((one.field, orders[0]))
            blocks[:, row, column] += slope * wave ** orders[1]
    blocks = blocks[np.all(np.isfinite(blocks), axis=(1, 2))]
    return float(np.linalg.eigvals(blocks).real.max()) if len(blocks) else 0.0


def check_boundary_conditions(system: EvolutionSystem) -> None:
    """Check the boundary conditions on the equations with the constant coefficients of either end of x.

    Where a condition is at the outflow end, the largest real part of the eigenvalues grows at least in proportion to
    the nodes.

    Raises:
        UnsupportedProblem: it does with the coefficients of both ends, and errors exceed the solution within the time.
    """
    if system.space is None or system.boundary.periodic:
        return
    duration, rates = system.times[1] - system.times[0], ""
    for end in system.interval:
        frozen = _frozen(system, end)
        if frozen is None:
            return
        found = []
        for nodes in NODES:
            lines = MethodOfLines(frozen, nodes, Budget())
            jacobian = lines.jacobian(system.times[0], np.zeros(lines.size))
            found.append(float(np.linalg.eigvals(jacobian).real.max()))
        rising = all(later > GROWTH_RATIO * max(former, 0.0) for former, later in itertools.pairwise(found))
        if not rising or found[-1] * duration < MAX_GROWTH_EXPONENT:
            return
        rates = ", ".join(f"{rate:.2g}" for rate in found)
    raise UnsupportedProblem(
        f"it is ill-posed with these conditions at the ends of {system.space}: with {NODES[0]}, {NODES[1]} and "
        f"{NODES[2]} nodes errors grow at rates of {rates} in {system.time}, without a bound, as where a condition "
        "stands at the end that waves leave"
    )


def _frozen(system: EvolutionSystem, end: float) -> EvolutionSystem | None:
    """The linearised equations without terms of order zero, with the coefficients at one end at the start."""
    rates, x = {}, np.array([end])
    for field, rate in system.rates.items():
        read, slopes = _slopes(system, rate, x)
        if not np.all(np.isfinite(slopes)):
            return None
        pairs = zip(read, slopes[:, 0], strict=True)
        rates[field] = sum((sympy.Float(slope) * one for one, slope in pairs if one.derivative), sympy.S.Zero)
    return replace(system, rates=rates)


def _slopes(system: EvolutionSystem, rate: sympy.Expr, x: np.ndarray) -> tuple[list[Partial], np.ndarray]:
    """The partial derivatives in a rate, and its slopes by them at the start, (partials, points)."""
    read = sorted(partials(rate), key=str)
    program = Program(linear.slopes(rate, read))
    values: dict = {symbol(cast(str, system.time)): system.times[0], symbol(cast(str, system.space)): x}
    for one in read:
        in_space = [name for name in one.derivative if name != system.time]
        state = system.start[one.field, len(one.derivative) - len(in_space)]
        values[one] = evaluate_at(differentiate(state, *in_space), x)
    slopes = [np.broadcast_to(slope, x.shape) for slope in program(values)]
    return read, np.array(slopes, dtype=float).reshape(len(read), len(x))
