"""Figures in notebooks: shown as pictures, also where pyplot has not been imported."""

from __future__ import annotations

import io
import sys

from matplotlib.figure import Figure

DPI = 90


def show_figures_in_notebooks() -> None:
    """Let a notebook show Matplotlib's figures as PNG, as its backend for pyplot does; elsewhere nothing."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is not None and hasattr(shell, "kernel"):
        shell.display_formatter.formatters["image/png"].for_type(Figure, png)


def png(figure: Figure) -> bytes:
    """A figure as PNG."""
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=DPI)
    return content.getvalue()
