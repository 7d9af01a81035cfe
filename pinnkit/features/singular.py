"""Singular problems: changes of fields and learned numbers that equations and conditions do not notice.

With A the Jacobian of all residuals by the coefficients of features and by learned numbers, and M the changes that
they give, |A c| / |M c| is least for the change that residuals notice least. With A = Q R it is one over the largest
singular value of M R^-1, which subspace iteration finds (Golub and Van Loan 2013, sections 7.3 and 8.6). Each field
counts by the size of the residuals that a slowly varying change of it brings, so that units do not matter. What is
found is measured on points that it was not found by.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import torch
from torch import Tensor

from pinnkit.features.choice import Choice
from pinnkit.features.expansions import Expansion
from pinnkit.features.least_squares import ridged
from pinnkit.features.linearise import Linearisation
from pinnkit.features.linearised import Linearised, State
from pinnkit.features.points import FRESH
from pinnkit.features.solver import FeatureSolver

Found = TypeVar("Found")

SINGULAR = 1.5e-8
"""The residual of a change, as a share of that of a slowly varying one of its size, below which it goes unnoticed: the
root of the rounding of float64. Data that are right to half of the digits then leave no digit of the answer."""
SENTENCE = "the linearised problem is singular"
TAKES_PART = 1e-5
"""The share of a change from which on a field or a number takes part in it."""
CONSTANT = 1e-5
"""The share of a change by which it may differ from a constant that it is called."""
DIRECTIONS = 6
"""Changes that are looked for."""
ITERATIONS = 8
STREAM = 7
"""The number of their features, which no solve uses."""
SLOW = 32
"""Slowly varying features of each field."""
SMOOTH = 4.0
"""The range of the sines that are tried beside the features of the solution: they resolve the lowest modes of the
domain to rounding, where features that are steep for a front, or few, would miss them."""


@dataclass(frozen=True)
class Undetermined:
    """What the problem does not determine.

    Attributes:
        names: the fields and learned numbers that take part.
        text: what the solution is determined up to, as a sentence without its full stop.
    """

    names: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class _View:
    """What counts how much.

    Attributes:
        scales: term -> the factor on its residuals, with which slowly varying changes of the sizes that are asked for
            bring residuals of 1.
        fields, numbers: (fields,), (numbers,) the residuals that a slowly varying change of 1 of each brings.
    """

    scales: Mapping[str, float]
    fields: Tensor
    numbers: Tensor


@dataclass(frozen=True)
class _Changes:
    """Changes, the least noticed first, each of size 1.

    Attributes:
        ratios: (k,) |A c| / |M c| on fresh points.
        fields: (k, fields, n) weight times change of each field at the points.
        numbers: (k, numbers) weight times change of each learned number.
    """

    ratios: Tensor
    fields: Tensor
    numbers: Tensor


def undetermined(solver: FeatureSolver, choice: Choice, points: Tensor) -> Undetermined | None:
    """What the equations linearised about the present fields do not determine; None: nothing was found.

    Units do not matter: it must be found where every field and number counts by the scale of its network's output, and
    where it counts by its own size.

    Args:
        choice: of the features of the solution.
        points: (n, d) in the domain.
    """
    size = len(solver.problem.coordinates)
    kind = "sin" if any(output.periodic for output in solver.network.outputs) else choice.kind
    numbers = [abs(value) or 1.0 for value in solver.numbers().values()]
    given = [output.scale for output in solver.network.outputs]
    found: _Changes | None = None
    with torch.no_grad():
        own = solver.network(points).square().mean(dim=0).sqrt().tolist()
        for sizes in (given, [one or scale for one, scale in zip(own, given, strict=True)]):
            slow = Choice(kind, (1.0,) * size, SLOW)
            view = _with(solver, slow, partial(_view, solver, points=points, sizes=[*sizes, *numbers]))
            blind = [name for name, one in zip(solver.model.learned, view.numbers.tolist(), strict=True) if one == 0]
            if blind:
                text = f"no equation and no condition depends on {_listed(blind)} at this solution"
                return Undetermined(tuple(blind), f"{SENTENCE}: {text}")
            smooth = Choice("sin", (SMOOTH,) * size, 0)
            own_kind = replace(choice, kind=kind, steep=(), shares=(), states=0.0, inverted=())
            least = partial(_least, solver, points=points, view=view)
            tried = [_with(solver, _few(solver, one), least) for one in (smooth, own_kind)]
            found = min(tried, key=lambda one: float(one.ratios[0]))
            if not float(found.ratios[0]) <= SINGULAR:
                return None
    assert found is not None
    return _told(solver, found, points)


def _few(solver: FeatureSolver, choice: Choice) -> Choice:
    """As many features as a trial has."""
    return replace(choice, count=math.ceil(solver.trial_unknowns / sum(map(len, solver.network.members))))


def _with(solver: FeatureSolver, choice: Choice, do: Callable[[list[Expansion]], Found]) -> Found:
    """What comes out with the features of a choice, which are removed again."""
    added = solver.add(choice, STREAM)
    try:
        return do([one for one in solver.attached.expansions if one.module in set(added)])
    finally:
        solver.network.remove(added)


def _matrix(solver: FeatureSolver, unknown: Sequence[Expansion], drawn: int, scales: Mapping[str, float]) -> Tensor:
    """Rows (n, unknowns) whose products with coefficients have the norms of the linearised residuals."""
    unknowns = sum(one.size for one in unknown)
    system = replace(solver.system(unknowns, drawn), ranks=None, scales=scales)  # each process does it all
    state = State(system, unknown, ())
    return Linearised(system, state, state.read()).rows()


def _values(solver: FeatureSolver, unknown: Sequence[Expansion], points: Tensor) -> Tensor:
    """The fields' derivatives by the coefficients at points over the root of n, (fields, n, coefficients)."""
    with torch.enable_grad():
        factors = solver.network.factors(points).detach()
    fields = solver.problem.fields
    found = points.new_zeros(len(fields), len(points), sum(one.size for one in unknown))
    begin = 0
    for one in unknown:
        phi = one.module.orders(points, 0)[0]
        for index in one.fields:
            inside = solver.problem.solid(fields[index].part).contains(points.cpu().numpy())
            factor = factors[:, index] * torch.as_tensor(inside).to(points)
            found[index, :, begin : begin + phi.shape[1]] = factor[:, None] * phi
            begin += phi.shape[1]
    return found / math.sqrt(len(points))


