"""Choice of the reference solution."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import numpy as np

from pinnkit.language.errors import Report
from pinnkit.problem.problem import Problem
from pinnkit.problem.tables import TableError
from pinnkit.references.budget import DEFAULT_SECONDS
from pinnkit.references.claimed_error import NotComputed
from pinnkit.references.exact import Exact
from pinnkit.references.family import FamilyReference, members
from pinnkit.references.fem.packages import MissingPackage
from pinnkit.references.fem.reference import Fem
from pinnkit.references.names import FEM, NONE, SPECTRAL, has_exact, own_reference
from pinnkit.references.plane.reference import PlaneSpectral
from pinnkit.references.spectral import Spectral
from pinnkit.references.table import Table
from pinnkit.references.unsupported import UnsupportedProblem

log = logging.getLogger("pinnkit.references")


class NoReference(ValueError):
    """A requested reference does not exist."""


class Reference(Protocol):
    """A solution that is independent of the network.

    `grid`: its own points, or None where it can be evaluated anywhere. `claimed_error`: an estimate of its relative L2
    error, None for closed forms and tables.
    """

    @property
    def name(self) -> str: ...

    @property
    def fields(self) -> tuple[str, ...]: ...

    @property
    def grid(self) -> Mapping[str, np.ndarray] | None: ...

    @property
    def claimed_error(self) -> float | None: ...

    def __call__(self, coordinates: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]: ...


def choose(problem: Problem, wanted: str | None = None, max_time: float = DEFAULT_SECONDS) -> Reference | None:
    """The reference `wanted` (`exact`, `spectral`, `fem`, `none`, or a table's file name), else the problem's default.

    The default is the closed form, if there is one, else the problem's key `reference`. None, with a warning in the
    log, if it cannot be computed in `max_time` seconds.

    Raises:
        ProblemError: the reference does not exist or cannot be computed; the message says why.
    """
    report = Report()
    try:
        return _chosen(problem, wanted, max_time)
    except NotComputed as error:
        told = "no reference: %s (reference_max_time=%g); no error can be measured. %s"
        log.warning(told, error, max_time, _advice(error, max_time))
    except (NoReference, TableError, UnsupportedProblem, MissingPackage) as error:
        report.add("reference", str(error))
    report.raise_if_any()
    return None


def _advice(error: NotComputed, max_time: float) -> str:
    """What to do where no reference was computed."""
    late = re.search(r"\b(is|are) over\b", str(error))
    give = f"Allow it more by reference_max_time={10 * max_time:g}, or give" if late else "Give"
    return f"{give} a closed form (exact:) or a table (reference: table.npz)"


def _chosen(problem: Problem, wanted: str | None, max_time: float) -> Reference | None:
    wanted = wanted or own_reference(problem)
    if wanted == NONE:
        return None
    if wanted == "exact":
        if not has_exact(problem):
            raise NoReference("'exact' was requested, but the problem has no exact solution")
        return Exact(problem)
    if wanted == SPECTRAL and problem.axes.parameters:
        each = max_time / len(members(problem, SPECTRAL))
        return FamilyReference(problem, lambda one: _spectral(one, each), SPECTRAL)
    if wanted == SPECTRAL:
        return _spectral(problem, max_time)
    if wanted == FEM:
        return Fem(problem, max_time=max_time)
    return Table(problem, problem.folder / Path(wanted))


def _spectral(problem: Problem, max_time: float) -> Spectral | PlaneSpectral:
    return (PlaneSpectral if len(problem.space) == 2 else Spectral)(problem, max_time=max_time)
