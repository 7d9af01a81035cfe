"""The command line: Hydra's flags, overrides, and paths of problem files."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from hydra._internal.utils import get_args_parser

from pinnkit.cli import problem_files, quoting, targets

OPEN = re.compile(
    r"(?:(weighting\.weights|network\.subdomains|network\.widths|manufactured|continuation)[.=]|problem_folder=)"
)
"""Keys that no file lists, such as those of mappings by names of the problem: an override adds what is new."""


@dataclass(frozen=True)
class Arguments:
    """The parsed command line.

    Attributes:
        plain: Hydra itself is to answer it (--help, --cfg, --info ...), by its `argv`.
        targets: classes that configuration files may name as code to run, besides those that every run may
            (--allow-target).
        files: problem files that are named by their paths, each by the name that stands for it in the overrides.
    """

    overrides: tuple[str, ...]
    multirun: bool
    config_dir: Path | None
    config_name: str
    plain: bool
    targets: tuple[str, ...] = ()
    argv: tuple[str, ...] = ()
    files: Mapping[str, Path] = field(default_factory=dict)

    def flags(self) -> list[str]:
        """The arguments that stand for `config_dir`, `config_name` and `targets`."""
        folder = ["--config-dir", str(self.config_dir)] if self.config_dir is not None else []
        allowed = [argument for target in self.targets for argument in (targets.FLAG, target)]
        return [*folder, "--config-name", self.config_name, *allowed]

    def restart_arguments(self) -> list[str]:
        """Arguments by which another process composes the same configuration."""
        return [*self.flags(), *problem_files.with_paths(self.overrides, self.files)]


def parse(argv: Sequence[str]) -> Arguments:
    """Split the flags from the overrides.

    Raises:
        ProblemError: there is no problem file at a path, or an argument is none of all this.
    """
    own = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    own.add_argument(targets.FLAG, dest="targets", action="append", default=[])
    allowed, others = own.parse_known_args(argv)
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--multirun", "-m", action="store_true")
    parser.add_argument("--config-dir", "-cd", type=Path)
    parser.add_argument("--config-name", "-cn", default="train")
    known, rest = parser.parse_known_args(others)
    plain = any(argument.startswith("-") for argument in rest)
    given = Arguments((), known.multirun, known.config_dir, known.config_name, plain, tuple(allowed.targets))
    if plain:
        return replace(given, argv=tuple(others))
    named, files = problem_files.separate(rest)
    return replace(given, overrides=_overrides(named), files=files)


def as_hydra(arguments: Arguments) -> Arguments:
    """The command line as Hydra's own parser reads it, where Hydra is to answer it: `--cfg job` holds no override.

    Raises:
        SystemExit: after a flag that Hydra does not know, or by which it would run what has not been checked.
        ProblemError: as for `parse`.
    """
    parser = get_args_parser()
    known = parser.parse_args(arguments.argv)
    if known.config_path or known.experimental_rerun:
        parser.error("--config-path and --experimental-rerun are not taken: name a folder by --config-dir")
    given, files = ([], {}) if known.shell_completion else problem_files.separate(known.overrides)
    replaced = dict(zip(known.overrides, given, strict=False))
    return replace(
        arguments,
        overrides=_overrides(given),
        multirun=known.multirun,
        config_dir=Path(known.config_dir) if known.config_dir else None,
        config_name=known.config_name or "train",
        argv=tuple(replaced.get(argument, argument) for argument in arguments.argv),
        files=files,
    )


def _overrides(given: Sequence[str]) -> tuple[str, ...]:
    return tuple("++" * bool(OPEN.match(override)) + quoting.with_quotes(override) for override in given)
