"""Arguments of the public functions that are of another type."""

import pytest

import pinnkit
from tests.runs.small import DECAY


def test_what_is_no_problem_is_refused(tmp_path):
    message = r"problem: a pinnkit.Problem is needed, and a dict was given: pinnkit.Problem\(\*\*\.\.\.\)"
    with pytest.raises(TypeError, match=message):
        pinnkit.solve(DECAY, tmp_path)
    with pytest.raises(TypeError, match=r"a pinnkit.Problem is needed, and a str was given"):
        pinnkit.solve("heat", tmp_path)
    with pytest.raises(TypeError, match=r"a pinnkit.Problem is needed, and a int was given"):
        pinnkit.load(tmp_path, problem=3)


def test_what_is_no_folder_and_no_settings_is_refused(tmp_path):
    for call in (lambda: pinnkit.load(None), lambda: pinnkit.solve(pinnkit.Problem(**DECAY), None)):
        with pytest.raises(TypeError, match="folder: the path of a run folder is needed, and None was given"):
            call()
    with pytest.raises(TypeError, match=r"settings: pinnkit.Settings or a mapping of keys is needed, and a int was"):
        pinnkit.solve(pinnkit.Problem(**DECAY), tmp_path, 5)
