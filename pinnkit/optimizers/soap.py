"""SOAP: Adam in the eigenbasis of Shampoo's preconditioner.

Vyas et al. 2024 (arXiv 2409.11321), algorithm 3; for PINNs Wang et al. 2025 (arXiv 2502.00604).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor

EPSILON = 1e-8  # added to the root of the second moment, as in Adam


class SOAP(torch.optim.Optimizer):
    """Adam on the gradient of each matrix, seen in the eigenvectors of the averages of G G' and G' G.

    For a matrix W (m, n) with gradient G, in step t = 1, 2, ...:

        M <- b1 M + (1 - b1) G
        V <- b2 V + (1 - b2) (Q_L' G Q_R)^2
        W <- W - rate Q_L [ (Q_L' M Q_R) / (1 - b1^t) / (sqrt(V / (1 - b2^t)) + 1e-8) ] Q_R'
        L <- b2 L + (1 - b2) G G'            R <- b2 R + (1 - b2) G' G

    and in every `precondition_every`-th step Q_L is updated by one orthogonal iteration towards the eigenvectors of L,
    Q_L <- qr(L Q_L), its columns sorted by q' L q and V with them; Q_R likewise. M stays in the basis of W. The first
    call to `step` moves nothing: it sets the bases to the eigenvectors of its G G' and G' G, in which that gradient is
    diagonal, so that Adam would divide rounding errors by themselves.

    Vectors and scalars (biases, learned parameters) follow Adam, from the second call on; so do sides of length 1, for
    which Q is 1. Of a parameter with more than two dimensions the last two are the matrix. Matrices of one shape form
    one batch, whose state is that of the first of them.

    Where the first G G' has a null space of two dimensions or more, rounding chooses the basis there: another order of
    the sum over points may then lead to another path of the same quality.

    Attributes:
        found_inf: None, or a tensor without dimensions; where it is not 0, `step` moves nothing and takes the gradient
            as zero, without a synchronisation with the device (as in torch's fused Adam).

    Raises ValueError for betas outside [0, 1), a rate that is not positive, or precondition_every below 1.
    """

    found_inf: Tensor | None = None

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float = 1e-2,
        betas: tuple[float, float] = (0.95, 0.999),
        precondition_every: int = 2,
    ) -> None:
        if not lr > 0.0:
            raise ValueError(f"lr = {lr}: more than 0 is needed")
        for name, beta in zip(("beta1", "beta2"), betas, strict=True):
            if not 0.0 <= beta < 1.0:
                raise ValueError(f"{name} = {beta}: at least 0 and less than 1 is needed")
        if precondition_every < 1:
            raise ValueError(f"precondition_every = {precondition_every}: at least 1 is needed")
        super().__init__(
            parameters, {"lr": lr, "betas": tuple(betas), "precondition_every": precondition_every, "step": 0}
        )

    @torch.no_grad()
    def step(self, closure: Callable[[], Tensor] | None = None) -> Tensor | None:  # type: ignore[override]
        """One step on the present gradients, or on those of the closure; returns the closure's loss."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameters in _by_shape(group["params"]):
                self._step(parameters, group)
            group["step"] += 1
        return loss

    def _step(self, parameters: list[Tensor], group: dict[str, Any]) -> None:
        """One step of parameters that form a batch of matrices (k, m, n), or one vector (n,)."""
        gradient = _joined_batch([torch.zeros_like(one) if one.grad is None else one.grad for one in parameters])
        if self.found_inf is not None:
            gradient = torch.where(self.found_inf != 0, 0.0, gradient)
        memory = self.state[parameters[0]]
        beta1, beta2 = group["betas"]
        step = group["step"]
        if step == 0:
            memory["first"], memory["second"] = torch.zeros_like(gradient), torch.zeros_like(gradient)
        else:
            first = memory["first"].lerp_(gradient, 1.0 - beta1)
            second = memory["second"].lerp_(_to_eigenbasis(gradient, memory).square_(), 1.0 - beta2)
            size = (second / (1.0 - beta2**step)).sqrt_().add_(EPSILON)
            move = _from_eigenbasis(_to_eigenbasis(first, memory).div_(size), memory).mul_(
                -group["lr"] / (1.0 - beta1**step)
            )
            if self.found_inf is not None:
                move = torch.where(self.found_inf != 0, 0.0, move)
            _add(parameters, move)
        for side in _matrix_sides(gradient):
            product = gradient @ gradient.mT if side == "left" else gradient.mT @ gradient
            if step == 0:
                memory[side] = product.mul_(1.0 - beta2)
                memory[f"{side}_basis"] = torch.linalg.eigh(memory[side]).eigenvectors.flip(-1)
            else:
                memory[side].lerp_(product, 1.0 - beta2)
                if step % group["precondition_every"] == 0:
                    _turn_basis(memory, side)


def _by_shape(parameters: Iterable[Tensor]) -> Iterator[list[Tensor]]:
    """Groups of matrices of one shape, and of all vectors and scalars; each of one dtype on one device."""
    found: dict[Any, list[Tensor]] = {}
    for one in parameters:
        shape = one.shape[-2:] if one.ndim >= 2 else None
        found.setdefault((shape, one.dtype, one.device), []).append(one)
    yield from found.values()


def _joined_batch(tensors: list[Tensor]) -> Tensor:
    """A copy of the tensors as one batch of matrices (k, m, n), or as one vector (n,)."""
    if tensors[0].ndim < 2:
        return torch.cat([one.reshape(-1) for one in tensors])
    return torch.cat([one.reshape(-1, *one.shape[-2:]) for one in tensors])


def _add(parameters: list[Tensor], move: Tensor) -> None:
    """Add to each parameter its part of a joined batch."""
    counts = [one.numel() if one.ndim < 2 else one[..., 0, 0].numel() for one in parameters]
    torch._foreach_add_(
        parameters, [part.reshape(one.shape) for one, part in zip(parameters, move.split(counts), strict=True)]
    )


def _matrix_sides(gradient: Tensor) -> Iterator[str]:
    """The sides of the matrices that have a basis: those longer than 1."""
    if gradient.ndim == 3:
        yield from (side for side, length in zip(("left", "right"), gradient.shape[1:], strict=True) if length > 1)


def _to_eigenbasis(matrices: Tensor, memory: dict[str, Tensor]) -> Tensor:
    """Q_L' A Q_R, always a new tensor."""
    if "left" in memory:
        matrices = memory["left_basis"].mT @ matrices
    if "right" in memory:
        return matrices @ memory["right_basis"]
    return matrices if "left" in memory else matrices.clone()


def _from_eigenbasis(matrices: Tensor, memory: dict[str, Tensor]) -> Tensor:
    """Q_L A Q_R'."""
    if "left" in memory:
        matrices = memory["left_basis"] @ matrices
    return matrices @ memory["right_basis"].mT if "right" in memory else matrices


def _turn_basis(memory: dict[str, Tensor], side: str) -> None:
    """Update a basis by one orthogonal iteration; the second moment follows the order of its columns."""
    basis = memory[f"{side}_basis"]
    product = memory[side] @ basis
    order = (basis * product).sum(-2).argsort(dim=-1, descending=True, stable=True)  # (k, m): by q' L q
    columns = order[:, None, :]
    memory[f"{side}_basis"] = torch.linalg.qr(product.gather(-1, columns.expand_as(product))).Q
    second = memory["second"]
    index = order[:, :, None] if side == "left" else columns
    memory["second"] = second.gather(-2 if side == "left" else -1, index.expand_as(second))
