"""The engines of a run, the points prepared for them, and the least-squares problem at these points."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from pinnkit.engines.chunks import Prepared
from pinnkit.engines.evaluator import Evaluator
from pinnkit.engines.jacobian import Jacobian, Linearisation
from pinnkit.engines.selection import Budget, Chooser
from pinnkit.engines.unsupported import EngineUnsupported
from pinnkit.losses.residuals import TermGroup
from pinnkit.operators.engine_choice import EngineChoice
from pinnkit.operators.settings import Operators
from pinnkit.sampling.point_set import PointSet
from pinnkit.sampling.settings import even_indices
from pinnkit.training.exceptions import OptimizerUnsupported
from pinnkit.training.state import TrainingState

EXPECTED_STEPS = 2500
"""Optimizer steps that a run without limits is expected to take, when the engine is chosen."""
EVALUATIONS_PER_STEP = 1.1
KERNEL_POINTS = 256
"""Points of a group at which the traces of the neural tangent kernel are computed, at most."""


class Computation:
    """Computes the losses of the present stage's terms, and their gradient, over the points of all ranks.

    Args:
        groups: all terms of the problem.
        operators: how derivatives are computed.
        width: neurons in a layer, by which chunks are sized.
        threads: on how many threads compiled code works.
        seed: of the directions by which Laplacians are estimated.

    Attributes:
        evaluator: the engine that is used; None: it has not been chosen in this process.
        choice: the engine that was chosen for these terms, also in an earlier process; None: it is not known yet.
        former_choice: the one that was chosen for the terms before; None: there were none, or in an earlier process.
    """

    def __init__(
        self,
        state: TrainingState,
        groups: Sequence[TermGroup],
        operators: Operators,
        width: int,
        threads: int,
        seed: int,
    ) -> None:
        self.state, self.operators, self.width, self.threads, self.seed = state, operators, width, threads, seed
        self.evaluator: Evaluator | None = None
        self.choice: EngineChoice | None = None
        self.former_choice: EngineChoice | None = None
        stages = (
            state.stages if state.windows is None else [one for ones in state.windows.stages_by_place for one in ones]
        )
        self._parts = {stage.terms: stage.part(groups) for stage in stages}
        self._prepared: tuple[Mapping[str, PointSet], list[Prepared]] | None = None
        self._jacobian: Jacobian | None = None
        self._kernel: Jacobian | None = None
        self._linearised: tuple[Mapping[str, PointSet], int, Linearisation] | None = None

    # ------------------------------------------------------------ the engine

    @property
    def groups(self) -> tuple[TermGroup, ...]:
        """The groups of terms that the present stage trains."""
        return self._parts[self.state.stage.terms]

    @property
    def terms(self) -> tuple[str, ...]:
        """The terms that the present stage trains, in the order of the losses."""
        return tuple(term for group in self.groups for term in group.terms)

    def begin(self, batches: Mapping[str, PointSet], broadcast: Callable[[EngineChoice], EngineChoice]) -> None:
        """Choose the engine, once in each process and for each set of terms.

        broadcast: gives every rank what the first has.
        """
        own = self.state.ranks.share(batches)
        chooser = Chooser(self.make_evaluator, self.operators, own[0], self.weight_vector(), self.budget(), len(own))
        if self.choice is not None:
            self.evaluator = chooser.restored(self.choice)
            return
        self.evaluator, choice = chooser.choose()
        self.choice = broadcast(choice)
        if (self.choice.engine, self.choice.chunk) != (choice.engine, choice.chunk):
            self.evaluator = chooser.restored(self.choice)  # each rank has measured other times: the first decides

    def leave(self) -> None:
        """Forget the engine, as other terms follow."""
        self.former_choice = self.choice or self.former_choice
        self.evaluator = self.choice = None
        self._prepared = self._jacobian = self._kernel = self._linearised = None

    def change_constants(self, other_constraints: bool) -> None:
        """Go on at other values of the problem's parameters, or in another window of time, with the same engine.

        What is compiled takes these values as an argument, but for those in hard conditions (`other_constraints`).
        """
        self._linearised = None
        if other_constraints:
            self.evaluator = self._prepared = self._jacobian = None
        elif self.evaluator is not None:
            self.evaluator.renew_constants()

    def make_evaluator(self, engine: str, chunk: int | None) -> Evaluator:
        """An evaluator of the present terms."""
        return Evaluator(
            self.state.model,
            self.groups,
            engine,
            self.width,
            chunk,
            self.operators.directions,
            self.choice.threads if self.choice else self.threads,
            self.state.limits.shards is not None,
            self.state.clock.compile_time,
        )

    def budget(self) -> Budget:
        """The evaluations and the time that are left of the run."""
        limits = self.state.limits
        steps = limits.max_steps or (EXPECTED_STEPS if limits.max_time is None else math.inf)
        left = max(steps - self.state.progress.step, 0)
        each = EVALUATIONS_PER_STEP * max(stage.settings.worth for stage in self.state.stages)
        return Budget(each * left, limits.max_time or math.inf)

    def chunk(self, batches: Mapping[str, PointSet]) -> int | None:
        """Points of a group that are evaluated at once, at most; None: all."""
        if self.evaluator is None:
            return self.operators.chunk
        return self.evaluator.chunk_size(next(iter(batches.values())).coordinates)

    def try_points(self, batches: Mapping[str, PointSet], size: int) -> None:
        """Evaluate by nested autograd at these points, so many at once, to see whether memory allows it."""
        evaluator = self.make_evaluator("autograd", size)
        evaluator(evaluator.prepare(batches), self.weight_vector(), evaluator.draw_directions(0, 0))

    # ------------------------------------------------------------ what it computes

    def weight_vector(self) -> Tensor:
        """The present weights in the order of the terms."""
        return self.state.weights.vector(self.terms, self.state.like)

    def reference_vector(self) -> Tensor:
        """The reference weights in the order of the terms."""
        return self.state.weights.reference_vector(self.terms, self.state.like)

    @property
    def _chosen(self) -> Evaluator:
        assert self.evaluator is not None
        return self.evaluator

    def prepared(self, batches: Mapping[str, PointSet]) -> list[Prepared]:
        """This rank's shards, cut for the evaluator; done once for each draw."""
        if self._prepared is None or self._prepared[0] is not batches:
            self._prepared = (batches, [self._chosen.prepare(shard) for shard in self.state.ranks.share(batches)])
        return self._prepared[1]

    def directions(self) -> list[Tensor]:
        """The directions by which Laplacians are estimated in this step."""
        return self._chosen.draw_directions(self.seed, self.state.progress.step)

    def evaluate(self, shards: list[Prepared], weights: Tensor, directions: list[Tensor]) -> tuple[Tensor, ...]:
        """Losses (terms,) and the gradient of their weighted sum (parameters,): the same numbers on each rank."""
        return self.state.ranks.total(self._chosen.each(shards, weights, directions))

    def losses(self, batches: Mapping[str, PointSet]) -> Tensor:
        """The losses (terms,) at the present parameters."""
        with self._chosen.threading():
            return self.evaluate(self.prepared(batches), self.weight_vector(), self.directions())[0]

    def term_gradients(self, batches: Mapping[str, PointSet]) -> Tensor:
        """The gradient of the loss of each term, (terms, parameters), by one evaluation for each."""
        own = self._chosen.term_gradients(self.prepared(batches), self.directions())
        return self.state.ranks.total(own)[0]

    def kernel_traces(self, batches: Mapping[str, PointSet]) -> dict[str, float]:
        """Term -> mean over its points of |d residual / d parameters|^2, at some of the points.

        Raises:
            EngineUnsupported: the network cannot be recorded.
        """
        if self._kernel is None:
            self._kernel = Jacobian(self._chosen)
        few = {}
        for name, batch in batches.items():
            index = torch.as_tensor(even_indices(len(batch), KERNEL_POINTS), device=batch.coordinates.device)
            few[name] = batch.take(index)
        own = [self._kernel.prepare(shard) for shard in self.state.ranks.share(few)]
        ones = torch.ones(len(self.terms), dtype=self.state.like.dtype, device=self.state.device)
        traces = self._kernel.at(own, ones, self.state.ranks).traces().tolist()
        return dict(zip(self.terms, traces, strict=True))

    def linearisation(self, batches: Mapping[str, PointSet], weights: Tensor) -> Linearisation:
        """The least-squares problem of these points and weights.

        Raises:
            OptimizerUnsupported: the network cannot be recorded, or a residual is no function of its point alone.
        """
        version = self.state.weights.version
        if self._linearised is None or self._linearised[0] is not batches or self._linearised[1] != version:
            try:
                if self._jacobian is None:
                    self._jacobian = Jacobian(self._chosen)
                    self._jacobian.verify(batches, weights)
                own = [self._jacobian.prepare(shard) for shard in self.state.ranks.share(batches)]
                found = self._jacobian.at(own, weights, self.state.ranks)
            except EngineUnsupported as error:
                raise OptimizerUnsupported(self.state.stage.name, str(error)) from error
            self._linearised = (batches, version, found)
        return self._linearised[2]
