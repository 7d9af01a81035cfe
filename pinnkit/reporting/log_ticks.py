"""Ticks of a logarithmic axis whose numbers have few digits."""

from __future__ import annotations

import math

from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter, LogFormatterMathtext, LogLocator, MaxNLocator, NullLocator

DECADES = 2.5
"""Decades of a range from which on a tick at each decade, or at each few, is enough."""
STEPS = (1.0, 2.0, 5.0)
PLAIN = 1e-3, 1e4
"""An axis within these has plain numbers, any other powers of ten on each."""


def set_log_ticks(axis: Axis) -> None:
    """Ticks by the range that an axis shows: at decades; at 1, 2 and 5 times these; in narrow ranges at even steps."""
    low, high = sorted(axis.get_view_interval())
    if not 0 < low < high < math.inf:
        return
    if math.log10(high / low) >= DECADES:
        axis.set_major_locator(LogLocator(numticks=10))
        axis.set_major_formatter(LogFormatterMathtext())
        return
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    count = sum(low <= step * 10.0**power <= high for power in powers for step in STEPS)
    axis.set_major_locator(LogLocator(subs=STEPS, numticks=20) if count >= 3 else MaxNLocator(5, steps=[1, 2, 5, 10]))
    plain = PLAIN[0] <= low and high < PLAIN[1]
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.10g}" if plain else power_of_ten(value)))
    axis.set_minor_locator(NullLocator())


def power_of_ten(value: float) -> str:
    r"""A positive number in mathtext.

    >>> power_of_ten(5e-7), power_of_ten(1.25e4), power_of_ten(1e5)
    ('$5\\times10^{-7}$', '$1.25\\times10^{4}$', '$10^{5}$')
    """
    digits, power = f"{value:.9e}".split("e")
    factor = f"{float(digits):.10g}"
    product = "" if factor == "1" else rf"{factor}\times"
    return f"${product}10^{{{int(power)}}}$"
