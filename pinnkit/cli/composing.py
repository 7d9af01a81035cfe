"""Hydra's composition of a configuration, and what of it is refused."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra._internal.hydra import Hydra
from hydra._internal.utils import create_config_search_path
from hydra.core.config_search_path import SearchPathQuery
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig, OmegaConf

from pinnkit.cli import hydra_settings, overrides, sources, targets
from pinnkit.language.errors import Mistake, ProblemError, Report


def composed(
    name: str, words: Sequence[str], folders: Sequence[Path], allowed: Sequence[str] = (), multirun: bool = False
) -> DictConfig:
    """The configuration, Hydra's own part included; the first folders come first.

    Raises:
        ProblemError: it names code to run other than the targets that are allowed, or says to Hydra what it must not.
    """
    sources.guard()
    overrides.check(words, folders)
    first, *others = [str(folder.resolve()) for folder in folders]
    GlobalHydra.instance().clear()
    with initialize_config_dir(first, version_base="1.3"):
        search = create_config_search_path(first)
        for folder in others:
            search.prepend("pinnkit", f"file://{folder}", SearchPathQuery(provider="schema"))
        GlobalHydra.instance().clear()
        Hydra.create_main_hydra2("pinnkit", search)
        try:
            config = compose(name, list(words), return_hydra_config=True)
        except RecursionError:
            message = "files choose each other, or themselves, without an end"
            raise ProblemError([Mistake("defaults", message)]) from None
        except KeyError as error:
            if not _of_shell(error):
                raise
            message = f"there is no environment variable {error}: set it in the shell, and leave this out"
            raise ProblemError([Mistake("hydra.job.env_copy", message)]) from None
    content = OmegaConf.to_container(config, resolve=False)
    report = Report()
    targets.check(content, allowed, report)
    hydra_settings.check(content, multirun, report)
    report.raise_if_any()
    return config


def _of_shell(error: KeyError) -> bool:
    """Whether it is of a variable of the shell that is not set."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    return last is not None and last.tb_frame.f_code is type(os.environ).__getitem__.__code__


def plain(config: DictConfig) -> dict[str, Any]:
    """The task's part of a composed configuration; a problem's texts are taken as they stand, never resolved."""
    task = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
    pde = OmegaConf.to_container(task, resolve=False).get("pde")
    others = OmegaConf.masked_copy(task, [str(key) for key in task if key != "pde"])
    words = OmegaConf.to_container(others, resolve=True)
    return {"pde": pde, **words} if pde is not None else words
