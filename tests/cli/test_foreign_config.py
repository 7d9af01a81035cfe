"""Where configuration files come from, and how large they may be."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pinnkit.cli.check import check as checked
from pinnkit.cli.train import train
from pinnkit.cli.yaml_files import SIZE
from tests.cli.hostile_files import FILES, SECONDS, foreign
from tests.conftest import timed


def test_a_file_that_chooses_itself_is_refused(tmp_path, conf, capsys):
    (tmp_path / "network").mkdir()
    (tmp_path / "network" / "mine.yaml").write_text("defaults: [mine]\n")
    assert checked(["--config-dir", str(tmp_path), "network=mine"], conf) == 2
    assert capsys.readouterr().err == "pinnkit: defaults: files choose each other, or themselves, without an end\n"


def test_what_is_no_file_is_not_offered(tmp_path, conf, capsys):
    (tmp_path / "pde" / "mine.yaml").mkdir(parents=True)
    (tmp_path / "pde" / "circle.yaml").symlink_to("circle.yaml")
    os.mkfifo(tmp_path / "pde" / "pipe.yaml")
    for name in ("mine", "circle", "pipe"):
        assert checked(["--config-dir", str(tmp_path), f"pde={name}"], conf) == 2
        err = capsys.readouterr().err
        assert f"pde: there is no '{name}'; " in err
        assert f"did you mean '{name}'" not in err


@pytest.fixture
def module(tmp_path, monkeypatch) -> Path:
    """A package that leaves a trace when it is imported; the trace."""
    (tmp_path / "evilmod").mkdir()
    (tmp_path / "evilmod" / "__init__.py").write_text(f"open({str(tmp_path / 'trace')!r}, 'w').close()")
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path / "trace"


PLACES: dict[str, str] = {
    "[pkg://evilmod]": "'pkg://evilmod' is no folder",
    "[/, PKG://evilmod]": "'PKG://evilmod' is no folder",
    "[structured://]": "'structured://' is no folder",
    "[s3://bucket]": "'s3://bucket' is no folder",
    "['${oc.env:EVIL}']": "'${oc.env:EVIL}' is no folder",
    "[/nowhere]": "there is no folder '/nowhere'",
    "pkg://evilmod": "is no list of folders",
    "[5]": "is no list of folders",
}


@pytest.mark.parametrize("call", [train, checked])
@pytest.mark.parametrize("places", PLACES)
def test_only_folders_are_searched(places, call, tmp_path, module, conf, capsys, nothing_starts):
    words = foreign(tmp_path, "train", f"hydra: {{searchpath: {places}}}")
    on_the_line = ["hydra.searchpath=" + (places if places[0] == "[" else f"'{places}'")]
    for argv in (words, on_the_line):
        assert call(argv, conf) == 2
        err = capsys.readouterr().err
        assert PLACES[places] in err
        assert "hydra.searchpath: " in err
        assert len(err.splitlines()) == 1
    assert not module.exists()


def test_a_folder_that_is_there_is_searched(tmp_path, conf, capsys):
    (tmp_path / "more" / "network").mkdir(parents=True)
    (tmp_path / "more" / "network" / "tiny.yaml").write_text("defaults: [mlp, _self_]\nwidth: 0\n")
    assert checked([f"hydra.searchpath=[{tmp_path / 'more'}]", "network=tiny"], conf) == 2
    assert "network.width: 0: at least 1" in capsys.readouterr().err


SETTINGS: dict[str, tuple[str | bytes, str]] = {
    case: FILES[case]
    for case in ("laughs", "laughs by merging", "chain of aliases", "deep lists", "deep mappings", "deep blocks",
                 "long number", "no bool", "null characters")
} | {
    "latin 1": ("# caf\u00e9\nwidth: 5\n".encode("latin-1"), "is not text in UTF-8: byte 5 is 0xe9; save it as UTF-8"),
    "a list": ("- width\n", "is no mapping"),
    "itself": ("defaults: [mine, /network: mine]\n", ": "),
    "defaults that are a number": ("defaults: 5\n", "yaml: defaults: a list of names and of 'group: name' is needed"),
    "defaults that are a mapping": ("defaults: {a: b}\n", "yaml: defaults: a list of names"),
    "a number among the defaults": ("defaults: [mlp, 5]\n", "yaml: defaults: a list of names"),
    "a list among the defaults": ("defaults: [[mlp]]\n", "yaml: defaults: a list of names"),
    "a key twice": ("width: 5\nwidth: 6\n", "yaml: is not YAML: "),
    "a text": ("width", "is no mapping"),
    "a tag": ("width: !!python/name:os.system\n", "could not determine a constructor for the tag"),
    "too large": ("#" * (SIZE + 1), f"has {SIZE + 1} bytes; the most is {SIZE}"),
    "references": (f"width: '{'${' * 3000}'\n", "width: holds ${ more than 8 times"),
}  # fmt: skip


@pytest.mark.parametrize("place", ["network/mine.yaml", "train.yaml", "experiment/mine.yaml"])
@pytest.mark.parametrize("case", SETTINGS)
def test_a_hostile_file_of_settings_is_refused_in_words(case, place, tmp_path, conf, capsys):
    text, expected = SETTINGS[case]
    path = tmp_path / "config" / place
    path.parent.mkdir(parents=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    group, _, _ = place.rpartition("/")
    argv = ["--config-dir", str(tmp_path / "config"), *([f"{group}=mine"] if group else [])]
    assert timed(5 * SECONDS, checked, argv, conf)[1] == 2
    err = capsys.readouterr().err
    assert expected in err
    assert len(err) < 2000
