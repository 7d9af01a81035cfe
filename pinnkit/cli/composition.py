"""Hydra's composition of a configuration, and what of it is refused."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml
from hydra import version
from hydra._internal.hydra import Hydra
from hydra._internal.utils import create_config_search_path
from hydra.core.config_search_path import SearchPathQuery
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import ConfigCompositionException, HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from pinnkit.cli import hydra_settings, overrides, quoting, run_folders, sources, targets, yaml_files
from pinnkit.cli.arguments import Arguments
from pinnkit.cli.hydra_errors import LAUNCHER, NO_CHOICE, as_mistake
from pinnkit.cli.repetition import without_former_choices
from pinnkit.language.errors import Mistake, ProblemError, Report
from pinnkit.runs import shipped

VERSION = "1.3"
"""The version of Hydra whose defaults are taken."""
JOB = "train"
"""Hydra's name of the program, `hydra.job.name`."""


@dataclass(frozen=True)
class Composition:
    """A configuration as Hydra has composed it.

    Attributes:
        whole: with Hydra's own part.
        task: the rest as plain data; `problem_folder` is where the problem file lies.
        folder: where a run, or a sweep, leaves its results.
    """

    whole: DictConfig
    task: dict[str, Any]
    folder: Path

    def check_folder(self, key: str = "hydra.run.dir") -> None:
        """Refuse a folder that cannot be made.

        Raises:
            ProblemError: naming what is in the way.
        """
        if complaint := run_folders.unwritable_reason(self.folder):
            raise ProblemError([Mistake(key, complaint)])


class Composer:
    """Composes the configurations of one command line.

    Args:
        arguments: the command line.
        conf: the shipped configuration; files in `--config-dir` come before those of the same name in it.

    Raises:
        ProblemError: there is no such folder, or a problem file is none.
    """

    def __init__(self, arguments: Arguments, conf: Path) -> None:
        extra = arguments.config_dir
        if extra is not None and not extra.is_dir():
            raise ProblemError([Mistake("--config-dir", f"there is no folder '{extra}'")])
        if extra is not None and arguments.config_name == "train" and _holds_run(extra, conf):
            message = f"'{extra}' is the folder of a run: add --config-name config, or write resume={extra}"
            raise ProblemError([Mistake("--config-dir", message)])
        self.arguments = arguments
        self.folders = [conf] if extra is None else [extra, conf]
        for file in arguments.files.values():
            yaml_files.check(file, str(file))
        sources.guard(arguments.files)
        version.setbase(VERSION)
        first, *others = [str(folder.resolve()) for folder in self.folders]
        search = create_config_search_path(first)
        for folder in others:
            search.prepend("pinnkit", f"file://{folder}", SearchPathQuery(provider="schema"))
        GlobalHydra.instance().clear()
        self.hydra = Hydra.create_main_hydra2(JOB, search)

    def compose(self, given: Sequence[str]) -> Composition:
        """The configuration of a run with these overrides.

        Raises:
            ProblemError: an unknown key or group option, with the nearest right one; a file that is no YAML, or that
                names code to run.
        """
        named = [word.removeprefix("pde=") for word in given if word.startswith("pde=")]
        problem_file(named[-1] if named else None, self.arguments.files, self.folders)  # before Hydra meets the file
        try:
            whole, chosen = self._with_choices(given)
            choice = whole.hydra.runtime.choices.get("pde")
            task = task_of(whole, choice, self.arguments.files, self.folders) | chosen
        except (HydraException, OmegaConfBaseException, yaml.YAMLError) as error:
            raise ProblemError(self._mistakes(error, given)) from None
        task = without_former_choices(task, given, saved=choice is None and "problem_folder" in task)
        resume = task.get("resume")
        if resume is not None and not str(resume).strip():
            raise ProblemError([Mistake("resume", "is empty: name the folder of a run, or leave it out")])
        folder = run_folders.run_folder(whole, self.arguments.multirun)
        return Composition(whole, task, Path(str(folder if resume is None else resume)))

    def compose_sweep(self) -> Composition:
        """The configuration of a sweep itself: without what its runs differ in, and without a task.

        Raises:
            ProblemError: as for a run.
        """
        given = [*self.arguments.overrides, "hydra.mode=MULTIRUN"]
        try:
            whole = self._whole(self.arguments.config_name, given, RunMode.MULTIRUN)
        except (HydraException, OmegaConfBaseException, yaml.YAMLError) as error:
            raise ProblemError([self.mistake(error, given)]) from None
        return Composition(whole, {}, Path(run_folders.run_folder(whole, multirun=True)))

    def mistake(self, error: Exception, given: Sequence[str]) -> Mistake:
        """The mistake that an error of Hydra's is about."""
        return as_mistake(error, self.folders, lambda key: self._below(key, given))

    def _mistakes(self, error: Exception, given: Sequence[str]) -> list[Mistake]:
        """The mistakes of all overrides, of which an error of Hydra's is about the first."""
        found = [self.mistake(error, given)]
        key = found[0].key
        rest = [one for one in given if not f"{_key(one)}.".startswith(f"{key}.")]
        if "." not in key or len(rest) == len(given):  # without the choice of a file other keys would be wrong
            return found
        try:
            self._whole(self.arguments.config_name, rest)
        except ProblemError as other:
            found += other.mistakes
        except (HydraException, OmegaConfBaseException, yaml.YAMLError) as other:
            found += self._mistakes(other, rest)
        return found

    def _with_choices(self, given: Sequence[str]) -> tuple[DictConfig, dict[str, Any]]:
        """The checked configuration, and the parts of it that overrides such as optimizer=adam replace.

        The config.yaml of a run holds values and chooses no files, among which Hydra could choose another.
        """
        name = self.arguments.config_name
        try:
            return self._whole(name, given), {}
        except ConfigCompositionException as error:
            known = {path.name for folder in self.folders for path in folder.iterdir() if path.is_dir()}
            groups = {_key(one) for one in given if one.startswith(f"{_key(one)}=")} & known - {"pde", "hydra"}
            if name == "train" or not groups or NO_CHOICE not in str(error):
                raise
        whole = self._whole(name, [one for one in given if _key(one).split(".")[0] not in groups])
        chosen = plain(self._whole("train", [one for one in given if _key(one).split(".")[0] in groups]))
        return whole, {group: chosen[group] for group in groups if group in chosen}

    def _whole(
        self, name: str, given: Sequence[str], mode: RunMode = RunMode.RUN, everything: bool = False
    ) -> DictConfig:
        """The checked configuration with Hydra's own part.

        Args:
            everything: allow the targets of all known launchers.
        """
        overrides.check(given, self.folders)
        try:
            whole = self.hydra.compose_config(name, list(given), mode, from_shell=False)
        except RecursionError:
            message = "files choose each other, or themselves, without an end"
            raise ProblemError([Mistake("defaults", message)]) from None
        except KeyError as error:
            if not _of_shell(error):
                raise
            message = f"there is no environment variable {error}: set it in the shell, and leave this out"
            raise ProblemError([Mistake("hydra.job.env_copy", message)]) from None
        allowed = tuple(targets.LAUNCHERS) if everything else self._allowed(given)
        content = cast(dict[str, Any], OmegaConf.to_container(whole, resolve=False))
        check(content, allowed, self.arguments.multirun and not everything)
        return whole

    def _allowed(self, given: Sequence[str]) -> tuple[str, ...]:
        """The targets that the command line allows: a launcher that it names itself, where all files are pinnkit's own.

        A foreign file could set what a launcher runs (SLURM's `setup`).
        """
        arguments = self.arguments
        named = any(word.startswith(LAUNCHER) for word in given)
        groups = [value for key, _, value in (word.partition("=") for word in given) if "." not in key]
        foreign = arguments.config_dir is not None or arguments.config_name != "train"
        foreign = foreign or any(".." in one for one in groups) or any("searchpath" in word for word in given)
        return (*arguments.targets, *(targets.LAUNCHERS if named and not foreign else ()))

    def _below(self, key: str, given: Sequence[str]) -> Any:
        """What the configuration has below a key before any of its values is overridden."""
        top = key.split(".")[0]
        group = [one for one in given if key and one.startswith((f"{top}=", f"{top}/"))]
        whole = self._whole("train", group, everything=True)
        config: Any = OmegaConf.to_container(whole, resolve=False) if top == "hydra" else plain(whole)
        for part in key.split(".") if key else []:
            config = config.get(part, {}) if isinstance(config, dict) else {}
        return config


