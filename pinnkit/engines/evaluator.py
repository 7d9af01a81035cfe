"""Losses and their gradient at the present parameters, by any engine, in chunks."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from pinnkit.engines.chunks import Inputs, Prepared
from pinnkit.engines.model import Model
from pinnkit.engines.unsupported import EngineUnsupported
from pinnkit.losses.objective import Objective
from pinnkit.losses.residuals import TermGroup
from pinnkit.operators.compiled import CompilationError, CompileTime, compile_graph
from pinnkit.operators.derivatives import derivatives
from pinnkit.operators.jets import TaylorMode
from pinnkit.operators.memory import out_of_memory
from pinnkit.operators.rules.common import MissingRuleError
from pinnkit.operators.trace import BoundNetwork, Untraceable, check_traceable, first_line, record_graph
from pinnkit.operators.workers import Workers, summed
from pinnkit.optimizers.threads import torch_threads
from pinnkit.sampling.point_set import PointSet

log = logging.getLogger(__name__)

COMPILED_BYTES = 2**18
"""Size of one array of a chunk, (points, width), at which compiled code keeps its data in a core's cache."""
EAGER_BYTES = 2**22
"""The same for nested autograd, which keeps many such arrays; larger sets are cut to bound the memory."""
EAGER_BYTES_GPU = 2**28


