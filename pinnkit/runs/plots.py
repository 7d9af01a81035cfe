"""One figure of a solution by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinnkit.language.errors import suggestion
from pinnkit.references.choose import Reference
from pinnkit.reporting.notebook import show_figures_in_notebooks
from pinnkit.runs import evaluation
from pinnkit.runs.history import history as history_of
from pinnkit.training.module import PINN

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OF_TRAINING = ("loss_history", "points", "learned_parameters")
"""Figures that show how a run went: they are in its folder."""


def figure_of(module: PINN, reference: Reference | None, what: str = "", points: int | None = None) -> Figure:
    """A figure by its name, or that of a field.

    Args:
        what: `u`, `error_u`, `slices_u` ...; "": the first field.
        points: along each coordinate; None: as at the end of a run.

    Raises:
        ValueError: there is none of that name.
    """
    show_figures_in_notebooks()
    names = [one.name for one in module.problem.unknowns]
    wanted = f"solution_{what or names[0]}" if what in ("", *names) else what
    found = evaluation.evaluate(module, reference, points)
    figures = found.draw(module.problem, history_of([], [], ()), {})
    kept = {name: figure for name, figure in figures.items() if name not in OF_TRAINING}
    if wanted not in kept:
        raise ValueError(
            f"there is no figure '{what}'{suggestion(what, (*names, *kept))}; figures are {', '.join(kept)}"
        )
    return kept[wanted]
