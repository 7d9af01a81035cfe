"""The residuals of all terms and their Jacobian by the trained parameters: what Gauss-Newton methods ask for.

r (N,) holds the residual of every term at every point, times sqrt(weight * share * the point's weight), so that
|r|^2 is the objective and 2 J'r its gradient. A point's residuals depend on that point alone, so the step for one point
is recorded (gradients included), and `torch.vmap` of the recording gives the rows of J for a chunk of points.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.fx import GraphModule

from pinnkit.engines.chunks import Inputs, Prepared
from pinnkit.engines.evaluator import Evaluator
from pinnkit.engines.sums import OneProcess, Sums
from pinnkit.engines.unsupported import EngineUnsupported
from pinnkit.losses.residuals import TermGroup
from pinnkit.operators.compiled import CompilationError, compile_graph
from pinnkit.operators.trace import Untraceable, check_traceable, record_graph
from pinnkit.optimizers.least_squares import lower_product
from pinnkit.sampling.point_set import PointSet

log = logging.getLogger(__name__)

JACOBIAN_BYTES = 2**24
"""Size of the rows of J of a chunk of points on a CPU: large enough for the matrix products, small for a cache."""
JACOBIAN_BYTES_GPU = 2**28
A_FEW = 64
"""Points by which the recording is compared with the gradient."""


class Jacobian:
    """Computes J'J, the rows of J, r, or products with J'J, in chunks, with the derivatives of an evaluator's engine.

    Raises (when called first):
        EngineUnsupported: the network cannot be recorded, or a residual is no function of its point alone.
    """

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator
        self.size = sum(one.numel() for one in evaluator.parameters)
        self.compiled: dict[tuple, Callable[..., Any]] = {}

    def prepare(self, batches: Mapping[str, PointSet]) -> Prepared:
        """Cut the points of a draw into chunks of which the rows of J fit."""
        like = self.evaluator.constants
        space = JACOBIAN_BYTES if like.device.type == "cpu" else JACOBIAN_BYTES_GPU
        terms = max(len(group.terms) for group in self.evaluator.groups)
        return self.evaluator.prepare(batches, max(space // (self.size * like.element_size() * terms), 16))

    def verify(self, batches: Mapping[str, PointSet], weights: Tensor) -> None:
        """Compare 2 J'r with the gradient of the objective, at a few points, by the size of its terms, 2 |J|'|r|.

        Near a solution the terms cancel, and rounding may be a large part of what is left.

        Raises:
            EngineUnsupported: they differ.
        """
        few = {name: batch.take(slice(0, A_FEW)) for name, batch in batches.items()}
        _, expected = self.evaluator(self.evaluator.prepare(few), weights)
        r, rows = self.at([self.evaluator.prepare(few)], weights).rows()
        if not torch.isfinite(expected).all():
            return  # the first evaluation of the step tells where
        error = float((2 * rows.T @ r - expected).abs().max())
        size = max(float((2 * rows.abs().T @ r.abs()).max()), float(expected.abs().max()))
        if not error <= torch.finfo(expected.dtype).eps ** 0.5 * max(size, torch.finfo(expected.dtype).tiny):
            raise EngineUnsupported(
                f"a gradient made of single points differs by {error / size:.1e} of its terms from that of all points "
                "at once, as happens where a residual or the network mixes points (a mean over them, a batch norm)"
            )

    def at(self, shards: Sequence[Prepared], weights: Tensor, ranks: Sums | None = None) -> Linearisation:
        """The least-squares problem at the parameters' present values, which it reads when it is asked.

        Args:
            shards: this rank's points; r and J are those of all ranks.
            ranks: sums over ranks and shards; None: there is one of each.
        """
        return Linearisation(self, tuple(shards), weights, ranks or OneProcess())

    # ------------------------------------------------------------ what is computed for a chunk

    def _rows(self, prepared: Prepared) -> Callable[..., tuple[Tensor, Tensor]]:
        """(parameters, weights, constants, chunk) -> r (rows,), J (rows, n)."""
        one_point = {group.name: self._recorded(group, prepared) for group in self.evaluator.groups}
        count = len(self.evaluator.names)

        def rows(*inputs: Tensor) -> tuple[Tensor, Tensor]:
            parameters, (weights, constants, *rest) = inputs[:count], inputs[count:]
            residuals, jacobians, place = [], [], 0
            batches = prepared.unpacked(rest)
            for group in self.evaluator.groups:
                batch = batches[group.name]
                points = _without_shares(batch)
                over = (None,) * (count + 1) + (0,) * len(points)
                r, jacobian = torch.vmap(one_point[group.name], in_dims=over)(
                    *parameters, constants, *(one.unsqueeze(1) for one in points.values())
                )
                scale = (_shares(batch) * weights[place : place + len(group.terms)]).sqrt()
                place += len(group.terms)
                residuals.append((r * scale).flatten())
                jacobians.append((jacobian * scale.unsqueeze(2)).flatten(0, 1))
            return torch.cat(residuals), torch.cat(jacobians)

        return rows

    def _traces(self, prepared: Prepared) -> Callable[..., tuple[Tensor]]:
        """(parameters, weights, constants, chunk) -> the sum of the squares of each term's rows of J, (terms,)."""
        rows, place = self._rows(prepared), len(self.evaluator.names) + 2

        def traces(*inputs: Tensor) -> tuple[Tensor]:
            squares = rows(*inputs)[1].square().sum(dim=1)
            batches = prepared.unpacked(inputs[place:])
            counts = [(len(batches[one.name]), len(one.terms)) for one in self.evaluator.groups]
            parts = squares.split([points * terms for points, terms in counts])
            return (torch.cat([part.view(size).sum(dim=0) for part, size in zip(parts, counts, strict=True)]),)

        return traces

    def _residuals(self, prepared: Prepared) -> Callable[..., tuple[Tensor]]:
        """(parameters, weights, constants, chunk) -> r (rows,), in the order of `_rows`, without J."""
        evaluator = self.evaluator
        count = len(evaluator.names)

        def residuals(*inputs: Tensor) -> tuple[Tensor]:
            parameters, (weights, constants, *rest) = list(inputs[:count]), inputs[count:]
            batches, place, parts = prepared.unpacked(rest), 0, []
            found = evaluator.residuals(parameters, constants, batches)
            for group in evaluator.groups:
                scale = (_shares(batches[group.name]) * weights[place : place + len(group.terms)]).sqrt()
                place += len(group.terms)
                parts.append((torch.cat(found[group.name], 1) * scale).flatten())
            return (torch.cat(parts).detach(),)

        return residuals

    def _product(self, prepared: Prepared) -> Callable[..., tuple[Tensor]]:
        """(parameters, weights, constants, v, chunk) -> J'J v (n,), without J: reverse mode three times."""
        evaluator = self.evaluator
        count = len(evaluator.names)
        sizes = [one.numel() for one in evaluator.parameters]

        @torch.enable_grad()  # an optimizer asks for it inside its step, without gradients
        def product(*inputs: Tensor) -> tuple[Tensor]:
            parameters = [one.detach().requires_grad_() for one in inputs[:count]]
            weights, constants, vector, *chunk = inputs[count:]
            parts = [part.view_as(one) for part, one in zip(vector.split(sizes), parameters, strict=True)]
            r = evaluator.scaled_residuals(prepared, parameters, weights, constants, chunk)
            dual = torch.zeros_like(r, requires_grad=True)
            back = torch.autograd.grad(r, parameters, dual, create_graph=True, materialize_grads=True)
            (along,) = torch.autograd.grad(back, dual, parts)  # J v
            found = torch.autograd.grad(r, parameters, along, materialize_grads=True)
            return (torch.cat([one.flatten() for one in found]),)

        return product

    def _recorded(self, group: TermGroup, prepared: Prepared) -> GraphModule:
        """(parameters, constants, the arrays of one point) -> residuals (terms,), gradients (terms, n)."""
        evaluator = self.evaluator
        points = _without_shares(prepared.unpacked(prepared.chunks[0])[group.name])
        count = len(evaluator.names)

        def one_point(*inputs: Tensor) -> tuple[Tensor, Tensor]:
            parameters = [one.detach().requires_grad_() for one in inputs[:count]]
            constants, *point = inputs[count:]
            batch = {group.name: PointSet.of_arrays(dict(zip(points, point, strict=True)))}
            found = evaluator.residuals(parameters, constants, batch)[group.name]
            gradients = []
            for residual in found:
                parts = torch.autograd.grad(residual, parameters, retain_graph=True, materialize_grads=True)
                gradients.append(torch.cat([part.flatten() for part in parts]))
            return torch.cat([one.detach().flatten() for one in found]), torch.stack(gradients)

        inputs = [*(one.detach() for one in evaluator.parameters), evaluator.constants]
        return record_graph(one_point, [*inputs, *(one[:1] for one in points.values())])

    # ------------------------------------------------------------ compiling

    def function(self, kind: str, prepared: Prepared, head: Inputs) -> Callable[..., Any]:
        """The function of a kind, rows, residuals or product, for chunks of this shape."""
        key = (kind, *prepared.structure)
        if key not in self.compiled:
            with self.evaluator.compile_time.counted():
                self.compiled[key] = self._build(kind, prepared, [*head, *prepared.chunks[0]])
        return self.compiled[key]

    def _build(self, kind: str, prepared: Prepared, inputs: Inputs) -> Callable[..., Any]:
        """Record the function of a kind, and compile it where the engine is a compiled one."""
        make = {"rows": self._rows, "traces": self._traces, "residuals": self._residuals, "product": self._product}[
            kind
        ]
        try:
            check_traceable(self.evaluator.model.network, prepared.chunks[0][0])
            graph = record_graph(make(prepared), inputs)
        except Untraceable as error:
            raise EngineUnsupported(f"{error}") from error
        if self.evaluator.engine == "autograd" or kind == "traces":  # few points, now and then: no compilation pays
            return graph
        log.info("compiling the residuals' derivatives by the parameters")
        try:
            return compile_graph(graph, inputs)
        except CompilationError:
            return record_graph(make(prepared), inputs)  # the compiler has taken the first one over


