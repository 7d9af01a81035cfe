"""Choice of the engine of a run."""

from __future__ import annotations

import inspect
import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import sympy
import torch
from torch import Tensor

from pinnkit.engines.evaluator import Evaluator
from pinnkit.engines.unsupported import EngineUnsupported
from pinnkit.operators.engine_choice import EngineChoice, content_key, load_measurement, save_measurement
from pinnkit.operators.settings import Operators
from pinnkit.operators.trace import BoundNetwork, Untraceable, record_graph
from pinnkit.sampling.point_set import PointSet

log = logging.getLogger(__name__)

FALLBACK = {"jets": "compiled", "compiled": "autograd"}
COLD_COMPILE_S = 8.0
"""What compiling is expected to take where nothing like it has been compiled before."""
WARM_COMPILE_S = 4.0
"""The same where the compiler's cache has it."""
EXPECTED_GAIN = 0.6
"""The share of the time that compiled code is expected to save, before it has been measured."""
LONG_RUN_S = 1200.0
"""Expected seconds from which on other engines and chunk sizes are measured too."""


@dataclass
class Budget:
    """How much is left to gain.

    Attributes:
        evaluations: how many are expected; infinite where only the time is limited.
        seconds: the time that they may take.
    """

    evaluations: float
    seconds: float = math.inf

    def time(self, milliseconds: float) -> float:
        """Expected seconds of evaluations that take so long each."""
        return min(self.seconds, self.evaluations * milliseconds / 1000)


