"""Newton's method for the unknowns of a discretization."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import SuperLU, splu

from pinnkit.references.budget import Budget
from pinnkit.references.fem.unsupported import unsupported

MOST_STEPS = 25
TOLERANCE = 1e-7
"""Relative size of the last step, whose square is about the error that is left."""
SIMPLIFIED_TOLERANCE = 1e-9
"""The same with a matrix that is kept: steps then fall by a factor alone."""
SHRINKS, REFRESHED = 0.3, 3
"""The least factor by which steps fall before a new matrix is made, and how often one is."""
HALVINGS = 8
ROUNDING = 1e-10
PIVOT = 1e-3
"""A pivot that is this much smaller than others of its column is kept, for the sake of the order."""
LinearSolver = Callable[[sparse.csc_matrix], Callable[[np.ndarray], np.ndarray]]
"""A matrix -> the solution of systems with it."""
STAGES = 2, 4, 8
"""Steps of the continuation in the nonlinear part, tried in turn."""


class NotConverged(Exception):
    """Newton's method found no solution."""


def factorised(
    matrix: sparse.csc_matrix, constants: np.ndarray, order: np.ndarray
) -> Callable[[np.ndarray], np.ndarray]:
    """b -> x with matrix x + constants^T m = b and constants x = 0.

    Args:
        constants: (k, n), row by row the integrals of the functions of a field that is determined up to a constant.
        order: (n,) in which unknowns are eliminated, see `ordering`.

    Raises:
        UnsupportedProblem: the matrix is singular.
    """
    if not len(constants):
        return _factors(matrix, order)
    fields = (constants != 0).astype(float)
    if np.abs(fields @ matrix).max() > ROUNDING * np.abs(matrix.data).max():
        border = sparse.csr_matrix(constants)
        order = np.concatenate([order, np.arange(len(order), len(order) + len(constants))])
        blocks = [[matrix, border.T], [border, None]]
        bordered = _factors(cast(Any, sparse.bmat(cast(Any, blocks), format="csc")), order)
        return lambda right: bordered(np.concatenate([right, np.zeros(len(constants))]))[: len(right)]
    # the sums of the rows vanish, so that m is known, and one unknown of each field may be held; a full row or column
    # would make the factors dense
    held = np.argmax(fields, axis=1)
    pins = sparse.csc_matrix((np.full(len(held), np.abs(matrix.data).max()), (held, held)), shape=matrix.shape)
    pinned = _factors((matrix + pins).tocsc(), order)
    sizes = np.sum(constants, axis=1, keepdims=True)

    def solve(right: np.ndarray) -> np.ndarray:
        found = pinned(right - constants.T @ ((fields @ right) / sizes[:, 0]))
        return found - fields.T @ ((constants @ found) / sizes[:, 0])

    return solve


def _factors(matrix: sparse.csc_matrix, order: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    try:
        ordered = matrix[order][:, order].tocsc()
        options = {"SymmetricMode": True}
        factors: SuperLU = splu(ordered, permc_spec="NATURAL", diag_pivot_thresh=PIVOT, options=options)
    except RuntimeError:
        raise unsupported(
            "the conditions do not determine the fields: the equations on the mesh are singular"
        ) from None

    def solve(right: np.ndarray) -> np.ndarray:
        found = np.empty_like(right)
        found[order] = factors.solve(right[order])
        correction = factors.solve((right - matrix @ found)[order])
        found[order] += correction  # for the pivots that are kept though they are small
        return found

    return solve


def newton(
    residual: Callable[[np.ndarray], np.ndarray],
    jacobian: Callable[[np.ndarray], sparse.csc_matrix],
    start: np.ndarray,
    solver: LinearSolver,
    budget: Budget,
    linear: bool,
) -> np.ndarray:
    """The free unknowns at which the residual is zero.

    Raises:
        NotConverged: none was found from this start.
    """
    z, value = start, residual(start)
    for _ in range(MOST_STEPS):
        budget.check_time()
        if not np.all(np.isfinite(value)):
            raise NotConverged
        step = solver(jacobian(z))(-value)
        if linear:
            return z + step
        size = np.linalg.norm(step)
        fraction = 1.0
        for _ in range(HALVINGS):
            following = residual(z + fraction * step)
            if np.linalg.norm(following) < (1 - fraction / 4) * np.linalg.norm(value) or not size:
                break
            if size < 1e-7 * np.linalg.norm(z):  # rounding
                break
            fraction /= 2
        else:
            raise NotConverged
        z, value = z + fraction * step, following
        if size == 0 or (fraction == 1.0 and size <= TOLERANCE * np.linalg.norm(z)):
            return z
    raise NotConverged


def continued(
    residual: Callable[[np.ndarray], np.ndarray],
    jacobian: Callable[[np.ndarray], sparse.csc_matrix],
    start: np.ndarray,
    solver: LinearSolver,
    budget: Budget,
    linear: bool,
) -> np.ndarray:
    """`newton`, where it fails by continuation from the equations linearised about the start.

    (1 - s) (R(z_0) + R'(z_0) (z - z_0)) + s R(z) = 0 for s from 0 to 1.

    Raises:
        NotConverged: it fails with the smallest steps in s too.
    """
    try:
        return newton(residual, jacobian, start, solver, budget, linear)
    except NotConverged:
        first, slope = residual(start), jacobian(start)
    for count in STAGES:
        z = start
        try:
            for stage in range(count + 1):
                s = stage / count

                def blended(z: np.ndarray, s: float = s) -> np.ndarray:
                    return (1 - s) * (first + slope @ (z - start)) + s * residual(z)

                def blended_slope(z: np.ndarray, s: float = s) -> sparse.csc_matrix:
                    return (1 - s) * slope + s * jacobian(z)

                z = newton(blended, blended_slope, z, solver, budget, stage == 0)
        except NotConverged:
            continue
        return z
    raise NotConverged


def simplified_newton(
    residual: Callable[[np.ndarray], np.ndarray],
    jacobian: Callable[[np.ndarray], sparse.csc_matrix],
    start: np.ndarray,
    solver: LinearSolver,
    budget: Budget,
    known: Callable[[np.ndarray], np.ndarray] | None,
) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """The free unknowns at which the residual is zero, with one factorised matrix for as long as steps shrink.

    Args:
        known: the solution of systems with a matrix nearby; None: with that at the start.

    Returns:
        The unknowns, and the solution of systems with the last matrix.

    Raises:
        NotConverged: Newton's method fails too.
    """
    z, solve = start, known
    for _ in range(REFRESHED):
        if solve is None:
            solve = solver(jacobian(z))
        former = np.inf
        for _ in range(MOST_STEPS):
            budget.check_time()
            step = solve(-residual(z))
            size = float(np.linalg.norm(step))
            if not size < SHRINKS * former:
                break
            z, former = z + step, size
            if size <= SIMPLIFIED_TOLERANCE * np.linalg.norm(z):
                return z, solve
        z, solve = (z if np.isfinite(former) else start), None
    return newton(residual, jacobian, start, solver, budget, linear=False), solver(jacobian(z))
