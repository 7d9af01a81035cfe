"""Sources of Hydra's configuration: plain folders and problem files alone, and no file that has not been checked."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, cast

import yaml
from hydra._internal.core_plugins import file_config_source, importlib_resources_config_source
from hydra._internal.sources_registry import SourcesRegistry
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.object_type import ObjectType
from hydra.core.plugins import Plugins
from hydra.plugins.config_source import ConfigLoadError, ConfigResult, ConfigSource
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import OmegaConf

from pinnkit.cli import yaml_files
from pinnkit.language.errors import Mistake, ProblemError

SEARCHPATH = "hydra.searchpath"
PACKAGES = ("hydra.conf", "hydra_plugins")
"""Whose files Hydra may read as those of a Python package, which it imports for that."""


def guard(files: Mapping[str, Path]) -> None:
    """Let Hydra read by the sources below alone. Two of them have the names of its own, and replace those.

    Args:
        files: problem files, each the option of the group `pde` by which it is chosen; they come before all folders.
    """
    Plugins.instance().register(ProblemFiles)  # the instance registers Hydra's own
    for source in (FileConfigSource, ImportlibResourcesConfigSource, ProblemFileSource):
        SourcesRegistry.instance().types[source.scheme()] = source
    ProblemFiles.files = files


class FileConfigSource(file_config_source.FileConfigSource):
    """Files in a folder, each checked before anything is built from it."""

    def is_config(self, config_path: str) -> bool:
        return yaml_files.located(Path(self.path), self._normalize_file_name(config_path)).is_file()

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        found = super().list(config_path, results_filter)
        if config_path == "pde" and results_filter != ObjectType.GROUP:
            found = sorted({*found, *yaml_files.options([Path(self.path)], "pde")})
        return found

    def load_config(self, config_path: str) -> ConfigResult:
        name = self._normalize_file_name(config_path)
        path = Path(os.path.realpath(yaml_files.located(Path(self.path), name)))
        if not path.is_file():
            raise ConfigLoadError(f"Config not found : {path}")
        text = yaml_files.read(path, name, problem=name.split("/")[0] == "pde")
        config = _parsed(text, name)
        _check_defaults(config.get("defaults"), name)
        hydra = cast(dict[str, Any], OmegaConf.to_container(config, resolve=False)).get("hydra")
        check_searchpath(hydra.get("searchpath") if isinstance(hydra, dict) else hydra, f"{name}: {SEARCHPATH}")
        header = ConfigSource._get_header_dict(text[:512])
        return ConfigResult(config=config, path=f"file://{self.path}", provider=self.provider, header=header)


def _parsed(text: str, name: str) -> Any:
    try:
        return OmegaConf.load(io.StringIO(text))
    except yaml.YAMLError as error:  # a key that is there twice
        raise ProblemError([Mistake(name, f"is not YAML: {str(error).replace('<file>', name)}")]) from None


class ProblemFileSource(ConfigSource):
    """One problem file, as an option of the group `pde`: `problem://OPTION/path/from/the/root`."""

    def __init__(self, provider: str, path: str) -> None:
        super().__init__(provider, path)
        self.path, _, file = self.path.partition("/")  # Hydra shows it, and would resolve a ${ in it
        self.file = Path("/", file)

    @staticmethod
    def scheme() -> str:
        return "problem"

    def load_config(self, config_path: str) -> ConfigResult:
        text = yaml_files.read(self.file, str(self.file), problem=True)
        config = _parsed(text, str(self.file))
        header = ConfigSource._get_header_dict("")
        return ConfigResult(config=config, path=self.full_path(), provider=self.provider, header=header)

    def available(self) -> bool:
        return True

    def is_group(self, config_path: str) -> bool:
        return config_path in ("", "pde")

    def is_config(self, config_path: str) -> bool:
        return config_path in (f"pde/{self.path}", f"pde/{self.path}.yaml")

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        found = {"": ("pde", ObjectType.GROUP), "pde": (self.path, ObjectType.CONFIG)}.get(config_path)
        return [found[0]] if found is not None and results_filter in (None, found[1]) else []


class ProblemFiles(SearchPathPlugin):
    """Adds the problem files of the command line to what Hydra searches."""

    files: ClassVar[Mapping[str, Path]] = {}

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        for option, file in self.files.items():
            search_path.prepend("pinnkit", f"{ProblemFileSource.scheme()}://{option}{file}")


def _check_defaults(defaults: Any, name: str) -> None:
    """Refuse a list of other files that Hydra cannot read."""
    if defaults is None:
        return
    listed = OmegaConf.to_container(defaults, resolve=False) if OmegaConf.is_list(defaults) else [None]
    for one in cast(list[Any], listed):
        if not isinstance(one, str) and not (isinstance(one, dict) and len(one) == 1):
            message = "a list of names and of 'group: name' is needed, such as [mlp, _self_]"
            raise ProblemError([Mistake(f"{name}: defaults", message)])


class ImportlibResourcesConfigSource(importlib_resources_config_source.ImportlibResourcesConfigSource):
    """Files of Hydra's own package, or of a plugin that is installed."""

    def __init__(self, provider: str, path: str) -> None:
        super().__init__(provider, path)
        if self.path.split(".")[0] not in PACKAGES and self.path not in PACKAGES:
            raise ProblemError([Mistake(SEARCHPATH, f"'{path}' would import code: name a folder")])


def check_searchpath(value: Any, key: str) -> None:
    """Refuse what is not a list of folders that are there.

    Raises:
        ProblemError: a package (pkg://), which Hydra would import; an interpolation; no folder.
    """
    if value is None:
        return
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ProblemError([Mistake(key, f"{value!r} is no list of folders: write [/a/folder]")])
    for one in value:
        folder = one.removeprefix("file://")
        if "://" in folder or "${" in folder:
            raise ProblemError(
                [Mistake(key, f"'{one}' is no folder: only plain folders are searched (pkg:// would run code)")]
            )
        if not os.path.isdir(folder):
            raise ProblemError([Mistake(key, f"there is no folder '{one}'")])
