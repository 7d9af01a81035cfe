"""The objective of a run against its steps, as a small SVG without any library."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

WIDTH, HEIGHT = 640, 300
LEFT, RIGHT, TOP, BOTTOM = 62, 14, 14, 40
DRAWN = 600
"""Points of the line at most."""


def history_chart(rows: Sequence[Mapping[str, Any]]) -> str | None:
    """The chart of rows with step and objective, on a logarithmic axis; None of less than two positive values."""
    known = [(row["step"], row["objective"]) for row in rows if _positive(row.get("objective"))]
    if len(known) < 2:
        return None
    points = [*known[:: math.ceil(len(known) / DRAWN)], known[-1]]
    low = math.floor(math.log10(min(value for _, value in known)))
    high = max(math.ceil(math.log10(max(value for _, value in known))), low + 1)
    first, last = points[0][0], max(points[-1][0], points[0][0] + 1)

    def x(step: float) -> float:
        return LEFT + (step - first) / (last - first) * (WIDTH - LEFT - RIGHT)

    def y(power: float) -> float:
        return TOP + (high - power) / (high - low) * (HEIGHT - TOP - BOTTOM)

    line = " ".join(f"{x(step):.1f},{y(math.log10(value)):.1f}" for step, value in points)
    every = math.ceil((high - low) / 6)
    grid = "".join(_level(y(power), power) for power in range(low, high + 1, every))
    ends = f'<text x="{LEFT}" y="{HEIGHT - 20}">{first}</text>'
    ends += f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 20}" text-anchor="end">{points[-1][0]}</text>'
    middle = (LEFT + WIDTH - RIGHT) / 2
    ends += f'<text x="{middle:.0f}" y="{HEIGHT - 6}" text-anchor="middle">optimizer steps</text>'
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="objective against optimizer steps" '
        f'font-family="sans-serif" font-size="13" fill="#444">{grid}{ends}'
        f'<polyline points="{line}" fill="none" stroke="#0b5cad" stroke-width="1.6"/></svg>'
    )


def _positive(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value) and value > 0


def _level(height: float, power: int) -> str:
    text = f'<text x="{LEFT - 6}" y="{height + 4:.1f}" text-anchor="end">1e{power}</text>'
    return f'<path d="M{LEFT} {height:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>{text}'
