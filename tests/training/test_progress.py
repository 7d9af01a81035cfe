"""The progress line: on a terminal of any width, and few lines in a log."""

import io
import logging
import re
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest

from pinnkit.training.counters import Counters
from pinnkit.training.progress import Progress, State, StepTime, in_a_bar, in_notebook, log_line, on_terminal
from pinnkit.training.settings import Trainer

STATE = State("ssbroyden", 4300, 10000, 62.0, None, 0.0145, 1.234e-7, 2.1e-4, "pressure", 1.5e6)
LONG = replace(STATE, optimizer="gauss_newton", step=1234567, steps=9999999, time=359999.0, per_step=0.25)


@pytest.mark.parametrize(
    "state", [STATE, LONG, replace(LONG, error_step=1234500), replace(STATE, error=None), replace(STATE, steps=None)]
)
@pytest.mark.parametrize("columns", [20, 40, 60, 79, 80, 100, 160, 300])
def test_a_line_fits_and_its_error_is_whole(state, columns):
    line = on_terminal(state, columns)
    assert len(line) <= columns
    assert ("error pressure 2.10e-04" in line or columns < 23) if state.error is not None else "error" not in line
    if columns >= 79:
        assert "objective 1.23e-07" in line
        assert re.search(r"\d:\d\d of (<(\d+:)+\d\d|\?)$", line)


def test_an_error_of_an_earlier_step_names_it():
    earlier = replace(STATE, error_step=4200)
    assert "error pressure 2.10e-04 at step 4200  1:02 of" in on_terminal(earlier, 100)
    assert "error pressure 2.10e-04  1:02 of" in on_terminal(earlier, 70)  # where it is narrow the number is kept alone
    assert "error of pressure 2.10e-04 at step 4200; 1:02 of training" in log_line(earlier)
    assert in_a_bar(earlier).endswith("error of pressure 2.10e-04 at step 4200")
    assert "at step" not in on_terminal(replace(STATE, error_step=4300), 100)


@pytest.mark.parametrize("columns", [120, 160])
def test_a_wide_line_has_a_bar_that_shows_the_share(columns):
    bar = re.search(r"43%  \[(=+)( +)\]", on_terminal(replace(STATE, of=None), columns))
    assert len(bar[1]) / len(bar[1] + bar[2]) == pytest.approx(0.43, abs=0.05)


@pytest.mark.parametrize(
    ("steps", "step", "time", "max_time", "per_step", "share", "left"),
    [
        (1000, 250, 10.0, None, 0.1, 0.25, 75.0),
        (1000, 250, 10.0, 40.0, 0.1, 0.25, 30.0),  # the time is over before the steps are
        (1000, 750, 10.0, 400.0, 0.1, 0.75, 25.0),
        (None, 250, 10.0, 40.0, None, 0.25, 30.0),
        (None, 250, 50.0, 40.0, 0.1, 1.0, 0.0),
        (1000, 250, 10.0, None, None, 0.25, None),  # nothing is known of its speed
    ],
)
def test_what_is_left_ends_with_the_steps_or_the_time(steps, step, time, max_time, per_step, share, left):
    state = State("adam", step, steps, time, max_time, per_step, 1.0)
    assert (state.share, state.left) == (share, left)
    assert ("? left" in log_line(state)) is (left is None)


def test_the_pace_is_that_of_the_present_phase_without_its_first_steps():
    step_time = StepTime()
    for phase, step, time, expected in [
        (0, 10, 30.0, None),  # a compilation
        (0, 20, 31.0, 0.1),
        (0, 60, 35.0, 0.1),
        (1, 70, 50.0, 0.1),  # until more is known
        (1, 80, 55.0, 0.5),
        (1, 80, 55.0, 0.5),
    ]:
        step_time.update(phase, step, time)
        assert step_time.per_step == expected


class Terminal(io.StringIO):
    def isatty(self):
        return True


def shown(stream, times, limits):
    """The callback after batches that end at these seconds of training, ten steps each."""
    record = SimpleNamespace(rows=[], errors={"u": 1e-3, "v": 2e-3}, errors_step=None, points_per_second=1e5)
    module = SimpleNamespace(stages=[SimpleNamespace(name="adam")], limits=limits, progress=Counters())
    progress = Progress(record, stream)
    progress.on_train_start(None, module)
    for number, time in enumerate(times, 1):
        record.rows.append({"step": 10 * number, "time_s": time, "phase": 0, "losses": {"objective": 0.5}})
        progress.on_train_batch_end(None, module)
    progress.on_train_end(None, module)


@pytest.mark.parametrize(
    ("total", "max_time", "least", "most"),
    [(1.0, 1.0, 0, 0), (5.0, 5.0, 2, 2), (40.0, 40.0, 5, 7), (600.0, None, 13, 17), (36000.0, 36000.0, 60, 70)],
)
def test_where_no_terminal_is_lines_are_few_and_nothing_is_overwritten(total, max_time, least, most, caplog):
    stream, count = io.StringIO(), 2000
    limits = Trainer(max_time=max_time) if max_time else Trainer(max_steps=10 * count)
    with caplog.at_level(logging.INFO, logger="pinnkit"):
        shown(stream, [total * number / count for number in range(1, count + 1)], limits)
    lines = [record.message for record in caplog.records]
    assert least <= len(lines) <= most
    assert stream.getvalue() == ""
    assert all(re.match(r"step \d+.*: objective 5.00e-01, error of v 2.00e-03; .* left", line) for line in lines)


def test_the_first_line_of_a_log_comes_soon_and_then_they_thin_out(caplog):
    with caplog.at_level(logging.INFO, logger="pinnkit"):
        shown(io.StringIO(), range(1, 3001), Trainer(max_time=36000.0))
    seconds = [re.search(r"([\d:]+) of training", record.message)[1] for record in caplog.records]
    assert seconds == ["0:02", "0:04", "0:08", "0:16", "0:32", "1:04", "2:08", "4:16", "8:32", "17:04", "27:04",
                       "37:04", "47:04"]  # fmt: skip


def test_on_a_terminal_one_line_is_kept_up_to_date(caplog):
    stream = Terminal()
    with caplog.at_level(logging.INFO, logger="pinnkit"):
        shown(stream, [0.1, 0.2, 0.3], Trainer(max_steps=30))
    last = stream.getvalue().rstrip("\n").split("\r")[-1]
    assert "30/30" in last
    assert "error v 2.00e-03" in last
    assert caplog.records == []


def test_a_notebook_has_a_bar_of_tqdm_and_nothing_garbled(monkeypatch):
    bars = []

    class Bar:
        def __init__(self, total, initial, **_):
            self.total, self.n, self.closed, self.text = total, initial, False, ""
            bars.append(self)

        def set_postfix_str(self, text, refresh):
            self.text = text

        def update(self, count):
            self.n += count

        def refresh(self):
            pass

        def close(self):
            self.closed = True

    monkeypatch.setattr("pinnkit.training.progress.in_notebook", lambda: True)
    monkeypatch.setattr("tqdm.auto.tqdm", Bar)
    stream = io.StringIO()
    shown(stream, [1.0, 2.0, 3.0], Trainer(max_steps=30))
    (bar,) = bars
    assert (bar.total, bar.n) == (30, 30)
    assert bar.text == "adam, objective 5.00e-01, error of v 2.00e-03"
    assert stream.getvalue() == ""
    assert bar.closed


def test_it_is_no_notebook_without_a_kernel(monkeypatch):
    assert not in_notebook()
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=object())))
    assert in_notebook()
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: SimpleNamespace()))
    assert not in_notebook()
