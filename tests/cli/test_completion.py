"""`pinnkit completion`: what a shell offers."""

import shutil
import subprocess
from dataclasses import fields

import pytest

from pinnkit.cli import sweep
from pinnkit.cli.completion import EXPORTS, OWN_WORDS, _keys
from pinnkit.cli.evaluate import Request
from pinnkit.cli.main import COMMANDS, pinnkit
from pinnkit.runs.network_exporters import formats
from pinnkit.runs.shipped import conf

ASK = """
source ./script
ask() { COMP_LINE="$1"; COMP_POINT=${#1}; COMPREPLY=(); _pinnkit 2> /dev/null; echo "${COMPREPLY[*]}"; }
"""


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_is_offered_commands_problems_settings_and_files(tmp_path, capsys):
    assert pinnkit(["completion", "bash"]) == 0
    (tmp_path / "script").write_text(capsys.readouterr().out)
    (tmp_path / "rod.yaml").touch()
    lines = {
        "pinnkit ": " ".join(COMMANDS),
        "pinnkit tr": "train",
        "pinnkit train pde=burg": "burgers burgers1d burgers2d burgers_2d burgers_inverse",
        "pinnkit train seed=1 network.de": "network.depth=",
        "pinnkit check optimizer=sp": "spring",
        "pinnkit train ro": "rod.yaml",
        "pinnkit compare ro": "rod.yaml",
        "pinnkit compare pde=": "",
        "pinnkit compare o": "out=",
        "pinnkit evaluate outputs/rod checkpoint=": "best last",
        "pinnkit evaluate outputs/rod export=n": "netcdf npz",
        "pinnkit sweep sweep.tr": "sweep.trials=",
        "pinnkit completion z": "zsh",
    }
    asked = ASK + "\n".join(f"ask '{line}'" for line in lines)
    done = subprocess.run(["bash", "-c", asked], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert dict(zip(lines, done.stdout.splitlines(), strict=True)) == lines


def test_keys_are_those_of_the_configuration():
    keys = set(_keys(conf()))
    assert {"seed=", "network.width=", "trainer.max_time=", "checkpoint.every_steps=", "sampling.batch="} <= keys
    assert not any(key.startswith(("hydra", "defaults", "experiment.")) for key in keys)


def test_the_words_of_evaluate_and_sweep_are_those_that_they_read():
    keys = {word.split("=")[0] for word in OWN_WORDS["evaluate"]}
    assert keys == {one.name for one in fields(Request)} - {"run"}
    assert set(EXPORTS) == set(formats())
    assert {word[:-1].removeprefix("sweep.") for word in OWN_WORDS["sweep"]} == {
        one.name for one in fields(sweep.Sweep)
    }


def test_fish_and_zsh_have_scripts_of_their_own_and_another_shell_is_refused(capsys):
    assert pinnkit(["completion", "zsh"]) == pinnkit(["completion", "fish"]) == 0
    told = capsys.readouterr().out
    assert "bashcompinit" in told
    assert 'complete -c pinnkit -n "__fish_seen_subcommand_from train check sweep" -a "pde=heat"' in told
    assert 'complete -c pinnkit -n "__fish_seen_subcommand_from evaluate" -a "export=vtk"' in told
    assert pinnkit(["completion", "tcsh"]) == 2
    assert "completion: 'tcsh': expected bash, zsh or fish" in capsys.readouterr().err
