"""Error estimate from initial values, sources and coefficients that a grid does not resolve.

The problem's functions are compared with their interpolants on the grid at many points that are no nodes: two grids
that both miss a narrow source would agree.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import numpy as np
import sympy

from pinnkit.language.calculus import Partial, differentiate, partials, replace, symbol
from pinnkit.language.evaluate import Program
from pinnkit.references.differentiation import Chebyshev, Fourier
from pinnkit.references.evolution_system import EvolutionSystem
from pinnkit.references.known_functions import extract_known_functions
from pinnkit.references.method_of_lines import evaluate_at
from pinnkit.references.quasirandom import quasirandom_points
from pinnkit.references.semilinear import SemilinearForm
from pinnkit.references.time_integration import GridSolution

PLACES = {"Fourier": 3**10, "Chebyshev": 20_000}
"""Points at which functions are evaluated; an odd number for periodic ones, whose nodes are even in number."""
MOMENTS = 9
CHUNK = 2**21


class InterpolationError:
    """Estimate of a solution's error from the interpolation error of the problem's functions on its grid.

    To first order, in relative L2 norm and the worst field:

        sum over starts s of |s - I s|/|u| + T sum over functions g of |g - I g| max|d rate/d g| / |u|,

    where I is interpolation on the grid and T the duration. It is too large where errors decay; the decay of a periodic
    start's unresolved modes under the linear part is taken into account.
    """

    def __init__(self, system: EvolutionSystem, parts: SemilinearForm) -> None:
        self._system, self._parts = system, parts
        self._given: list[tuple[str, sympy.Expr, sympy.Expr]] = []  # field, g, d rate/d g
        for field, rate in system.rates.items():
            rest, names = extract_known_functions(rate, {symbol(cast(str, system.space))})
            for name, function in names.items():
                slope = differentiate(rest, str(name))
                self._given.append((field, function, replace(slope, names)))

    def __call__(self, solution: GridSolution) -> float:
        """The estimate for a solution on its own grid."""
        norms = np.sqrt(np.mean(solution.samples**2, axis=1))
        norms = np.where(norms > 0, norms, 1.0)
        lost = np.zeros(len(norms))
        fields = self._system.fields
        begin, end = self._system.times
        for (field, k), start in self._system.start.items():
            lost[fields.index(field)] += self._start(solution, field, k, start)
        for field, function, slope in self._given:
            missed = self._mean_interpolation_error(solution, function)
            if missed:
                lost[fields.index(field)] += (end - begin) * missed * self._largest_slope(solution, slope)
        found = float(np.max(lost / norms))
        return found if np.isfinite(found) else np.inf

    def _start(self, solution: GridSolution, field: str, k: int, start: sympy.Expr) -> float:
        if not isinstance(solution.grid, Fourier):
            return _difference(cast(Chebyshev, solution.grid), lambda x: evaluate_at(start, x), self._system.interval)
        lower, upper = self._system.interval
        count = PLACES["Fourier"]
        places = lower + (upper - lower) * np.arange(count) / count
        cut = np.fft.rfft(evaluate_at(start, places), norm="forward")[solution.nodes // 2 :]
        wave = 2j * np.pi / (upper - lower) * (solution.nodes // 2 + np.arange(len(cut)))
        rates = sum(
            number * np.real(wave ** len(one.derivative))
            for one, number in self._parts.linear[field].items()
            if one.field == field and self._system.time not in one.derivative and self._system.orders[field] == 1
        ) + np.zeros(len(cut))
        exponents = 2 * np.minimum(rates, 0.0) * (self._system.times[1] - self._system.times[0])
        kept = np.where(exponents < -1e-8, np.expm1(exponents) / np.where(exponents < -1e-8, exponents, 1.0), 1.0)
        return float(np.sqrt(2 * np.sum(np.abs(cut) ** 2 * kept)))

    def _mean_interpolation_error(self, solution: GridSolution, function: sympy.Expr) -> float:
        """|g - I g|, root mean square over points and times."""
        program = Program([function])
        varies = symbol(cast(str, self._system.time)) in program.atoms
        moments = quasirandom_points(MOMENTS, *self._system.times) if varies else self._system.times[:1]

        def at(t: float) -> Callable[[np.ndarray], np.ndarray]:
            values = {symbol(cast(str, self._system.time)): t}

            def sampled(x: np.ndarray) -> np.ndarray:
                found = program({**values, symbol(cast(str, self._system.space)): x})[0]
                return np.array(np.broadcast_to(found, x.shape), dtype=float)

            return sampled

        grid = cast(Chebyshev | Fourier, solution.grid)
        squares = [_difference(grid, at(t), self._system.interval) ** 2 for t in moments]
        return float(np.sqrt(np.mean(squares)))

    def _largest_slope(self, solution: GridSolution, slope: sympy.Expr) -> float:
        """max |d rate/d g| over nodes and times."""
        if slope.is_number:
            return abs(float(slope))
        program, x = Program([slope]), solution.grid.nodes
        begin, end = self._system.times
        inside = quasirandom_points(MOMENTS, begin, end)[1:-1]
        values: dict[sympy.Basic, np.ndarray | float] = {symbol(cast(str, self._system.space)): x}
        largest = 0.0
        for t in inside:
            values[symbol(cast(str, self._system.time))] = t
            for one in partials(slope):
                values[one] = self._derivative(solution, one, t, 1e-4 * (end - begin))
            with np.errstate(all="ignore"):
                largest = max(largest, float(np.max(np.abs(program(values)[0]))))
        return largest

    def _derivative(self, solution: GridSolution, one: Partial, t: float, step: float) -> np.ndarray:
        """A partial derivative at the nodes; in time by central differences."""
        field, x = self._system.fields.index(one.field), solution.grid.nodes
        if self._system.time in one.derivative:
            ahead, behind = (solution(x, np.full(len(x), t + sign * step))[field] for sign in (1, -1))
            return (ahead - behind) / (2 * step)
        values = solution(x, np.full(len(x), t))[field]
        if isinstance(solution.grid, Fourier):
            return solution.grid.derivative(values, len(one.derivative))
        return cast(Chebyshev, solution.grid).matrix(len(one.derivative)) @ values


def _difference(
    grid: Chebyshev | Fourier, function: Callable[[np.ndarray], np.ndarray], interval: tuple[float, float]
) -> float:
    """Root mean square of the difference of a function and its interpolant on the grid."""
    lower, upper = interval
    count = PLACES[grid.name]
    if isinstance(grid, Fourier):
        truth = np.fft.rfft(function(lower + (upper - lower) * np.arange(count) / count), norm="forward")
        seen = np.fft.rfft(function(grid.nodes), norm="forward")
        seen[-1] /= 2  # the highest cosine stands for both its signs
        truth[: len(seen)] -= seen
        return float(np.sqrt(2 * np.sum(np.abs(truth) ** 2)))
    places, values, total = quasirandom_points(count, lower, upper), function(grid.nodes), 0.0
    part = max(CHUNK // len(grid.nodes), 1)
    for begin in range(0, count, part):
        some = places[begin : begin + part]
        total += float(np.sum((function(some) - grid.interpolation(some) @ values) ** 2))
    return float(np.sqrt(total / count))
