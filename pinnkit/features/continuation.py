"""Continuation of a solve that Newton's method alone does not bring to its end."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

import torch

from pinnkit.features.choice import Choice
from pinnkit.features.expansions import Expansion
from pinnkit.features.linearised import State
from pinnkit.features.newton import newton
from pinnkit.features.system import System
from pinnkit.features.trials import Solver, Trials
from pinnkit.networks.features import RandomFeatures
from pinnkit.networks.fields import FieldNetworks

log = logging.getLogger(__name__)

FIRST = 0.25
"""The first step of s."""
WIDER = 2.0
"""Factor on the step where it went well."""
LEAST = 1e-3
"""The shortest step."""
REACHED = 0.1
"""The share of the step's change of the residual that may be left after it."""
MIDDLE = 6.0
"""A range that suits solutions with layers."""
STEPS = 8
"""Newton steps for each step of s."""


class FollowingSolver(Solver, Protocol):
    """What continuation is made with."""

    network: FieldNetworks

    def add(self, choice: Choice, stream: int = 0) -> list[RandomFeatures]: ...

    def system(self, unknowns: int, drawn: int, share: float = 1.0) -> System: ...


def continued(system: System, unknown: Sequence[Expansion]) -> bool:
    """Follow r(u) = (1 - s) r(u0) from the present state u0, s = 0, to a solution, s = 1; whether it came there.

    This is the Newton homotopy (Allgower and Georg 1990, ch. 1); a step of s that Newton's method does not follow is
    halved. Where it ends early the state is that of the last s.
    """
    first = {term: one.clone() for term, one in system.residuals().items()}
    size = system.norm()
    state = State(system, unknown, ())
    reached, step = 0.0, FIRST
    while reached < 1.0:
        ahead = min(1.0, reached + step)
        shifted = replace(system, shift={term: (1 - ahead) * one for term, one in first.items()})
        before = state.read()
        found = newton(shifted, unknown, STEPS, linear=False)
        if math.isfinite(found) and found <= REACHED * (ahead - reached) * size:
            reached, step = ahead, WIDER * step
            log.debug("continuation: s = %.4g, residual %.1e", reached, found)
            continue
        state.write(before)
        step /= 2
        if step < LEAST:
            log.debug("continuation: no step leads on from s = %.4g", reached)
            return False
    return True


def followed(
    solver: FollowingSolver, choice: Choice, residual: float, seconds_left: Callable[[], float]
) -> tuple[Choice, float]:
    """The best choice by trials that begin at the end of a continuation, which is attached, and its residual.

    Args:
        choice, residual: the best without one, whose features are attached: they stay where continuation does not help.
    """
    kept = solver.attached.kept()
    size = len(choice.ranges)
    periodic = any(output.periodic for output in solver.network.outputs)
    for one in (choice, *([] if periodic else [Choice("tanh", (MIDDLE,) * size, choice.count)])):
        if seconds_left() <= 0:
            break
        solver.attached.put([])
        solver.add(one)
        unknown = solver.attached.expansions
        with torch.no_grad():
            if not continued(solver.system(sum(each.size for each in unknown), 0), unknown):
                continue
        found = Trials(solver, seconds_left, solver.attached.kept()).search(size, choice.count, periodic)
        if found[1] < residual:
            log.info("features: by continuation the residual is %.2e in place of %.2e", found[1], residual)
            return found
    solver.attached.put(kept)
    return choice, residual