@dataclass
class Chooser:
    """Chooses an engine for a problem, a network, a batch and a device.

    Args:
        make: an evaluator for an engine and a chunk size.
        settings: what the user asked for.
        batches, weights: what it is measured on: all points of this process, or one of its shards.
        shards: how many these are.
    """

    make: Callable[[str, int | None], Evaluator]
    settings: Operators
    batches: Mapping[str, PointSet]
    weights: Tensor
    budget: Budget
    shards: int = 1
    milliseconds: dict[str, float] = field(default_factory=dict)
    compile_s: float = 0.0

    def choose(self) -> tuple[Evaluator, EngineChoice]:
        """The evaluator to train with, and the choice to keep."""
        if self.settings.engine == "autograd":
            return self._done(self.make("autograd", self.settings.chunk), "it was asked for")
        if self.settings.engine != "auto":
            return self._asked(self.settings.engine)
        return self._automatic()

    def restored(self, choice: EngineChoice) -> Evaluator:
        """The evaluator of a run that goes on."""
        evaluator = self.make(choice.engine, choice.chunk)
        try:
            if choice.engine != "autograd":
                self._verify(evaluator)
        except EngineUnsupported as error:
            log.warning("nested autograd is used in the place of the run's %s: %s", choice.engine, error)
            return self.make("autograd", choice.chunk)
        return evaluator

    # ------------------------------------------------------------ asked for

    def _asked(self, engine: str) -> tuple[Evaluator, EngineChoice]:
        reasons = []
        while engine != "autograd":
            evaluator = self.make(engine, self.settings.chunk)
            try:
                self._verify(evaluator)
            except EngineUnsupported as error:
                reasons.append(f"{engine}: {error}")
                engine = FALLBACK[engine]
                continue
            if reasons:
                log.warning("operators.engine=%s is used: %s", engine, "; ".join(reasons))
            return self._done(evaluator, "; ".join(reasons) or "it was asked for")
        log.warning("nested autograd is used: %s", "; ".join(reasons))
        return self._done(self.make("autograd", self.settings.chunk), "; ".join(reasons))

    # ------------------------------------------------------------ auto

    def _automatic(self) -> tuple[Evaluator, EngineChoice]:
        plain = self.make("autograd", self.settings.chunk)
        self.milliseconds["autograd"] = eager = self._time(plain)
        expected = self.budget.time(eager)
        if EXPECTED_GAIN * expected < WARM_COMPILE_S:
            return self._done(plain, f"about {expected:.1f} s of evaluations are too few to repay a compilation")
        try:
            key = self._key(plain)
        except Untraceable as error:
            log.warning("operators.engine=auto: nested autograd is used, for the network cannot be recorded: %s", error)
            return self._done(plain, f"the network cannot be recorded: {error}")
        known = load_measurement(key)
        if known is not None and known["engine"] != "autograd":
            return self._compiled(plain, key, known["engine"], known["chunk"], known)
        if known is not None:
            return self._done(plain, "it was the fastest in an earlier run")
        if EXPECTED_GAIN * expected < COLD_COMPILE_S:
            return self._done(plain, f"about {expected:.1f} s of evaluations are too few to repay a compilation")
        return self._compiled(plain, key, "jets", self.settings.chunk, None)

    def _compiled(
        self, plain: Evaluator, key: str, engine: str, chunk: int | None, known: dict[str, Any] | None
    ) -> tuple[Evaluator, EngineChoice]:
        reasons = []
        while True:
            best = self.make(engine, chunk)
            try:
                self._verify(best)
                break
            except EngineUnsupported as error:
                reasons.append(f"{engine}: {error}")
                engine = FALLBACK[engine]
                if engine == "autograd":
                    log.warning("operators.engine=auto: nested autograd is used: %s", "; ".join(reasons))
                    return self._done(plain, "; ".join(reasons))
        if reasons:
            log.info("operators.engine=auto: %s", "; ".join(reasons))
        self.milliseconds[engine] = self._time(best)
        if known is None and self.budget.time(self.milliseconds[engine]) > LONG_RUN_S:
            best = self._measure_alternatives(best)
        fastest = min(self.milliseconds, key=lambda name: self.milliseconds[name])
        if fastest == "autograd":
            best = plain
        save_measurement(
            key, {"engine": best.engine, "chunk": best.chunk, "ms": self.milliseconds, "compile_s": self.compile_s}
        )
        again = known is not None and best.engine == engine
        return self._done(best, "the fastest in an earlier run" if again else "the fastest of those measured")

    def _measure_alternatives(self, best: Evaluator) -> Evaluator:
        """In a long run: the other engine, and chunks of half and twice the size."""
        like = next(iter(self.batches.values())).coordinates
        size = best.chunk_size(like)
        alternatives = [("compiled", self.settings.chunk)] if best.engine == "jets" else []
        if self.settings.chunk is None:
            alternatives += [(best.engine, size // 2), (best.engine, size * 2)]
        least = self.milliseconds[best.engine]
        for engine, chunk in alternatives:
            alternative = self.make(engine, chunk)
            try:
                self._verify(alternative)
            except EngineUnsupported:
                continue
            took = self._time(alternative)
            name = engine if chunk is None else f"{engine}, chunks of {chunk}"
            self.milliseconds[name] = took
            if took < least:
                best, least = alternative, took
        return best

    def _key(self, plain: Evaluator) -> str:
        """What a measurement depends on: the network's operations, the equations, sizes, device and versions."""
        names = list(plain.model.trainable())
        parameters = {
            name.removeprefix("network."): one.detach()
            for name, one in plain.model.trainable().items()
            if name.startswith("network.")
        }
        points = next(iter(self.batches.values())).coordinates[:64]

        def forward(*inputs: Tensor) -> Tensor:
            return BoundNetwork(plain.model.network, dict(zip(parameters, inputs[:-1], strict=True)))(inputs[-1])

        graph = record_graph(forward, [*parameters.values(), points])
        shapes = [tuple(one.shape) for one in parameters.values()]
        residuals = [
            (
                sympy.srepr(one.residual) if isinstance(one.residual, sympy.Basic) else _code(one.residual),
                "" if one.weight.is_number else sympy.srepr(one.weight),
            )
            for group in plain.groups
            for one in (*group.symbolic, *group.callables)
        ]
        sizes = {name: len(batch) for name, batch in self.batches.items()}
        device = points.device if points.device.type == "cpu" else torch.cuda.get_device_name(points.device)
        sharing = (plain.threads, plain.sharded, self.shards)
        facts = (points.dtype, device, sharing, self.settings, torch.__version__, len(names))
        return content_key(graph.code, shapes, residuals, sizes, *facts)

    # ------------------------------------------------------------ measuring

    def _verify(self, evaluator: Evaluator) -> None:
        """Compare losses and gradient with nested autograd, at parameters that are no solution.

        At a solution residuals are differences of equal numbers, and rounding alone would tell engines apart.

        Raises:
            EngineUnsupported: the engine cannot be used, or it disagrees.
        """
        began = time.perf_counter()
        prepared = evaluator.prepare(self.batches)
        one = replace(prepared, chunks=prepared.chunks[:1])
        directions = evaluator.draw_directions(0, 0)
        shifted = _shifted(evaluator)
        definition = self.make("autograd", self.settings.chunk)
        expected = definition(one, self.weights, directions, shifted)
        found = evaluator(one, self.weights, directions, shifted)
        self.compile_s += time.perf_counter() - began
        tolerance = torch.finfo(self.weights.dtype).eps ** 0.5
        for what, truth, value in zip(("loss", "gradient"), expected, found, strict=True):
            size = float(truth.abs().max())
            error = float((truth - value).abs().max())
            if math.isfinite(size) and not error <= tolerance * max(size, torch.finfo(truth.dtype).tiny):
                raise EngineUnsupported(
                    f"its {what} differs from that of nested autograd by {error / size:.1e} of its size"
                )
        if evaluator.warning:
            log.warning("operators.engine=%s: %s", evaluator.engine, evaluator.warning)

    def _time(self, evaluator: Evaluator) -> float:
        """Milliseconds of one evaluation, the least of a few; a thread takes one shard after the other."""
        prepared = evaluator.prepare(self.batches)
        directions = evaluator.draw_directions(0, 0)
        on_gpu = self.weights.device.type == "cuda"
        least, spent = math.inf, 0.0
        with evaluator.threading():
            for attempt in range(6):
                began = time.perf_counter()
                evaluator(prepared, self.weights, directions)
                if on_gpu:
                    torch.cuda.synchronize()
                took = time.perf_counter() - began
                spent += took
                least = min(least, took) if attempt or took > 1.0 else least
                if spent > 1.0:
                    break
        return 1000 * least * math.ceil(self.shards / evaluator.workers.count)

    def _done(self, evaluator: Evaluator, reason: str) -> tuple[Evaluator, EngineChoice]:
        threads = evaluator.workers.count
        choice = EngineChoice(
            evaluator.engine, evaluator.chunk, evaluator.threads, reason, dict(self.milliseconds), self.compile_s
        )
        times = ", ".join(f"{name} {ms:.3g} ms" for name, ms in self.milliseconds.items())
        compiling = f"; compiling {self.compile_s:.1f} s" if self.compile_s else ""
        log.info(
            "derivatives by %s%s: %s%s", evaluator.engine, f" on {threads} threads" if threads > 1 else "", reason,
            f" (one evaluation: {times}{compiling})" if times else "",
        )  # fmt: skip
        return evaluator, choice


def _shifted(evaluator: Evaluator) -> list[Tensor]:
    """The parameters, each moved by up to a tenth of the largest of its tensor."""
    found = []
    for number, one in enumerate(evaluator.model.trainable().values()):
        generator = torch.Generator().manual_seed(number)
        noise = torch.rand(one.shape, dtype=torch.float64, generator=generator).to(one) - 0.5
        found.append(one.detach() + 0.2 * noise * one.detach().abs().max().clamp(min=0.1))
    return found


def _code(residual: Callable) -> str:
    """A residual in Python as a text."""
    try:
        return inspect.getsource(residual)
    except (OSError, TypeError):
        return repr(residual)
