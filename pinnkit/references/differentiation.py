"""Spectral differentiation on Chebyshev, Fourier and single-point grids.

The grids have the same attributes and methods: `name`, `nodes: (n,)`, `interpolation(x)`, and, for a field with
`missing` boundary conditions: `points(missing)`, the n - missing collocation points; `derivative(values, order,
missing)` from the nodes to those points, and its `collocation(order, missing)` matrix; `sample(function, missing)`.

Source: Trefethen 2000, "Spectral Methods in MATLAB"; Welfert 1997 for the matrices of higher order; Berrut and
Trefethen 2004, "Barycentric Lagrange interpolation"; Driscoll and Hale 2016, "Rectangular spectral collocation".
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

OVERSAMPLING = 16
"""Samples of a periodic function for each node, before its high frequencies are cut off."""


class Chebyshev:
    """Polynomials through n Chebyshev points of the second kind, x_j = mid - half cos(pi j/(n-1)), ends included.

    A field with p conditions at the ends is collocated at m = n - p points of the first kind. As a polynomial of degree
    n - 1 it is the interpolant of its values there plus T_m(s) (c_0 T_0(s) + ... + c_{p-1} T_{p-1}(s)), s in [-1, 1]:
    the c follow from the conditions. (Collocation at some of the nodes has spurious unstable modes from the third
    derivative on.)

    >>> grid = Chebyshev(0.0, 1.0, 8)
    >>> bool(np.allclose(grid.matrix(2) @ grid.nodes**3, 6 * grid.nodes, atol=1e-11))
    True
    """

    name = "Chebyshev"

    def __init__(self, lower: float, upper: float, n: int) -> None:
        self._middle, self._half = (lower + upper) / 2, (upper - lower) / 2
        self._angles = np.pi * np.arange(n) / (n - 1)
        # sin(angle - pi/2) is -cos(angle) with exact symmetry about the middle
        self.nodes = self._middle + self._half * np.sin(self._angles - np.pi / 2)
        self.nodes[[0, -1]] = lower, upper
        self._weights = (-1.0) ** np.arange(n)
        self._weights[[0, -1]] /= 2
        self._matrices = [np.eye(n)]
        self._collocations: dict[tuple[int, int], np.ndarray] = {}

    def matrix(self, order: int) -> np.ndarray:
        """(n, n): values at the nodes to values of the derivative at the nodes."""
        while len(self._matrices) <= order:
            self._matrices.append(self._next())
        return self._matrices[order]

    def _next(self) -> np.ndarray:
        """D_k from D_(k-1): k/(x_i - x_j) (w_j/w_i D_(k-1)_ii - D_(k-1)_ij), and rows that sum to zero."""
        k, last = len(self._matrices), self._matrices[-1]
        a, b = self._angles[:, None], self._angles[None, :]
        # cos b - cos a as a product: no cancellation between neighbours
        distances = 2 * self._half * np.sin((a + b) / 2) * np.sin((a - b) / 2)
        np.fill_diagonal(distances, 1.0)
        ratios = self._weights[None, :] / self._weights[:, None]
        matrix = k / distances * (ratios * np.diag(last)[:, None] - last)
        np.fill_diagonal(matrix, 0.0)
        np.fill_diagonal(matrix, -matrix.sum(axis=1))
        return matrix

    def interpolation(self, x: np.ndarray) -> np.ndarray:
        """(k, n): values at the nodes to values at x: (k,)."""
        return _barycentric(self.nodes, self._weights, x)

    def points(self, missing: int) -> np.ndarray:
        """(m,): the points of the first kind, mid - half cos(pi (j + 1/2)/m)."""
        return self._middle + self._half * np.sin(self._first_kind(missing) - np.pi / 2)

    def _first_kind(self, missing: int) -> np.ndarray:
        m = len(self.nodes) - missing
        return np.pi * (np.arange(m) + 0.5) / m

    def lift(self, missing: int) -> np.ndarray:
        """(n, m): values at the points to those of their interpolant at the nodes."""
        angles = self._first_kind(missing)
        return _barycentric(self.points(missing), (-1.0) ** np.arange(len(angles)) * np.sin(angles), self.nodes)

    def vanishing(self, missing: int) -> np.ndarray:
        """(n, p): the polynomials T_m T_j, j < p, which vanish at the points, at the nodes."""
        m = len(self.nodes) - missing
        toward = np.pi - self._angles  # nodes = cos(toward)
        return np.cos(m * toward)[:, None] * np.cos(np.arange(missing) * toward[:, None])

    def collocation(self, order: int, missing: int) -> np.ndarray:
        """(m, n): values at the nodes to values of the derivative at the points."""
        if (order, missing) not in self._collocations:
            matrix = self.interpolation(self.points(missing)) @ self.matrix(order)
            self._collocations[order, missing] = matrix
        return self._collocations[order, missing]

    def derivative(self, values: np.ndarray, order: int, missing: int) -> np.ndarray:
        """(n,) at the nodes -> (m,) at the points."""
        return self.collocation(order, missing) @ values

    def sample(self, function: Callable[[np.ndarray], np.ndarray], missing: int) -> np.ndarray:
        """(m,): the function at the points."""
        return function(self.points(missing))


def _barycentric(nodes: np.ndarray, weights: np.ndarray, x: np.ndarray) -> np.ndarray:
    distances = x[:, None] - nodes
    hits = distances == 0
    terms = weights / np.where(hits, 1.0, distances)
    matrix = terms / terms.sum(axis=1, keepdims=True)
    on_node = hits.any(axis=1)
    matrix[on_node] = hits[on_node]
    return matrix


class Fourier:
    """Trigonometric polynomials through n equispaced points of a period, x_j = lower + (upper - lower) j/n; n even.

    The equation of a periodic field is collocated at the nodes.

    >>> grid = Fourier(0.0, 2 * np.pi, 8)
    >>> bool(np.allclose(grid.derivative(np.sin(grid.nodes), 1), np.cos(grid.nodes)))
    True
    """

    name = "Fourier"

    def __init__(self, lower: float, upper: float, n: int) -> None:
        self._period = upper - lower
        self.nodes = lower + self._period * np.arange(n) / n
        self._frequencies = 2 * np.pi / self._period * np.arange(n // 2 + 1)

    def derivative(self, values: np.ndarray, order: int, missing: int = 0) -> np.ndarray:
        """(n,) or (n, k) -> the same shape, along the first axis."""
        if not order:
            return values
        factors = (1j * self._frequencies) ** order
        if order % 2:
            factors[-1] = 0.0  # the highest cosine's derivative vanishes at every node
        factors = factors.reshape(-1, *[1] * (values.ndim - 1))
        return np.fft.irfft(factors * np.fft.rfft(values, axis=0), n=len(values), axis=0)

    def collocation(self, order: int, missing: int = 0) -> np.ndarray:
        """(n, n): values at the nodes to values of the derivative at the nodes."""
        return self.derivative(np.eye(len(self.nodes)), order)

    def points(self, missing: int = 0) -> np.ndarray:
        return self.nodes

    def interpolation(self, x: np.ndarray) -> np.ndarray:
        """(k, n): values at the nodes to values at x: (k,), by sin(n a) / (n tan a), a = pi (x - x_j)/period."""
        n = len(self.nodes)
        angles = np.pi / self._period * (x[:, None] - self.nodes)
        # a multiple of pi is a node or its image, where the formula is 0/0 and its limit 1
        angles -= np.pi * np.round(angles / np.pi)
        hits = np.abs(angles) < 1e-15
        angles[hits] = 1.0
        matrix = np.sin(n * angles) / (n * np.tan(angles))
        matrix[hits] = 1.0
        return matrix

    def sample(self, function: Callable[[np.ndarray], np.ndarray], missing: int = 0) -> np.ndarray:
        """(n,): the function's Fourier series, cut off at the grid's highest frequency, at the nodes.

        Plain samples would alias the frequencies that are cut off onto those that are kept.
        """
        n = len(self.nodes)
        many = n * OVERSAMPLING
        coefficients = np.fft.rfft(function(self.nodes[0] + self._period * np.arange(many) / many)) / OVERSAMPLING
        kept = coefficients[: n // 2 + 1]
        kept[-1] = 0.0  # the grid does not separate sine and cosine there
        return np.fft.irfft(kept, n=n)


class Point:
    """A single node, for ordinary differential equations."""

    name = "time alone"

    def __init__(self) -> None:
        self.nodes = np.zeros(1)

    def derivative(self, values: np.ndarray, order: int, missing: int = 0) -> np.ndarray:
        return values

    def collocation(self, order: int, missing: int = 0) -> np.ndarray:
        return np.eye(1)

    def points(self, missing: int = 0) -> np.ndarray:
        return self.nodes

    def interpolation(self, x: np.ndarray) -> np.ndarray:
        return np.ones((len(x), 1))

    def sample(self, function: Callable[[np.ndarray], np.ndarray], missing: int = 0) -> np.ndarray:
        return function(self.nodes)


Grid = Chebyshev | Fourier | Point
