"""Ticks of logarithmic axes."""

import numpy as np
import pytest

from pinnkit.reporting.figure_style import new_figure
from pinnkit.reporting.history_figure import History, draw_history
from pinnkit.reporting.log_ticks import set_log_ticks


def texts(low, high):
    """The labels of the ticks within the range, minor ones too."""
    with new_figure(4, 3, "") as figure:
        axes = figure.subplots()
        axes.set_yscale("log")
        axes.set_ylim(low, high)
        set_log_ticks(axes.yaxis)
    figure.canvas.draw()
    ticks = [(tick.get_loc(), tick.label1.get_text()) for tick in (*axes.yaxis.majorTicks, *axes.yaxis.minorTicks)]
    return [text for place, text in sorted(ticks) if low <= place <= high and text]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (1.035, 1.041, ["1.036", "1.038", "1.04"]),
        (0.35, 4, ["0.5", "1", "2"]),
        (0.03, 4, ["0.05", "0.1", "0.2", "0.5", "1", "2"]),
        (2.9e-7, 5.1e-7, [rf"${digit}\times10^{{-7}}$" for digit in ("3", "3.5", "4", "4.5", "5")]),
        (4e-4, 3e-3, [r"$5\times10^{-4}$", "$10^{-3}$", r"$2\times10^{-3}$"]),
    ],
)
def test_less_than_some_decades_have_round_numbers(low, high, expected):
    assert texts(low, high) == expected


def test_many_decades_have_decades_alone():
    shown = texts(1e-15, 20)
    assert 5 <= len(shown) <= 10
    assert all("10^{" in text and "times" not in text for text in shown)


def test_the_loss_of_a_run_that_hardly_falls_has_plain_numbers():
    steps = np.arange(0, 300, 10)
    loss = np.geomspace(1.04, 1.036, len(steps))
    figure = draw_history("heat: ", History(steps, 0.1 * steps, loss))
    figure.canvas.draw()
    (axes,) = figure.axes
    found = [label.get_text() for label in axes.get_yticklabels(which="both")]
    assert "1.036" in found
    assert not any("10^" in text for text in found)
