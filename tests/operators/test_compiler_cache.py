"""The private folder of the compiler's cache."""

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from pinnkit.operators import compiler_cache
from pinnkit.operators.compiler_cache import CACHE_VARIABLE, INDUCTOR_FOLDER, private_folder, set_compiler_cache


@pytest.fixture(autouse=True)
def own(tmp_path, monkeypatch):
    """A home, a temporary folder and an environment of this test alone."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(CACHE_VARIABLE, raising=False)
    monkeypatch.setattr(compiler_cache, "_made", [])
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    compiler_cache._warn.cache_clear()


def mode(folder: Path) -> int:
    return stat.S_IMODE(folder.stat().st_mode)


def test_the_folder_is_closed_to_others_whatever_the_umask(tmp_path):
    former = os.umask(0)
    try:
        set_compiler_cache()
    finally:
        os.umask(former)
    assert os.environ[CACHE_VARIABLE] == str(tmp_path / "cache" / "pinnkit" / INDUCTOR_FOLDER)
    assert mode(tmp_path / "cache" / "pinnkit") == mode(Path(os.environ[CACHE_VARIABLE])) == 0o700


def test_a_folder_of_an_older_version_is_closed(tmp_path):
    folder = tmp_path / "cache" / "pinnkit" / INDUCTOR_FOLDER
    folder.mkdir(parents=True)
    (folder / "code").touch()
    folder.chmod(0o755)
    assert private_folder() == folder.parent
    assert mode(folder) == mode(folder.parent) == 0o700


def another_users(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    return f"{folder.parent} belongs to another user (uid {os.getuid()})"


def open_to_all(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (folder / "planted").touch()
    folder.chmod(0o777)
    return f"other users can write in {folder}: remove it"


def a_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    folder.rmdir()
    folder.touch()
    return "File exists"


@pytest.mark.parametrize("spoilt", [another_users, open_to_all, a_file])
def test_where_others_can_write_a_temporary_folder_is_used_with_a_warning(spoilt, tmp_path, monkeypatch, caplog):
    folder = tmp_path / "cache" / "pinnkit" / INDUCTOR_FOLDER
    folder.mkdir(parents=True)
    told = spoilt(folder, monkeypatch)
    assert set_compiler_cache()
    found = Path(os.environ[CACHE_VARIABLE])
    assert found.parent.parent == tmp_path / "tmp"
    assert mode(found) == mode(found.parent) == 0o700
    assert private_folder() == found.parent
    compiler_cache.secure_compiler_cache()
    compiler_cache.secure_compiler_cache()
    assert os.environ[CACHE_VARIABLE] == str(found)
    (record,) = caplog.records
    assert record.getMessage().startswith("compiled code is not kept for later runs: ")
    assert told in record.getMessage()


def test_an_open_folder_without_anything_in_it_is_closed_and_used(tmp_path):
    folder = tmp_path / "cache" / "pinnkit"
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    assert private_folder() == folder
    assert mode(folder) == 0o700


@pytest.mark.parametrize("home", ["", "relative"])
def test_a_relative_cache_home_is_not_one(home, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", home)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert private_folder() == tmp_path / "home" / ".cache" / "pinnkit"


def test_the_users_own_folder_stays_and_the_compilers_default_does_not(tmp_path, monkeypatch):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "mine"))
    assert not set_compiler_cache()
    assert os.environ[CACHE_VARIABLE] == str(tmp_path / "mine")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "tmp" / "torchinductor_someone"))
    assert set_compiler_cache()
    assert os.environ[CACHE_VARIABLE] == str(tmp_path / "cache" / "pinnkit" / INDUCTOR_FOLDER)


def test_nothing_of_the_compiler_is_in_the_shared_temporary_folder(tmp_path):
    from torch._inductor import codecache

    compiler_cache.secure_compiler_cache()
    caching = pytest.importorskip("torch._inductor.runtime.caching.implementations")
    ours = tmp_path / "cache" / "pinnkit" / INDUCTOR_FOLDER
    assert Path(codecache._HEADER_DIR) == ours / "precompiled_headers"
    assert Path(codecache._HEADER_LOCK_DIR) == ours / "precompiled_headers" / "locks"
    assert caching._OnDiskCacheImpl("one")._cache_dir == ours / "cache" / "one"
    assert list((tmp_path / "tmp").iterdir()) == []


IMPORTS = """
import os, sys
for name in sys.argv[1:]:
    __import__(name)
print(os.environ["TORCHINDUCTOR_CACHE_DIR"])
"""


def test_lightning_finds_the_private_folder_set(tmp_path):
    """A file stands where its own default would be made."""
    (tmp_path / "tmp" / "torchinductor_someone").touch()
    environment = {**os.environ, "TMPDIR": str(tmp_path / "tmp"), "LOGNAME": "someone"}
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS, "pinnkit.runs.solve"],
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
    )
    assert done.stdout.strip() == str(tmp_path / "cache" / "pinnkit" / INDUCTOR_FOLDER), done.stderr
    assert len(list((tmp_path / "tmp").iterdir())) == 1