class Evaluator:
    """Computes (losses (terms,), gradient of the objective (parameters,)) with one engine.

    All engines run the same function of tensors, `_step`: as it is (`autograd`), or recorded once and compiled
    (`compiled`, `jets`). Every group of points is cut into the same number of chunks, padded to one shape by points
    whose share in the mean is zero; losses and gradients are summed over the chunks.

    Args:
        engine: autograd, compiled or jets.
        chunk: points of a group in one chunk at most; None: a size for cache and memory.
        directions: see `Operators`.
        threads: how many chunks compiled code works on at once, on a CPU.
        sharded: sums must be the same on any number of threads.
        compile_time: to which the time of recording and compiling is added.
    """

    def __init__(
        self,
        model: Model,
        groups: Sequence[TermGroup],
        engine: str,
        width: int,
        chunk: int | None = None,
        directions: int | None = None,
        threads: int = 1,
        sharded: bool = False,
        compile_time: CompileTime | None = None,
    ) -> None:
        self.compile_time = compile_time or CompileTime()
        self.model, self.groups, self.engine, self.sharded = model, tuple(groups), engine, sharded
        self.chunk, self.width, self.directions, self.threads = chunk, width, directions, threads
        self.rule = TaylorMode() if engine == "jets" else derivatives
        self.objective = Objective(groups, self.rule, together=engine == "jets", directions=directions)
        trainable = model.trainable()
        self.names, self.parameters = list(trainable), list(trainable.values())
        self.renew_constants()
        # CUDA graphs belong to the thread that has recorded them; a GPU is filled by one.
        self.workers = Workers(threads if engine != "autograd" and self.constants.device.type == "cpu" else 1)
        self.compiled: dict[tuple, Callable[..., Any]] = {}
        self.warning: str | None = None
        """Why recorded code runs without a compiler, where it does."""

    def renew_constants(self) -> None:
        """Take the present values of the problem's parameters, and the present window of time."""
        self.constants = self.model.constants(self.parameters[0])

    @contextmanager
    def threading(self) -> Iterator[None]:
        """One thread for torch's own operations where each worker has a core's work of its own, or sums are sharded."""
        alone = self.sharded or (self.engine != "autograd" and self.constants.device.type == "cpu")
        with torch_threads(1 if alone else None):
            yield

    # ------------------------------------------------------------ points

    def prepare(self, batches: Mapping[str, PointSet], size: int | None = None) -> Prepared:
        """Cut the points of a draw into chunks of at most `size` points of a group; None: `chunk_size`.

        The points at which integrals are evaluated count too.
        """
        first = next(iter(batches.values())).coordinates
        costs = {group.name: group.cost for group in self.groups}
        largest = max(len(batch) * costs.get(name, 1) for name, batch in batches.items())
        count = math.ceil(largest / (size or self.chunk_size(first)))
        count = max(1, min(count, max(map(len, batches.values()))))
        if self.workers.count > 1 and not self.sharded:
            count = math.ceil(count / self.workers.count) * self.workers.count
        return Prepared.of(batches, [group.name for group in self.groups], count)

    def chunk_size(self, like: Tensor) -> int:
        """Points of a group in one chunk at most."""
        if self.chunk is not None:
            return self.chunk
        if like.device.type != "cpu":
            size = EAGER_BYTES_GPU
        else:
            size = EAGER_BYTES if self.engine == "autograd" else COMPILED_BYTES
        return max(size // (self.width * like.element_size()), 64)

    def draw_directions(self, seed: int, step: int) -> Inputs:
        """Two independent samples of coordinates, scaled so that v v' has the identity as its mean; (k, d) each."""
        if not self.objective.estimated:
            return []
        like = self.constants
        names = self.model.problem.coordinates
        axes = [names.index(name) for name in self.model.problem.space]
        generator = np.random.Generator(np.random.Philox(key=[seed, step]))
        found = []
        for _ in range(2):
            count = cast(int, self.directions)
            chosen = generator.choice(axes, count, replace=False)
            rows = np.zeros((count, len(names)))
            rows[np.arange(count), chosen] = math.sqrt(len(axes) / count)
            found.append(torch.as_tensor(rows, dtype=like.dtype, device=like.device))
        return found

    # ------------------------------------------------------------ evaluation

    def __call__(
        self, prepared: Prepared, weights: Tensor, directions: Sequence[Tensor] = (), at: Inputs | None = None
    ) -> tuple[Tensor, Tensor]:
        """Losses and the gradient of the sum of weight * loss.

        Args:
            at: values of the trained parameters; None: their own.
        """
        ((losses, gradient),) = self.each([prepared], weights, directions, at)
        return losses, gradient

    def each(
        self, shards: Sequence[Prepared], weights: Tensor, directions: Sequence[Tensor] = (), at: Inputs | None = None
    ) -> list[list[Tensor]]:
        """The same for each of several sets of points, cut into chunks of one shape."""
        prepared = shards[0]
        parameters: Sequence[Tensor] = self.parameters if at is None else at
        head = [*(one.detach() for one in parameters), weights, self.constants, *directions]
        if self.engine == "autograd":
            if at is not None:
                parameters = [one.detach().requires_grad_() for one in at]

            def function(*inputs: Tensor) -> tuple[Tensor, Tensor]:
                rest = list(inputs[len(head) :])
                return self._step(prepared, parameters, [*parameters, *head[len(parameters) :]], rest, at is not None)

        else:
            function = self._function(prepared, head)
        return self.sums(lambda chunk: function(*head, *chunk), shards)

    def term_gradients(self, shards: Sequence[Prepared], directions: Sequence[Tensor] = ()) -> list[list[Tensor]]:
        """For each of several sets of points the gradient of each unweighted loss, (terms, parameters).

        It takes an evaluation for each term, with the weight 1 for this term and 0 for the others.
        """
        units = torch.eye(len(self.objective.terms), dtype=self.constants.dtype, device=self.constants.device)
        found = [self.each(shards, unit, directions) for unit in units]
        return [[torch.stack([of_term[shard][1] for of_term in found])] for shard in range(len(shards))]

    def sums(self, function: Callable[[Inputs], Sequence[Tensor]], shards: Sequence[Prepared]) -> list[list[Tensor]]:
        """The sums of function(chunk) over the chunks of each shard: a thread has whole shards, or chunks of one."""
        if self.sharded:
            return self.workers.all(lambda shard: summed(function, shard.chunks), shards)
        return [self.workers.total(function, shard.chunks) for shard in shards]

    def _step(
        self, prepared: Prepared, parameters: Sequence[Tensor], head: Inputs, chunk: Inputs, bound: bool = True
    ) -> tuple[Tensor, Tensor]:
        """Losses and gradient of one chunk.

        Args:
            parameters: what the gradient is taken by.
            head: these, weights, constants and directions.
            bound: the parameters stand in for the network's own.
        """
        weights, constants, *directions = head[len(parameters) :]
        batches = prepared.unpacked(chunk)
        with torch.enable_grad():
            network, values = self._bound(parameters, constants, bound)
            losses = self.objective(network, batches, values, directions)
            objective = torch.dot(weights, losses)
            gradients = torch.autograd.grad(objective, parameters, allow_unused=True, materialize_grads=True)
        return losses.detach(), torch.cat([gradient.flatten() for gradient in gradients])

    def _bound(
        self, parameters: Sequence[Tensor], constants: Tensor, bound: bool = True
    ) -> tuple[Any, dict[str, Tensor]]:
        """The network with these tensors as its parameters, and the problem's parameters."""
        named = dict(zip(self.names, parameters, strict=True))
        learned = {name: named[f"learned.{name}"] for name in self.model.learned}
        network: Any = self.model.network
        if bound:
            own = {name.removeprefix("network."): one for name, one in named.items() if name.startswith("network.")}
            network = BoundNetwork(network, {**own, **self.model.placed(constants)})
        return network, self.model.parameters(learned, constants)

    def residuals(
        self, parameters: Inputs, constants: Tensor, batches: Mapping[str, PointSet]
    ) -> dict[str, list[Tensor]]:
        """The residuals (n, 1) of the terms of these groups, with these tensors as the trained parameters."""
        objective = Objective([one for one in self.groups if one.name in batches], self.rule, self.engine == "jets")
        with torch.enable_grad():
            network, values = self._bound(parameters, constants)
            found = objective.residuals(network, batches, values)
        return {name: [residual for residual, _ in pairs.values()] for name, pairs in found.items()}

    def scaled_residuals(
        self, prepared: Prepared, parameters: Inputs, weights: Tensor, constants: Tensor, chunk: Inputs
    ) -> Tensor:
        """All residuals of a chunk, each times sqrt(weight * share * its point's weight): (rows,)."""
        batches = prepared.unpacked(chunk)
        found = self.residuals(parameters, constants, batches)
        places = iter(weights.unbind())
        parts = [
            one * (cast(Tensor, batches[name].shares) * next(places)).sqrt()
            for name, residuals in found.items()
            for one in residuals
        ]
        return torch.cat(parts).flatten()

    def _recordable(self, prepared: Prepared) -> Callable[..., tuple[Tensor, Tensor]]:
        """The step as a function of tensors alone, its gradient included: no autograd is left when it is replayed."""
        count = len(self.names)
        size = count + 2 + (2 if self.objective.estimated else 0)

        def step(*inputs: Tensor) -> tuple[Tensor, Tensor]:
            parameters = [one.detach().requires_grad_() for one in inputs[:count]]
            return self._step(prepared, parameters, [*parameters, *inputs[count:size]], list(inputs[size:]))

        return step

    def _function(self, prepared: Prepared, head: Inputs) -> Callable[..., Any]:
        """The compiled step for chunks of this shape."""
        shapes = prepared.structure
        if shapes not in self.compiled:
            log.info("compiling the losses and their gradient (operators=%s)", self.engine)
            log.info("(up to a minute on an idle machine, outside of trainer.max_time; operators=autograd needs none)")
            with self.compile_time.counted():
                self.compiled[shapes] = self._build(prepared, head)
        return self.compiled[shapes]

    def _build(self, prepared: Prepared, head: Inputs) -> Callable[..., Any]:
        """Record the step and compile it.

        Raises:
            EngineUnsupported: an operation has no rule, or the step cannot be recorded.
        """
        step = self._recordable(prepared)
        # Recorded on other numbers than it is compared on: what was taken for a constant shows there.
        inputs = [one * 0.97 for one in (*head, *(part.flip(0) for part in prepared.chunks[0]))]
        try:
            check_traceable(self.model.network, prepared.chunks[0][0])
            step(*inputs)
            graph = record_graph(step, inputs)
        except MissingRuleError as error:
            raise EngineUnsupported(f"{error}") from error
        except Untraceable as error:
            raise EngineUnsupported(f"the network: {error}") from error
        except (RuntimeError, TypeError, ValueError, LookupError) as error:  # what nested autograd may yet do
            if out_of_memory(error):
                raise
            raise EngineUnsupported(f"{type(error).__name__}: {first_line(error)}") from error
        try:
            return compile_graph(graph, inputs)
        except CompilationError as error:
            self.warning = f"the compiler failed, recorded code runs without it ({error})"
            return record_graph(step, inputs)  # the compiler has taken the first one over