def _holds_run(folder: Path, conf: Path) -> bool:
    """Whether a folder has the config.yaml of a run, and no configuration files of the user's own."""
    groups = any((folder / group.name).is_dir() for group in conf.iterdir() if group.is_dir())
    return (folder / "config.yaml").is_file() and not (folder / "train.yaml").is_file() and not groups


def _key(override: str) -> str:
    return override.partition("=")[0].lstrip("+~")


def check(content: Mapping[str, Any], allowed: Sequence[str], multirun: bool) -> None:
    """Refuse a configuration that names code to run other than the targets that are allowed, or misuses Hydra's keys.

    Args:
        content: as composed, nothing resolved.

    Raises:
        ProblemError: each such key.
    """
    report = Report()
    targets.check(content, allowed, report)
    hydra_settings.check(content, multirun, report)
    report.raise_if_any()


def task_of(
    config: DictConfig, choice: str | None, files: Mapping[str, Path], folders: Sequence[Path]
) -> dict[str, Any]:
    """The task's part of a configuration as plain data, with the folder of its problem.

    Args:
        choice: the option of the group `pde`.

    Raises:
        ProblemError: the problem file is none.
    """
    task = plain(config)
    if choice is not None and task.get("resume") is None and "problem_folder" in task:
        message = "is that of the problem file: give it with resume=RUN, or with a run's config.yaml"
        raise ProblemError([Mistake("problem_folder", message)])
    if choice is not None:
        path = problem_file(choice, files, folders)
        task.setdefault("problem_folder", str(shipped.data_folder(path) if path else Path.cwd()))
        if isinstance(task.get("pde"), dict):
            task["pde"].setdefault("name", Path(choice).name.removesuffix(".yaml"))
    return task


def problem_file(choice: str | None, files: Mapping[str, Path], folders: Sequence[Path]) -> Path | None:
    """The file of a problem after its check; None where there is none.

    Raises:
        ProblemError: it describes no problem, or would do more than that.
    """
    if choice is not None and quoting.unquoted(choice) in files:
        return files[quoting.unquoted(choice)]  # checked already
    path = yaml_files.find(choice, folders) if choice else None
    if path is not None:
        yaml_files.check(path, f"pde/{path.name}")
    return path


def plain(config: DictConfig) -> dict[str, Any]:
    """The task's part of a configuration as plain data; a problem's texts are taken as they stand, never resolved."""
    task = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
    pde = cast(dict[str, Any], OmegaConf.to_container(task, resolve=False)).get("pde")
    others = OmegaConf.masked_copy(task, [str(key) for key in task if key != "pde"])
    content = cast(dict[str, Any], OmegaConf.to_container(others, resolve=True))
    return {"pde": pde, **content} if pde is not None else content


def _of_shell(error: KeyError) -> bool:
    """Whether it is of a variable of the shell that is not set."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    return last is not None and last.tb_frame.f_code is type(os.environ).__getitem__.__code__
