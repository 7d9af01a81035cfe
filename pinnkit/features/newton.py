"""Newton's method on the coefficients of features: a least-squares problem for each step."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor

from pinnkit.features.deflation import NEAR
from pinnkit.features.expansions import Expansion
from pinnkit.features.linearised import Linearised, State
from pinnkit.features.system import System

HALVINGS = 10
"""Halvings of a step in a line search."""
CHORDS = 8
"""Steps with the same factor at most."""
CHORD_PAYS = 2.0
"""The factor by which such a step must lower the residual for another one."""
REACHED = 1.2
"""The multiple of the linearised residual from which a step is the last: what is left, features do not resolve."""
STALLED = 0.9
"""A step that leaves more than this share of the residual is the last where the step before it did too."""


def newton(
    system: System,
    unknown: Sequence[Expansion],
    steps: int,
    linear: bool,
    replaced: Sequence[Expansion] = (),
    hopeless: float = math.inf,
    enough: float = 0.0,
) -> float:
    """Solve for some expansions' coefficients and the learned numbers, the others staying; the residual's norm then.

    With A the Jacobian at the present state, c the unknown coefficients there and r the residuals, a step solves
    A c' = A c - r for the coefficients themselves, so that their size is bounded in every step; a line search halves
    c' - c until the residual is smaller.

    The system's `check` is called again and again; where it raises, the state is that of some step.

    Args:
        steps: at most.
        linear: one step is exact.
        replaced: expansions whose place the unknown ones take in the first step, which is not searched.
        hopeless: a linearised residual above this ends it.
        enough: a residual below this ends it too.
    """
    state = State(system, unknown, replaced)
    present = system.norm()
    slow = 0
    for step in range(1, steps + 1):
        system.check()
        before = state.read()
        equations = Linearised(system, state, before)
        change, predicted = equations.solve()
        found: float | None
        deflated = system.known is not None and not (replaced and step == 1)
        length = system.known.length(state.write, before, change) if deflated else 1.0
        if abs(length - 1) > NEAR:  # a known solution is near: the residual may grow on the way to another
            state.write(before + length * change)
            present, slow = system.norm(), 0
            if not math.isfinite(present):
                state.write(before)
                return system.norm()
            continue
        if replaced and step == 1:
            state.write(before + change)
            found = system.norm()
            if not math.isfinite(found):
                found = None
        else:
            found = _search(system, state, before, change, present, linear)
        if found is None:
            state.write(before)
            return present
        slow = slow + 1 if found > STALLED * present else 0
        present = found
        reached = present <= REACHED * predicted
        if not linear and not reached:  # what the former linearisation left is no bound on what a new one will
            present = _chords(system, state, equations, present, max(predicted, enough))
        if linear or slow >= 2 or reached or present <= enough:
            return present
        if predicted > hopeless:
            break
    return present


def _search(system: System, state: State, before: Tensor, change: Tensor, present: float, linear: bool) -> float | None:
    """The residual after the longest of the halved steps that makes it smaller; None: none does."""
    length = 1.0
    for _ in range(1 if linear else HALVINGS):
        system.check()
        state.write(before + length * change)
        found = system.norm()
        if found < present:
            return found
        length /= 2
    return None


def _chords(system: System, state: State, equations: Linearised, present: float, predicted: float) -> float:
    """Go on with the factor of the last step, which costs little, as long as that pays; the residual then.

    These are steps of the chord method, d = -(A'A)^-1 A'r with the A of the last linearisation.
    """
    for _ in range(CHORDS):
        system.check()
        before = state.read()
        change = equations.chord()
        if change is None:
            break
        state.write(before + change)
        found = system.norm()
        if not found < present:
            state.write(before)
            break
        fell, present = present / found, found
        if fell < CHORD_PAYS or present <= REACHED * predicted:
            break
    return present
