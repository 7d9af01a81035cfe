"""Levenberg-Marquardt: the damped Gauss-Newton method with matrices of the parameters.

Levenberg 1944; Marquardt 1963; Madsen, Nielsen and Tingleff, Methods for Non-Linear Least Squares Problems (2004).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import torch

from pinnkit.optimizers.least_squares import LeastSquares, LeastSquaresOptimizer, Model, Trial
from pinnkit.optimizers.threads import torch_threads

SOLVERS = ("dense", "cg")


class DenseModel(Model):
    """(J'J + mu I) d = J'r by a Cholesky factorisation of the n x n matrix, one for each mu."""

    def __init__(self, gram: torch.Tensor, gradient: torch.Tensor, threads: int | None = None) -> None:
        self._gram, self._gradient, self._threads = gram, gradient, threads
        self._diagonal = gram.diagonal().clone()
        self._pivots = self._diagonal
        self.scale = float(self._diagonal.max())

    def solve(self, damping: float) -> torch.Tensor:
        with torch_threads(self._threads):
            d, self._pivots = damped_solution(self._gram, self._diagonal, damping, self._gradient)
        return d

    def diagnostics(self) -> dict[str, float]:
        return {"condition": condition(self._pivots)}


def damped_solution(
    matrix: torch.Tensor, diagonal: torch.Tensor, damping: float, right: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Solve (matrix + damping I) x = right by Cholesky.

    Args:
        matrix: (n, n); its diagonal is overwritten.
        diagonal: (n,), the diagonal of the undamped matrix.
        right: (n,).

    Returns:
        x (n,), NaN where the damped matrix is not positive definite, and the diagonal of its factor. Nothing here waits
        for the device.
    """
    matrix.diagonal().copy_(diagonal + damping)
    factor, info = torch.linalg.cholesky_ex(matrix)
    x = torch.cholesky_solve(right[:, None], factor)[:, 0]
    return torch.where(info == 0, x, math.nan), factor.diagonal()


def condition(pivots: torch.Tensor) -> float:
    """(max / min)^2 of the diagonal (n,) of a Cholesky factor: a lower bound of the condition of the matrix."""
    return float((pivots.max() / pivots.min()) ** 2)


class KrylovModel(Model):
    """(J'J + mu I) d = J'r by conjugate gradients in the form of Lanczos, with products J'J v only.

    Orthonormal V (k, n) spans J'r, (J'J) J'r, ..., and V J'J V' = T is tridiagonal, so that

        d = V' (T + mu I)^-1 e_1 |J'r|

    is the k-th iterate of conjugate gradients for every mu at once, so another mu needs few further products. V is kept
    orthogonal (Gram-Schmidt, twice), which saves products where the matrix is ill-conditioned; it takes k n numbers.

    Sources: Golub and Van Loan, Matrix Computations (2013), 10.2 and 11.3; Frommer and Maass, SIAM J. Sci. Comput. 20
    (1999), on the shifts.
    """

    def __init__(
        self,
        product: Callable[[torch.Tensor], torch.Tensor],
        gradient: torch.Tensor,
        max_iterations: int,
        tolerance: float,
    ) -> None:
        self._product = product
        self._tolerance = tolerance
        self._length = float(gradient.norm())
        self._basis = gradient.new_empty(min(max_iterations, len(gradient)), len(gradient))
        self._basis[0] = gradient / self._length
        self._alphas: list[float] = []  # diagonal of T
        self._betas: list[float] = []  # off-diagonal of T; the last one belongs to the vector after V
        self._next = gradient
        self._condition = math.nan
        self._extend()
        self.scale = self._alphas[0]

    def solve(self, damping: float) -> torch.Tensor:
        while not self._converged(damping):
            self._basis[len(self._alphas)] = self._next / self._betas[-1]
            self._extend()
        k = len(self._alphas)
        off = torch.tensor(self._betas[:-1], dtype=torch.float64)
        tridiagonal = torch.diag(torch.tensor(self._alphas, dtype=torch.float64))
        tridiagonal += torch.diag(off, 1) + torch.diag(off, -1)
        values, vectors = torch.linalg.eigh(tridiagonal)
        damped = values.clamp(min=0.0) + damping  # J'J has no negative eigenvalue, except by rounding
        self._condition = float(damped[-1] / damped[0])
        y = vectors @ (vectors[0] * (self._length / damped))
        return self._basis[:k].T @ y.to(self._basis)

    def diagnostics(self) -> dict[str, float]:
        return {"condition": self._condition, "cg_iterations": float(len(self._alphas))}

    def _extend(self) -> None:
        """Add a row and a column to T, by one product."""
        basis = self._basis[: len(self._alphas) + 1]
        image = self._product(basis[-1])
        alpha = torch.dot(basis[-1], image)
        for _ in range(2):
            image = image - basis.T @ (basis @ image)
        found, beta = torch.stack((alpha, image.norm())).tolist()
        self._alphas.append(found)
        self._betas.append(beta)
        self._next = image

    def _converged(self, damping: float) -> bool:
        """Whether |J'r - (J'J + mu I) d| <= tolerance |J'r|, or no product can lower it.

        With the pivots p_1 = a_1 + mu, p_j+1 = a_j+1 + mu - b_j^2 / p_j of T + mu I, that ratio is the product of the
        b_j / p_j; a pivot that is not positive is curvature lost in rounding.
        """
        eps = torch.finfo(self._basis.dtype).eps
        if len(self._alphas) == len(self._basis) or not self._betas[-1] > eps * max(self._alphas):
            return True
        ratio, pivot, before = 1.0, math.inf, 0.0
        for alpha, beta in zip(self._alphas, self._betas, strict=True):
            pivot = alpha + damping - before * before / pivot
            if not pivot > 0.0:
                return True
            ratio *= beta / pivot
            before = beta
        return ratio <= self._tolerance


class GaussNewton(LeastSquaresOptimizer):
    """Levenberg-Marquardt: theta - d with (J'J + mu I) d = J'r, and mu by trials (see `LeastSquaresOptimizer`).

    solver "dense" takes `system.gram()` and a Cholesky factorisation a trial: 2 n^2 numbers of memory, and N n^2 +
    n^3 / 3 operations. "cg" takes products J'J v only, at most `cg_iterations` a step, until the residual of the
    linear system is below `cg_tolerance` |J'r|: cg_iterations n numbers. Then mu starts from the Rayleigh quotient of
    J'J at J'r instead of its largest diagonal entry, and diagnostics hold `cg_iterations` too.

    Raises ValueError at construction for an unknown solver, and for more than `max_parameters` parameters of "dense".
    """

    def __init__(
        self,
        parameters: Iterable[torch.Tensor],
        solver: str = "dense",
        *,
        max_parameters: int = 6000,
        max_evaluations: int = 25,
        cg_iterations: int = 200,
        cg_tolerance: float = 1e-7,
    ) -> None:
        if solver not in SOLVERS:
            raise ValueError(f"unknown solver {solver!r}; the solvers are {', '.join(SOLVERS)}")
        super().__init__(parameters, "gauss_newton", max_evaluations)
        self.solver = solver
        self._cg_iterations, self._cg_tolerance = cg_iterations, cg_tolerance
        if solver == "dense" and self._n > max_parameters:
            gigabytes = 2 * self._n**2 * self._parameters[0].element_size() / 1e9
            raise ValueError(
                f"gauss_newton would keep two dense {self._n} x {self._n} matrices ({gigabytes:.3g} GB), and "
                f"max_parameters = {max_parameters}: use a smaller network, raise max_parameters if that memory is "
                "there, or take engd_w or spring (matrices of the points), solver cg (products only), lbfgs or adam"
            )

    def _build_model(self, system: LeastSquares, gradient: torch.Tensor) -> Model:
        if self.solver == "cg":
            return KrylovModel(system.product, gradient, self._cg_iterations, self._cg_tolerance)
        return DenseModel(*system.gram(), self._threads)

    def _find_step(self, closure: Callable[[], torch.Tensor], model: Model, origin: torch.Tensor) -> Trial | str:
        return self._damped_steps(closure, model, origin)
