"""What a run prints on a terminal, in a log, and where it is to be quiet."""

import io
import logging
import sys
import warnings
from types import SimpleNamespace

import pytest
from lightning.fabric.plugins.environments import SLURMEnvironment

from pinnkit.runs.console import for_terminal, logged, suppress_library_logs, takes_colours


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def printed(monkeypatch):
    """Prints three records under a choice of `callbacks.terminal`; the lines."""

    def printed(terminal, stream):
        monkeypatch.setattr(sys, "stderr", stream)
        log = logging.getLogger("pinnkit")
        with logged(terminal):
            log.info("compiling")
            log.warning("a doubt")
            log.info("solved: all is well", extra={"verdict": "solved"})
        return stream.getvalue().splitlines()

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    return printed


def test_warnings_and_verdicts_have_colours_on_a_terminal_alone(printed):
    coloured = ["compiling", "\x1b[33ma doubt\x1b[0m", "\x1b[32msolved: all is well\x1b[0m"]
    assert printed("auto", Terminal()) == coloured
    assert (
        printed("auto", io.StringIO())
        == printed("plain", Terminal())
        == ["compiling", "a doubt", "solved: all is well"]
    )


def test_a_quiet_run_prints_warnings_and_its_verdict_alone(printed):
    assert printed("quiet", io.StringIO()) == ["a doubt", "solved: all is well"]


def test_long_lines_are_broken_at_spaces_on_a_terminal_alone(monkeypatch):
    words = " ".join(["word"] * 30)
    text = f"  field       {words}\n    {words}\n    ^\n\nend"
    assert for_terminal(text, io.StringIO()) == for_terminal(text, None) == text
    first, second, *rest = for_terminal(text, Terminal(), " " * 14).splitlines()
    assert first == f"  field       {' '.join(['word'] * 13)}"
    assert second == f"{' ' * 14}{' '.join(['word'] * 13)}"
    assert rest[0] == f"{' ' * 14}{' '.join(['word'] * 4)}"
    assert rest[1:] == [f"    {words}", "    ^", "", "end"]  # the mark stays in place
    assert for_terminal(f"{'at ' * 26}y = 1", Terminal()).splitlines() == ["at " * 25 + "at", "    y = 1"]

    class Wide(Terminal):
        def fileno(self):
            return 7

    monkeypatch.setattr("os.get_terminal_size", lambda number: {7: SimpleNamespace(columns=200)}[number])
    assert for_terminal(words, Wide()) == words


def test_the_log_on_a_terminal_fits_it(monkeypatch):
    text = " ".join(["word"] * 20)
    for terminal, lines in (("auto", [text[:79], "  word word word word"]), ("plain", [text])):
        monkeypatch.setattr(sys, "stderr", Terminal())
        with logged(terminal):
            logging.getLogger("pinnkit").info(text)
        assert sys.stderr.getvalue().splitlines() == lines


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_colours_can_be_declined(name, value, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert takes_colours(Terminal())
    monkeypatch.setenv(name, value)
    assert not takes_colours(Terminal())


def test_a_run_of_one_process_is_not_told_to_use_srun_where_slurm_is_installed(tmp_path, monkeypatch):
    (tmp_path / "srun").touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("SLURM_NTASKS", "SLURM_JOB_NAME"):
        monkeypatch.delenv(name, raising=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="`srun` command is available"):
            SLURMEnvironment.detect()
        with suppress_library_logs():
            assert SLURMEnvironment.detect() is False
