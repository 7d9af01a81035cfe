"""Evaluation of finite element functions at arbitrary points."""

from __future__ import annotations

import numpy as np

from pinnkit.references.fem.assembly import Spaces

NEAREST = {2: 8, 3: 16}
"""Elements, by their middles, among which that of a point is looked for first."""
STEPS = 8
"""Newton steps for the place of a point in a curved element."""
FAR = 3.0
"""Where the place in the element with straight edges lies so far away, so does that in the curved one."""
INSIDE = 1e-9
OUTSIDE = 0.5
"""How far, in coordinates of the reference element, a point of the domain may lie outside all elements."""
CHUNK = 2_000_000


class Locator:
    """The element of each point, and the point's place in it.

    A point that lies just outside all elements, as where the boundary is curved, belongs to the nearest.

    Args:
        elements: the numbers of the elements that count.
    """

    def __init__(self, spaces: Spaces, elements: np.ndarray) -> None:
        from scipy.spatial import cKDTree

        self._elements = elements
        self._mesh = spaces.mesh
        self._dimension = len(spaces.system.space)
        corners = self._mesh.p[:, self._mesh.t[: self._dimension + 1, elements]]
        self._nodes = np.moveaxis(
            self._mesh.doflocs[:, self._mesh.dofs.element_dofs[:, elements]], 0, 2
        )  # (nodes, elements, d)
        self._origin = corners[:, 0].T
        self._edges = np.moveaxis(corners[:, 1:] - corners[:, :1], (0, 1, 2), (1, 2, 0))  # (elements, d, d)
        self._tree = cKDTree(corners.mean(axis=1).T)
        self._lower, self._upper = self._nodes.min(axis=0), self._nodes.max(axis=0)

    def __call__(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Element (n,), -1 where there is none, and place (n, d) in the reference element, of points (n, d)."""
        count = min(NEAREST[self._dimension], len(self._origin))
        _, near = self._tree.query(points, k=count)
        near = near.reshape(len(points), count)
        element = np.full(len(points), -1)
        place = np.zeros(points.shape)
        depth = np.full(len(points), -np.inf)
        for column in near.T:
            rows = np.flatnonzero(depth < -INSIDE)
            self._improve(points, rows, column[rows], element, place, depth)
        missing = np.flatnonzero(depth < -INSIDE)
        size = max(1, CHUNK // len(self._origin))
        for begin in range(0, len(missing), size):
            chosen = missing[begin : begin + size]
            slack = 1e-9 * (self._upper - self._lower)
            inside = np.all(
                (points[chosen, None] >= self._lower - slack) & (points[chosen, None] <= self._upper + slack), axis=2
            )
            which, candidates = np.nonzero(inside)
            self._improve(points, chosen[which], candidates, element, place, depth)
        outside = depth < -OUTSIDE
        return np.where(outside, -1, self._elements[element]), place

    def _improve(
        self,
        points: np.ndarray,
        rows: np.ndarray,
        candidates: np.ndarray,
        element: np.ndarray,
        place: np.ndarray,
        depth: np.ndarray,
    ) -> None:
        """Take the candidates (k,) for the points in these rows (k,) in which they lie deeper than before."""
        if not len(rows):
            return
        found = self._places(points[rows], candidates)
        deep = np.minimum(found.min(axis=1), 1 - found.sum(axis=1))
        order = np.argsort(deep, kind="stable")  # of several for one point the last, the deepest, is kept
        order = order[deep[order] > depth[rows[order]]]
        chosen = rows[order]
        element[chosen], place[chosen], depth[chosen] = candidates[order], found[order], deep[order]

    def _places(self, points: np.ndarray, elements: np.ndarray) -> np.ndarray:
        """(n, d) by Newton's method, from the place in the element with straight edges."""
        place = np.linalg.solve(self._edges[elements], (points - self._origin[elements])[..., None])[..., 0]
        rows = np.flatnonzero(np.abs(place).max(axis=1, initial=0.0) < FAR)
        for _ in range(STEPS):
            values, slopes = _quadratic(place[rows])
            nodes = self._nodes[:, elements[rows]]
            gap = np.einsum("an,and->nd", values, nodes) - points[rows]
            curved = np.any(np.abs(gap) > 1e-14 * (1 + np.abs(points[rows])), axis=1)
            if not curved.any():
                break
            rows, gap = rows[curved], gap[curved]
            jacobian = np.einsum("ani,and->ndi", slopes[:, curved], nodes[:, curved])
            good = np.abs(np.linalg.det(jacobian)) > 0
            rows = rows[good]
            step = np.linalg.solve(jacobian[good], gap[good][..., None])[..., 0]
            place[rows] -= np.clip(step, -0.5, 0.5)
        return place


def _quadratic(place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The functions (a, n) of the quadratic element, in scikit-fem's order, and their derivatives (a, n, d)."""
    d = place.shape[1]
    pairs = [(0, 1), (1, 2), (0, 2)] if d == 2 else [(0, 1), (1, 2), (0, 2), (0, 3), (1, 3), (2, 3)]
    weights = _barycentric(place)
    slopes = np.concatenate([-np.ones((1, d)), np.eye(d)])
    values = [w * (2 * w - 1) for w in weights] + [4 * weights[i] * weights[j] for i, j in pairs]
    derived = [(4 * w - 1)[:, None] * slope for w, slope in zip(weights, slopes, strict=True)]
    derived += [4 * (weights[i][:, None] * slopes[j] + weights[j][:, None] * slopes[i]) for i, j in pairs]
    return np.array(values), np.array(derived)


class Locators:
    """A locator for each field: of the elements where it lives."""

    def __init__(self, spaces: Spaces, patterns: np.ndarray) -> None:
        """`patterns`: (elements,) see `facets.element_patterns`."""
        made: dict[tuple[int, ...], Locator] = {}
        self._of: dict[str, Locator] = {}
        for name in spaces.system.fields:
            own = tuple(n for n, one in enumerate(spaces.system.patterns.values()) if name in one.fields)
            if own not in made:
                made[own] = Locator(spaces, np.flatnonzero(np.isin(patterns, own)))
            self._of[name] = made[own]

    def __call__(self, points: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Field -> element and place of each point, see Locator."""
        found = {locator: locator(points) for locator in dict.fromkeys(self._of.values())}
        return {name: found[locator] for name, locator in self._of.items()}


class Interpolation:
    """All fields of one mesh at points (n, d), found once, for any unknowns."""

    def __init__(self, spaces: Spaces, points: np.ndarray, locators: Locators) -> None:
        self._missing, self._values, self._rows = {}, {}, {}
        known: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        for name, (element, place) in locators(points).items():
            if id(element) not in known:
                quadratic, _ = _quadratic(place)
                known[id(element)] = quadratic, _barycentric(place)
            quadratic, weights = known[id(element)]
            self._missing[name] = element < 0
            self._values[name] = quadratic if spaces.bases[name].Nbfun == len(quadratic) else weights
            self._rows[name] = spaces.interior.rows[name][np.maximum(element, 0)]

    def __call__(
        self, states: np.ndarray, which: np.ndarray | None = None, weights: np.ndarray | None = None
    ) -> dict[str, np.ndarray]:
        """Field -> values (n,), NaN at points of no element.

        Args:
            states: (m, unknowns).
            which, weights: (n, k) the states that count at each point, and their weights; the first state by default.
        """
        found = {}
        for name, rows in self._rows.items():
            chosen = np.zeros((len(rows), 1), dtype=int) if which is None else which
            factors = np.ones((len(rows), 1)) if weights is None else weights
            values = np.zeros(len(rows))
            for column, factor in zip(chosen.T, factors.T, strict=True):
                values += factor * np.einsum("an,na->n", self._values[name], states[column[:, None], rows])
            found[name] = np.where(self._missing[name], np.nan, values)
        return found


def _barycentric(place: np.ndarray) -> np.ndarray:
    """The functions (d + 1, n) of the linear element."""
    return np.concatenate([1 - place.sum(axis=1, keepdims=True), place], axis=1).T
