"""The command line: Hydra's flags and overrides, and what a wrong one is answered with."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from hydra._internal.utils import get_args_parser
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Glob, Override
from hydra.errors import ConfigCompositionException, HydraException, MissingConfigException, OverrideParseException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from pinnkit.cli import paths, targets, yaml_files
from pinnkit.cli.composing import composed, plain
from pinnkit.language.errors import Mistake, ProblemError, suggestion
from pinnkit.reading import elsewhere
from pinnkit.settings import Settings

OPEN = re.compile(r"(weighting\.weights|manufactured)[.=]")
"""Mappings whose keys are names of the problem, so that no file can list them: Hydra is told to add what is new."""
LAUNCHER = "hydra/launcher="
MISSING = r"Could not \w+ '([^']+)/([^'/]+)'"
"""What Hydra says of a group's option that no file has."""


@dataclass(frozen=True)
class Arguments:
    """The parsed command line.

    `plain`: Hydra itself is to answer it (--help, --cfg, --info ...), by its `words`; `targets`: classes that
    configuration files may name as code to run, besides those that every run may (--allow-target).
    """

    overrides: tuple[str, ...]
    multirun: bool
    config_dir: Path | None
    config_name: str
    plain: bool
    targets: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    def flags(self) -> list[str]:
        """The words that stand for `config_dir`, `config_name` and `targets`."""
        folder = ["--config-dir", str(self.config_dir)] if self.config_dir is not None else []
        allowed = [word for target in self.targets for word in (targets.FLAG, target)]
        return [*folder, "--config-name", self.config_name, *allowed]


def parse(argv: Sequence[str]) -> Arguments:
    """Split the flags from the overrides."""
    own = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    own.add_argument(targets.FLAG, dest="targets", action="append", default=[])
    allowed, words = own.parse_known_args(argv)
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--multirun", "-m", action="store_true")
    parser.add_argument("--config-dir", "-cd", type=Path)
    parser.add_argument("--config-name", "-cn", default="train")
    known, rest = parser.parse_known_args(words)
    plain = any(word.startswith("-") for word in rest)
    return Arguments(
        _overrides(rest),
        known.multirun,
        known.config_dir,
        known.config_name,
        plain,
        tuple(allowed.targets),
        tuple(words),
    )


def as_hydra(arguments: Arguments) -> Arguments:
    """The command line as Hydra's own parser reads it, where Hydra is to answer it: `--cfg job` holds no override.

    Raises:
        SystemExit: after a flag that Hydra does not know, or by which it would run what has not been checked.
    """
    parser = get_args_parser()
    known = parser.parse_args(arguments.words)
    if known.config_path or known.experimental_rerun:
        parser.error("--config-path and --experimental-rerun are not taken: name a folder by --config-dir")
    return replace(
        arguments,
        overrides=() if known.shell_completion else _overrides(known.overrides),
        multirun=known.multirun,
        config_dir=Path(known.config_dir) if known.config_dir else None,
        config_name=known.config_name or "train",
    )


def _overrides(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"++{word}" if OPEN.match(word) else paths.with_quotes(word) for word in words)


@dataclass(frozen=True)
class Composition:
    """A configuration as Hydra composes it."""

    words: dict[str, Any]
    """As plain data; `problem_folder` is where the pde file lies."""
    folder: Path
    """Where a run, or a sweep, leaves its results."""

    def check_folder(self, key: str = "hydra.run.dir") -> None:
        """Refuse a folder that cannot be made.

        Raises:
            ProblemError: naming what is in the way.
        """
        if complaint := paths.closed(self.folder):
            raise ProblemError([Mistake(key, complaint)])


def configuration(arguments: Arguments, conf: Path, overrides: Sequence[str] | None = None) -> dict[str, Any]:
    """The words of `composition`."""
    return composition(arguments, conf, overrides).words


def composition(arguments: Arguments, conf: Path, overrides: Sequence[str] | None = None) -> Composition:
    """Compose the configuration as Hydra will. Files in `--config-dir` come before pinnkit's own of the same name.

    Raises:
        ProblemError: an unknown key or group option, with the nearest right one; a file that is no YAML, or that
            names code to run.
    """
    overrides = list(arguments.overrides if overrides is None else overrides)
    extra = arguments.config_dir
    folders = [conf] if extra is None else [extra, conf]
    if extra is not None and not extra.is_dir():
        raise ProblemError([Mistake("--config-dir", f"there is no folder '{extra}'")])
    named = [word.removeprefix("pde=") for word in overrides if word.startswith("pde=")]
    _find_problem(named[-1] if named else None, folders)  # before Hydra meets a file that it cannot read
    try:
        config = composed(arguments.config_name, overrides, folders, _allowed(arguments, overrides), arguments.multirun)
        words, choice = plain(config), OmegaConf.select(config, "hydra.runtime.choices.pde")
    except (HydraException, OmegaConfBaseException, yaml.YAMLError) as error:
        raise ProblemError([_mistake(error, overrides, folders)]) from None
    path = _find_problem(choice, folders)
    if choice is not None:
        words["problem_folder"] = str(path.parent if path else Path.cwd())
        if isinstance(words.get("pde"), dict):
            words["pde"].setdefault("name", Path(choice).name)
    resume = words.get("resume")
    if resume is not None and not str(resume).strip():
        raise ProblemError([Mistake("resume", "is empty: name the folder of a run, or leave it out")])
    folder = paths.run_folder(config, arguments.multirun)
    if not folder.strip():
        raise ProblemError(
            [Mistake(f"hydra.{'sweep' if arguments.multirun else 'run'}.dir", "is empty: name a folder")]
        )
    return Composition(words, Path(str(folder if resume is None else resume)))