def _view(solver: FeatureSolver, unknown: Sequence[Expansion], points: Tensor, sizes: Sequence[float]) -> _View:
    """What counts how much, by slowly varying changes.

    Args:
        sizes: of the fields and the learned numbers.
    """
    system = solver.system(sum(one.size for one in unknown), FRESH + 2)
    linear = Linearisation(system.network, solver.groups, unknown, list(solver.model.learned))
    outputs = solver.network.outputs
    counts = [
        sizes[index] / outputs[index].scale
        for one in unknown
        for index in one.fields
        for _ in range(one.module.features.count)
    ]
    columns = points.new_tensor([*counts, *sizes[len(solver.problem.fields) :]])
    scales = {}
    for name, batch in system.batches.items():
        for term, rows in linear.rows(name, batch, system.parameters()).jacobians.items():
            noticed = float((rows * columns).square().sum(dim=1).mean().sqrt())
            scales[term] = 1 / noticed if noticed > 0 else 1.0
    norms = _matrix(solver, unknown, FRESH + 2, scales).square().sum(dim=0)
    values = _values(solver, unknown, points)
    coefficients = values.shape[2]
    by_field = [norms[:coefficients][one.square().sum(dim=0) > 0].sum() for one in values]
    weights = (torch.stack(by_field) / values.square().sum(dim=(1, 2)).clamp_min(1e-300)).sqrt()
    return _View(scales, weights, norms[coefficients:].sqrt())


def _least(solver: FeatureSolver, unknown: Sequence[Expansion], points: Tensor, view: _View) -> _Changes:
    """The changes that residuals notice least."""
    matrix, values = _matrix(solver, unknown, 0, view.scales), _values(solver, unknown, points)
    size = values.shape[2]
    mass = torch.block_diag((view.fields[:, None, None] * values).flatten(0, 1), torch.diag(view.numbers))
    triangle, norms = ridged(matrix)
    scaled = mass / norms
    generator = torch.Generator().manual_seed(solver.seed)
    found = torch.randn(matrix.shape[1], DIRECTIONS, dtype=torch.float64, generator=generator).to(matrix)
    for _ in range(ITERATIONS):
        coefficients = torch.linalg.solve_triangular(triangle, torch.linalg.qr(found).Q, upper=True)
        found = torch.linalg.solve_triangular(triangle.T, scaled.T @ (scaled @ coefficients), upper=False)
    coefficients = torch.linalg.solve_triangular(triangle, torch.linalg.qr(found).Q, upper=True) / norms[:, None]
    sizes = torch.linalg.qr(mass @ coefficients).R
    coefficients = torch.linalg.solve_triangular(sizes, coefficients, upper=True, left=False)
    fresh = _matrix(solver, unknown, FRESH + 2, view.scales)
    _, ratios, right = torch.linalg.svd(fresh @ coefficients, full_matrices=False)
    coefficients = coefficients @ right.flip(0).T
    changes = torch.einsum("fnu,uk->kfn", values, coefficients[:size]) * math.sqrt(len(points))
    return _Changes(ratios.flip(0), view.fields[:, None] * changes, (coefficients[size:].T * view.numbers))


def _told(solver: FeatureSolver, found: _Changes, points: Tensor) -> Undetermined | None:
    """In words what residuals do not notice; None: they notice all."""
    count = int((found.ratios <= SINGULAR).sum())
    if not count:
        return None
    unnoticed = found.fields[:count]
    shares = unnoticed.square().mean(dim=2).sqrt().amax(dim=0)
    fields = [one.name for one, share in zip(solver.problem.fields, shares.tolist(), strict=True) if share > TAKES_PART]
    shares = found.numbers[:count].abs().amax(dim=0)
    names = [name for name, share in zip(solver.model.learned, shares.tolist(), strict=True) if share > TAKES_PART]
    names = [*fields, *names]
    what = f"{'at least ' if count == DIRECTIONS else ''}{count} independent changes of {_listed(names)}"
    if count == 1:
        size = unnoticed[0]
        spread = (size - size.mean(dim=1, keepdim=True)).square().mean(dim=1).sqrt()
        largest = points[int(size.square().sum(dim=0).argmax())].tolist()
        axes = zip(solver.problem.coordinates, largest, strict=True)
        place = ", ".join(f"{name} = {value:.2g}" for name, value in axes)
        what = f"a multiple of a change of {_listed(names)}{f' that is largest near {place}' if fields else ''}"
        if names == fields and float(spread.max()) <= CONSTANT:
            what = f"a constant in {_listed(names)}"
    shown = f"residuals and conditions show only {float(found.ratios[count - 1]):.0e} of it"
    return Undetermined(tuple(names), f"{SENTENCE}: the solution is determined only up to {what} ({shown})")


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
