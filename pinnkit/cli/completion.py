"""`pinnkit completion`: commands, problems and settings completed by the shell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from pinnkit.cli.entry import FINISHED, asks_help, report_error
from pinnkit.language.errors import suggestion
from pinnkit.runs.shipped import problems

HELP = """
Print a script by which a shell completes commands, names of problems, and settings.

usage: python scripts/completion.py bash | zsh | fish

examples:
  eval "$(python scripts/completion.py bash)"    # in ~/.bashrc
  eval "$(python scripts/completion.py zsh)"     # in ~/.zshrc
  python scripts/completion.py fish > ~/.config/fish/completions/pinnkit.fish

Exit codes: 0 printed, 2 there is no such shell.
"""
TAKES_SETTINGS = ("train", "check", "sweep")
EXPORTS = ("csv", "netcdf", "npz", "onnx", "pt2", "vtk")
OWN_WORDS = {
    "evaluate": [
        "animate=gif",
        "animate=mp4",
        "checkpoint=best",
        "checkpoint=last",
        "dpi=",
        "estimate=true",
        "format=pdf",
        "format=png",
    ]
    + ["format=svg", "grid=", "points=", "problem_folder="]
    + [f"export={name}" for name in EXPORTS],
    "compare": ["out="],
    "sweep": [f"sweep.{key}=" for key in ("folder", "prune", "seed", "trials", "workers")],
    "completion": ["bash", "fish", "zsh"],
}
"""What a command takes beside settings; in words, since the modules that read them are slow to import."""
# Bash ends a word at "=": what stands before it is taken off the answers.
BASH = """\
_pinnkit() {
    local line=${COMP_LINE:0:COMP_POINT} words
    local now=${line##* }
    case $line in
        "pinnkit "*" "*) case $line in
SETTINGS            *) words= ;;
        esac ;;
        *) words="COMMANDS" ;;
    esac
    COMPREPLY=($(compgen -W "$words" -- "$now"))
    case $now in *=*|"") ;; *) COMPREPLY+=($(compgen -f -- "$now")) ;; esac
    [[ $COMP_WORDBREAKS == *=* && $now == *=* ]] && COMPREPLY=("${COMPREPLY[@]#"${now%"${now##*=}"}"}")
    [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace
    return 0
}
complete -o filenames -F _pinnkit pinnkit
"""
FISH = """\
complete -c pinnkit -n __fish_use_subcommand -f -a "COMMANDS"
"""


def completion(argv: Sequence[str], conf: Path, commands: Sequence[str]) -> int:
    """Print the script of a shell; the exit code."""
    if asks_help(argv, HELP):
        return FINISHED
    shells = {"bash": _bash, "zsh": _zsh, "fish": _fish}
    if len(argv) != 1 or argv[0] not in shells:
        asked = " ".join(argv)
        return report_error(f"completion: '{asked}': expected bash, zsh or fish{suggestion(asked, list(shells))}")
    print(shells[argv[0]](commands, sorted({*_groups(conf), *_keys(conf)})), end="")
    return FINISHED


def _bash(commands: Sequence[str], settings: Sequence[str]) -> str:
    words = _words(settings).items()
    lines = "".join(f'            "pinnkit {command} "*) words="{" ".join(own)}" ;;\n' for command, own in words)
    return BASH.replace("SETTINGS", lines).replace("COMMANDS", " ".join(commands))


def _words(settings: Sequence[str]) -> dict[str, list[str]]:
    """Command -> what may follow it."""
    commands = dict.fromkeys([*TAKES_SETTINGS, *OWN_WORDS])
    return {one: [*(settings if one in TAKES_SETTINGS else ()), *OWN_WORDS.get(one, ())] for one in commands}


def _zsh(commands: Sequence[str], settings: Sequence[str]) -> str:
    return "autoload -U +X bashcompinit && bashcompinit\n" + _bash(commands, settings)


def _fish(commands: Sequence[str], settings: Sequence[str]) -> str:
    seen = f"__fish_seen_subcommand_from {' '.join(TAKES_SETTINGS)}"
    lines = [f'complete -c pinnkit -n "{seen}" -a "{one}"' for one in settings]
    for command, words in OWN_WORDS.items():
        lines += [f'complete -c pinnkit -n "__fish_seen_subcommand_from {command}" -a "{one}"' for one in words]
    return FISH.replace("COMMANDS", " ".join(commands)) + "\n".join(lines) + "\n"


def _groups(conf: Path) -> Iterator[str]:
    """`network=mlp` for each option of each group, and `pde=NAME` for each problem."""
    yield from (f"pde={name}" for name in problems())
    for folder in (one for one in conf.iterdir() if one.is_dir() and one.name not in ("pde", "hydra")):
        yield from (f"{folder.name}={path.stem}" for path in folder.glob("*.yaml"))


def _keys(conf: Path) -> Iterator[str]:
    """`network.width=` for each key of each group, `seed=` for those of the whole configuration."""
    for path in [conf / "train.yaml", *conf.glob("*/*.yaml")]:
        group = "" if path.parent == conf else f"{path.parent.name}."
        if group not in ("hydra.", "experiment."):
            yield from _dotted(yaml.safe_load(path.read_text(encoding="utf-8")) or {}, group)


def _dotted(keys: Mapping[str, Any], before: str) -> Iterator[str]:
    for key, value in keys.items():
        if key in ("defaults", "hydra"):
            continue
        if isinstance(value, dict) and value:
            yield from _dotted(value, f"{before}{key}.")
        else:
            yield f"{before}{key}="