def _allowed(arguments: Arguments, overrides: Sequence[str]) -> tuple[str, ...]:
    """The targets that the command line allows: a launcher that it names itself, where all files are pinnkit's own.

    A foreign file could set what a launcher runs (SLURM's `setup`).
    """
    named = any(word.startswith(LAUNCHER) for word in overrides)
    groups = [value for key, _, value in (word.partition("=") for word in overrides) if "." not in key]
    foreign = arguments.config_dir is not None or arguments.config_name != "train" or any(".." in one for one in groups)
    foreign = foreign or any("searchpath" in word for word in overrides)
    return (*arguments.targets, *(targets.LAUNCHERS if named and not foreign else ()))


def _find_problem(choice: str | None, folders: Sequence[Path]) -> Path | None:
    path = yaml_files.find(choice, folders) if choice else None
    if path is not None:
        yaml_files.check(path)
    return path


def variants(arguments: Arguments, conf: Path) -> Iterator[list[str]]:
    """The overrides of single runs that between them hold every value of a sweep.

    Raises:
        ProblemError: an override that cannot be read.
    """
    if not arguments.multirun:
        yield list(arguments.overrides)
        return
    try:
        parsed = OverridesParser.create().parse_overrides(list(arguments.overrides))
    except OverrideParseException as error:
        raise ProblemError([_unreadable(str(error))]) from None
    choices = [_values(override, [arguments.config_dir or conf, conf]) for override in parsed]
    first = [values[0] for values in choices]
    yield first
    for place, values in enumerate(choices):
        for value in values[1:]:
            yield [*first[:place], value, *first[place + 1 :]]


def _values(override: Override, folders: Sequence[Path]) -> list[str]:
    """An override for each value of a sweep; the override itself where it is none."""
    key = override.get_key_element()
    value = override.value()
    if isinstance(value, Glob):  # glob(*) of the files of a group
        names = sorted({path.stem for folder in folders for path in (folder / key).glob("*.yaml")})
        matching = value.filter(names)
        if not matching:
            raise ProblemError([Mistake(key, f"no file matches {override.input_line}{suggestion('', names)}")])
        return [f"{key}={name}" for name in matching]
    if not override.is_sweep_override() or not override.is_discrete_sweep():
        return [override.input_line]
    return [f"{key}={one}" for one in override.sweep_string_iterator()]


def _mistake(error: Exception, overrides: Sequence[str], folders: Sequence[Path]) -> Mistake:
    text = str(error)
    if isinstance(error, yaml.YAMLError):
        return Mistake("YAML", text)
    if isinstance(error, MissingConfigException) and (found := re.search(MISSING, text)):
        group, name = found.groups()
        options = {path.stem for folder in folders for path in (folder / group).glob("*.yaml") if path.is_file()}
        if f"{group}=" == LAUNCHER:
            message = "if it is one of Hydra's: pip install 'pinnkit[launchers]', or hydra-ray-launcher"
            return Mistake(group, f"there is no '{name}'{suggestion(name, sorted(options))}; {message}")
        return Mistake(group, f"there is no '{name}'{suggestion(name, sorted(options))}")
    if isinstance(error, OverrideParseException):
        return _unreadable(text)
    if found := re.search(r"Could not override '([^']+)'", text):
        return _unknown_key(found.group(1), text, overrides, folders)
    if isinstance(error, ConfigCompositionException) and text and "full_key: " not in text:
        return _unreadable(text)
    reason, *rest = (text or str(error.__cause__)).splitlines()
    file = re.match(r"In '([^']+)': .* raised while composing config:$", reason)
    if file and rest:
        reason, *rest = rest
    key = next((line.split()[1] for line in rest if re.match(r"\s*full_key: \S", line)), None)
    return Mistake(key or (f"{file[1]}.yaml" if file else "configuration"), reason)


def _unreadable(text: str) -> Mistake:
    """An override whose text Hydra cannot read."""
    hint = "quote a value that holds spaces, commas or an = : 'pde.equations.heat=\"u_t = u_xx\"'"
    return Mistake("command line", f"{text.split(chr(10) + 'See')[0]}\n{hint}")


def _unknown_key(key: str, text: str, overrides: Sequence[str], folders: Sequence[Path]) -> Mistake:
    """An override of a key that does not exist, with the nearest that does."""
    parent, _, last = key.rpartition(".")
    top = parent.split(".")[0]
    group = [one for one in overrides if parent and one.startswith((f"{top}=", f"{top}/"))]
    config = composed("train", group, folders, tuple(targets.LAUNCHERS))
    words: Any = OmegaConf.to_container(config, resolve=False) if top == "hydra" else plain(config)
    for part in parent.split(".") if parent else []:
        words = words.get(part, {}) if isinstance(words, dict) else {}
    valid = [str(name) for name in words] if isinstance(words, dict) else []
    if parent == "optimizer" and words == {"name": "auto"}:
        return Mistake(key, "optimizer=auto chooses its settings itself: name an optimizer too, such as optimizer=adam")
    if last in valid:  # the key exists, its new value does not fit
        return _unreadable(text)
    near = elsewhere(Settings, last) if not parent else ""
    return Mistake(key, f"unknown key '{last}'{near or suggestion(last, valid)}")
