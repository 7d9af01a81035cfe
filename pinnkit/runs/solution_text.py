"""A solution in words: a line for a console, and Markdown for notebooks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pinnkit.language.markdown import without_markup
from pinnkit.problem.notebook import in_markdown
from pinnkit.problem.problem import Problem


def in_a_line(problem: Problem, status: str, metrics: Mapping[str, Any], folder: Path | None) -> str:
    """Problem, status, verdict, errors and folder."""
    parts = [status]
    if metrics.get("verdict"):
        parts.append(f"verdict {metrics['verdict']}")
    if metrics.get("steps") is not None:
        parts.append(f"{metrics['steps']} steps")
    errors = metrics.get("relative_l2") or {}
    parts += [f"relative L2 error of {name} {error:.2e}" for name, error in errors.items() if error is not None]
    guesses = metrics.get("estimated_error") or {}
    parts += [f"estimated error of {name} {error:.1e}" for name, error in guesses.items() if error is not None]
    if folder is not None:
        parts.append(f"folder {folder}")
    return f"Solution({problem.name}: {', '.join(parts)})"


def in_a_notebook(problem: Problem, status: str, metrics: Mapping[str, Any], folder: Path | None) -> str:
    """The problem with its equations, and a table of what came out."""
    rows = "\n".join(f"| {name} | {value} |" for name, value in _rows(status, metrics, folder))
    said = f"\n\n{without_markup(metrics['verdict_text'])}" if metrics.get("verdict_text") else ""
    return f"{in_markdown(problem)}\n\n| | |\n| --- | --- |\n{rows}{said}"


def _rows(status: str, metrics: Mapping[str, Any], folder: Path | None) -> Iterator[tuple[str, str]]:
    yield "status", status
    if metrics.get("verdict"):
        yield "verdict", f"**{metrics['verdict']}**"
    against = f" (against: {without_markup(metrics['reference'])})" if metrics.get("reference") else ""
    for name, error in (metrics.get("relative_l2") or {}).items():
        largest = (metrics.get("max_error") or {}).get(name)
        most = f", at most {largest:.2e}" if largest is not None else ""
        if error is not None:
            yield f"error of {name}", f"{error:.2e} relative $L^2${most}{against}"
    for name, error in (metrics.get("estimated_error") or {}).items():
        if error is not None:
            yield f"estimated error of {name}", f"{error:.1e} relative $L^2$"
    for name, size in (metrics.get("residual_rms") or {}).items():
        if size is not None:
            yield f"residual of {name}", f"{size:.2e} RMS"
    for name, found in (metrics.get("learned") or {}).items():
        truth = f", exact {found['exact']:.6g}" if "exact" in found else ""
        yield f"learned {name}", f"{found['value']:.6g}{truth}"
    if metrics.get("steps") is not None:
        yield "training", f"{metrics['steps']} steps, {metrics.get('train_time_s') or 0.0:.1f} s"
    if folder is not None:
        yield "folder", f"`{folder}`"