@dataclass(frozen=True)
class Linearisation:
    """The objective |r|^2 near the present parameters."""

    jacobian: Jacobian
    shards: tuple[Prepared, ...]
    weights: Tensor
    ranks: Sums

    def gram(self) -> tuple[Tensor, Tensor]:
        """J'J (n, n) and J'r (n,)."""
        rows = self._function("rows", self._head())
        found = self.jacobian.evaluator.sums(lambda chunk: _gram(*rows(chunk)), self.shards)
        lower, gradient = self.ranks.total(found)
        lower.tril_()
        return lower + lower.tril(-1).T, gradient

    def traces(self) -> Tensor:
        """The sum of the squares of each term's rows of J, (terms,)."""
        rows = self._function("traces", self._head())
        return self.ranks.total(self.jacobian.evaluator.sums(rows, self.shards))[0]

    def rows(self) -> tuple[Tensor, Tensor]:
        """r (N,) and J (N, n)."""
        r, jacobian = self._filled("rows", (), (self.jacobian.size,))
        return r, jacobian

    def residuals(self) -> Tensor:
        """r (N,)."""
        return self._filled("residuals", ())[0]

    def _filled(self, kind: str, *shapes: tuple[int, ...]) -> list[Tensor]:
        """The results of a function of chunks, each row by row; shapes: of a row of each."""
        function = self._function(kind, self._head())
        chunks = [chunk for shard in self.shards for chunk in shard.chunks]
        each = self.rows_shape()[0] // (self.ranks.count * len(chunks))
        found = [self.weights.new_empty(each * len(chunks), *shape) for shape in shapes]

        def fill(number: int) -> None:
            for whole, part in zip(found, function(chunks[number]), strict=True):
                whole[number * each : (number + 1) * each] = part

        self.jacobian.evaluator.workers.all(fill, range(len(chunks)))
        return [self.ranks.rows(one) for one in found]

    def rows_shape(self) -> tuple[int, int]:
        """(N, n) of J, without computing it."""
        prepared = self.shards[0]
        batches = prepared.unpacked(prepared.chunks[0])
        rows = sum(len(batches[group.name]) * len(group.terms) for group in self.jacobian.evaluator.groups)
        return rows * len(prepared.chunks) * len(self.shards) * self.ranks.count, self.jacobian.size

    def product(self, vector: Tensor) -> Tensor:
        """J'J v (n,)."""
        function = self._function("product", [*self._head(), vector])
        return self.ranks.total(self.jacobian.evaluator.sums(function, self.shards))[0]

    def _head(self) -> Inputs:
        evaluator = self.jacobian.evaluator
        return [*(one.detach() for one in evaluator.parameters), self.weights, evaluator.constants]

    def _function(self, kind: str, head: Inputs) -> Callable[[Inputs], Any]:
        function = self.jacobian.function(kind, self.shards[0], head)
        return lambda chunk: function(*head, *chunk)


def _gram(r: Tensor, jacobian: Tensor) -> tuple[Tensor, Tensor]:
    """J'J (n, n), of which only the lower triangle and little more is computed, and J'r (n,)."""
    return lower_product(jacobian.T), jacobian.T @ r


def _shares(batch: PointSet) -> Tensor:
    """The share of each point of a chunk in the mean, (n, 1)."""
    assert batch.shares is not None
    return batch.shares


def _without_shares(batch: PointSet) -> dict[str, Tensor]:
    """The arrays by which the residuals of a chunk's points are computed, by name."""
    return replace(batch, shares=None).arrays()
