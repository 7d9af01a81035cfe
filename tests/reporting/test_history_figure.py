from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from pinnkit.reporting.history_figure import History, draw_history


def drawn(history: History) -> Figure:
    figure = draw_history("heat: ", history)
    figure.set_dpi(40)
    figure.canvas.draw()
    return figure


@pytest.fixture
def steps() -> np.ndarray:
    return np.arange(0, 1000, 10)


def test_objective_terms_errors_and_phases(steps):
    loss = 10.0 ** (-steps / 100)
    measured = np.where(steps % 100 == 0, np.sqrt(loss), np.nan)
    history = History(
        steps,
        steps * 0.01,
        loss,
        {"heat": 0.7 * loss, "ends": 0.3 * loss},
        {"u": measured},
        [(0, "adam"), (300, "ssbfgs")],
    )
    figure = drawn(history)
    losses, errors = figure.axes
    assert figure.get_suptitle() == f"heat: objective {loss[-1]:.1e} after 990 steps, 9.9 s"
    assert (losses.get_yscale(), errors.get_yscale()) == ("log", "log")
    assert (losses.get_ylabel(), errors.get_ylabel(), errors.get_xlabel()) == (
        "loss",
        "relative $L^2$ error",
        "step",
    )
    objective, heat, ends, boundary = losses.lines
    for line, values in ((objective, loss), (heat, 0.7 * loss), (ends, 0.3 * loss)):
        assert np.array_equal(line.get_xdata(), steps)
        assert np.array_equal(line.get_ydata(), values)
    assert [text.get_text() for text in losses.get_legend().get_texts()] == ["objective", "heat", "ends"]
    assert list(boundary.get_xdata()) == [300, 300]
    assert [(text.get_text(), text.xy[0]) for text in losses.texts] == [("adam", 0), ("ssbfgs", 300)]
    # The error's line joins the measured values alone.
    assert np.array_equal(errors.lines[0].get_xdata(), steps[::10])
    assert np.array_equal(errors.lines[0].get_ydata(), np.sqrt(loss)[::10])
    assert list(errors.lines[1].get_xdata()) == [300, 300]


def test_values_without_a_logarithm_leave_gaps(steps):
    loss = np.ones(len(steps))
    loss[[3, 4, 5, 6]] = [0.0, np.nan, np.inf, -1.0]
    (axes,) = drawn(History(steps, steps, loss, {"zero": np.zeros(len(steps))})).axes
    shown = axes.lines[0].get_ydata()
    assert np.flatnonzero(np.isnan(shown)).tolist() == [3, 4, 5, 6]
    assert np.isnan(axes.lines[1].get_ydata()).all()
    assert axes.get_yscale() == "log"


def test_an_empty_history_draws():
    figure = drawn(History([], [], [], {"heat": []}, {"u": []}, [(0, "adam")]))
    assert len(figure.axes) == 1
    assert figure.get_suptitle() == "heat: no training history"
    assert [text.get_text() for text in figure.axes[0].texts] == ["no finite, positive value"]


def test_a_single_entry_is_a_visible_dot():
    losses, errors = drawn(History([5], [0.1], [0.25], {}, {"u": [0.5]}, [(5, "adam")])).axes
    for axes, value in ((losses, 0.25), (errors, 0.5)):
        assert axes.lines[0].get_marker() == "o"
        assert axes.get_ylim()[0] < value < axes.get_ylim()[1]
        assert axes.get_xlim()[0] < 5 < axes.get_xlim()[1]


def test_a_diverged_history_draws_with_nan_in_the_title():
    figure = drawn(History([0, 1], [0.0, 1.0], [np.nan, np.nan], {}, {"u": [np.nan, np.nan]}))
    assert len(figure.axes) == 1
    assert "objective nan" in figure.get_suptitle()


def test_a_resumed_history_shows_the_phases_it_lies_in():
    phases = [(0, "adam"), (100, "soap"), (300, "ssbfgs"), (900, "gauss_newton")]
    (axes,) = drawn(History([150, 400], [1.0, 2.0], [1.0, 0.1], phases=phases)).axes
    assert [(text.get_text(), text.xy[0]) for text in axes.texts] == [("soap", 150), ("ssbfgs", 300)]
    assert [list(line.get_xdata()) for line in axes.lines[1:]] == [[300, 300]]


def test_crowded_phase_names_are_slanted():
    wide = drawn(History([0, 1000], [0, 1], [1, 0.1], phases=[(0, "adam"), (500, "soap")])).axes[0]
    touching = drawn(History([0, 1790], [0, 1], [1, 0.1], phases=[(0, "adam"), (200, "ssbroyden")])).axes[0]
    assert all(text.get_rotation() == 40 for text in touching.texts)
    narrow = drawn(History([0, 1000], [0, 1], [1, 0.1], phases=[(0, "adam"), (20, "soap")])).axes[0]
    assert {text.get_rotation() for text in wide.texts} == {0.0}
    assert {text.get_rotation() for text in narrow.texts} == {40.0}
    assert [text.xy[0] for text in narrow.texts] == [0, 50]  # 20 would be below the name before it
    assert [line.get_xdata()[0] for line in narrow.lines[1:]] == [20]


def test_many_terms_stay_distinct(steps):
    loss = np.ones(len(steps))
    (axes,) = drawn(History(steps, steps, loss, {f"_term_{i}": loss for i in range(20)} | {"objective": loss})).axes
    styles = {(line.get_color(), line._dash_pattern[1] and tuple(line._dash_pattern[1])) for line in axes.lines}
    assert len(styles) == 22
    assert len(axes.get_legend().get_texts()) == 22


def test_arrays_of_different_lengths_are_named():
    with pytest.raises(ValueError, match=r"terms\['heat'\] has shape \(2,\); steps has \(3,\)"):
        History([0, 1, 2], [0, 1, 2], [1, 1, 1], {"heat": [1, 1]})
    with pytest.raises(ValueError, match=r"loss has shape \(1,\)"):
        History([0, 1], [0, 1], [1])
