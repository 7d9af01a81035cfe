"""Which errors are told as a run folder that cannot be written, and which are of the user's own files."""

import errno

import pytest

from pinnkit.runs import evaluation
from pinnkit.training.exceptions import CannotWrite, cannot_write
from tests.runs.small import DECAY, solved


@pytest.mark.parametrize(
    ("number", "path", "expected"),
    [
        (errno.ENOSPC, None, True),
        (errno.EDQUOT, None, True),
        (errno.EROFS, "elsewhere", True),
        (errno.EFBIG, None, True),
        (errno.EIO, None, True),
        (errno.EACCES, "run/history.jsonl", True),
        (errno.EACCES, "elsewhere", False),
        (errno.ENOENT, "run/history.jsonl", True),
        (errno.ENOENT, "elsewhere", False),
        (errno.ENOENT, "run2/table.csv", False),
        (errno.ECONNRESET, None, False),
    ],
)
def test_an_error_is_of_the_run_folder_by_its_kind_or_its_path(number, path, expected, tmp_path):
    error = OSError(number, "told", path and str(tmp_path / path))
    assert cannot_write(error, tmp_path / "run") is expected
    assert cannot_write(CannotWrite(tmp_path, "told"), tmp_path / "run")


@pytest.mark.parametrize("place", ["last.ckpt", "finished"])
def test_a_file_that_a_residual_misses_is_told_as_it_is(place, tmp_path, monkeypatch):
    """In training and, after it, where the run is evaluated."""
    evaluate = evaluation.evaluate

    def evaluated(*arguments):
        (tmp_path / "finished").touch()
        return evaluate(*arguments)

    monkeypatch.setattr(evaluation, "evaluate", evaluated)

    def residual(p):
        if list(tmp_path.rglob(place)):
            (tmp_path / "missing.csv").read_text()
        return p.u_t + p.u

    words = {**DECAY, "parameters": {}, "equations": {"decay": residual}, "exact": {"u": "exp(-t)"}}
    with pytest.raises(FileNotFoundError, match=r"missing\.csv"):
        solved(tmp_path / "run", words)


def test_a_history_that_cannot_be_written_ends_the_run_in_words(tmp_path, monkeypatch):
    def full(self, row):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pinnkit.reporting.artifacts.RunFolder.append_history", full)
    with pytest.raises(CannotWrite, match=r"cannot be written .*No space left"):
        solved(tmp_path)
