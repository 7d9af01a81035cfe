"""The command `pinnkit`: subcommands, where it may be started, and the folder of its configuration."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import pinnkit
from pinnkit.cli import invocation, main
from pinnkit.runs import shipped
from tests.conftest import ROOT


def test_alone_and_with_help_it_prints_its_commands(capsys):
    for argv in ([], ["--help"], ["-h"]):
        assert main.pinnkit(argv) == 0
        out, err = capsys.readouterr()
        assert err == ""
        assert "usage: pinnkit COMMAND" in out
        assert all(f"\n  {name} " in out for name in main.COMMANDS)
    assert set(invocation.SUBCOMMANDS) == set(main.COMMANDS)


def test_it_prints_its_version(capsys):
    assert main.pinnkit(["--version"]) == 0
    assert capsys.readouterr().out == f"pinnkit {version('pinnkit')}\n"


def test_an_unknown_command_is_answered_with_the_nearest(capsys):
    assert main.pinnkit(["trian", "pde=heat"]) == 2
    assert capsys.readouterr().err == "pinnkit: command line: there is no command 'trian'; did you mean 'train'?\n"


@pytest.mark.parametrize("name", main.COMMANDS)
@pytest.mark.parametrize(
    ("started", "typed"),
    [
        ("/venv/bin/pinnkit", "pinnkit {}"),
        (str(Path(pinnkit.__file__).with_name("__main__.py")), "python -m pinnkit {}"),
        ("scripts/{}.py", "python scripts/{}.py"),
    ],
)
def test_usage_and_examples_name_the_command_that_was_typed(name, started, typed, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [started.format(name)])
    assert main.pinnkit([name, "--help"]) == 0
    out = capsys.readouterr().out
    assert f"usage: {typed.format(name)} " in out
    assert out.count("python scripts/") == (out.count(typed.format(name)) if "scripts" in typed else 0)


def test_a_command_works_from_any_folder(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main.pinnkit(["check", "pde=heat"]) == 0
    assert main.pinnkit(["compare", "nowhere"]) == 2
    assert main.pinnkit(["evaluate", "run=nowhere"]) == 2
    assert main.pinnkit(["train", "pde=haet"]) == 2
    assert main.pinnkit(["sweep", "pde=heat", "network.width=5,6"]) == 2
    assert list(tmp_path.iterdir()) == []


def test_the_configuration_lies_in_a_wheel_and_beside_the_package_in_a_source_tree(tmp_path, monkeypatch):
    assert shipped.conf() == ROOT / "conf"
    package = tmp_path / "pinnkit"
    monkeypatch.setattr(pinnkit, "__file__", str(package / "__init__.py"))
    assert shipped.conf() == tmp_path / "conf"
    (package / "conf").mkdir(parents=True)
    assert shipped.conf() == package / "conf"
