"""The cache of measured engine choices."""

import json

import pytest

from pinnkit.operators.compiler_cache import cache_folder
from pinnkit.operators.engine_choice import EngineChoice, content_key, load_measurement, save_measurement


def test_a_choice_is_plain_data_and_comes_back():
    choice = EngineChoice("jets", 512, 2, "the fastest", {"autograd": 3.5, "jets": 1.25}, 7.5)
    assert EngineChoice(**json.loads(json.dumps(choice.to_dict()))) == choice


def test_keys_are_those_of_the_content():
    assert content_key("a", (1, 2), 0.5) == content_key("a", (1, 2), 0.5)
    keys = [content_key("a", "b"), content_key("b", "a"), content_key("ab"), content_key("a", "b", "")]
    assert len(set(keys)) == 4
    assert all(key.isalnum() for key in keys)


def test_a_saved_measurement_is_found_by_its_key_in_the_cache_folder(empty_cache):
    assert cache_folder() == empty_cache / "pinnkit"
    assert load_measurement("one") is None
    save_measurement("one", {"engine": "jets", "chunk": None})
    save_measurement("one", {"engine": "compiled", "chunk": 64})
    assert load_measurement("one") == {"engine": "compiled", "chunk": 64}
    assert load_measurement("two") is None
    assert [path.name for path in empty_cache.rglob("*.*")] == ["one.json"]  # no temporary file is left


def test_without_the_variable_the_cache_is_in_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "pinnkit"


TEXTS = [b"", b"{", b"\xff\xfe\x00", b"[1, 2]", b'"text"', b'{"chunk": 5}', b"[" * 5000, b'{"a":' * 5000]
CHUNKS = [b'{"engine": "jets", "chunk": %s}' % one for one in (b"0", b"-1", b"true", b"1.5", b'"64"', b"[64]", b"NaN")]


@pytest.mark.parametrize("content", [*TEXTS, *CHUNKS, b'{"engine": [], "chunk": 5}'])
def test_what_cannot_be_read_counts_as_nothing(content, empty_cache):
    save_measurement("one", {"engine": "jets", "chunk": None})
    (path,) = empty_cache.rglob("one.json")
    path.write_bytes(content)
    assert load_measurement("one") is None


def test_a_folder_that_cannot_be_written_does_not_matter(tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    save_measurement("one", {"engine": "jets"})
    assert load_measurement("one") is None
    assert blocked.read_text() == "not a folder"
