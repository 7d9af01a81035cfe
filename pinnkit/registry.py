"""Parts that are found by name: networks, samplers, weightings, optimizers, shapes, exporters."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

Part = TypeVar("Part", bound=type[Any])


class Registry(Mapping[str, type[Any]]):
    """The parts of one kind, by name: every class that a module of `package` has registered.

    The modules are imported when a name is first asked for, so that a part is added by adding its file. They are read
    before torch is loaded: a part imports torch inside its methods.

    Args:
        kind: what a part is called in messages, such as "network".
        package: the package whose modules hold the parts.
        tag: the key that names the part in a configuration.
        default: the part of a configuration without that key; None: the key is needed.

    Raises ValueError where two parts have one name, or one part has two.
    """

    def __init__(self, kind: str, package: str, tag: str = "name", default: str | None = None) -> None:
        self.kind, self.package, self.tag, self.default = kind, package, tag, default
        self._parts: dict[str, type[Any]] = {}
        self._loaded = False

    def register(self, name: str) -> Callable[[Part], Part]:
        """Decorate the class of a part, which gets the attribute `name`: `@NETWORKS.register("mlp")`."""

        def add(part: Part) -> Part:
            if name in self._parts:
                raise ValueError(f"two {self.kind}s are called '{name}': {self._parts[name]} and {part}")
            if part in self._parts.values():
                raise ValueError(f"{part} is called '{part.name}' and '{name}': register a class of its own for each")
            part.name = name
            self._parts[name] = part
            return part

        return add

    def __getitem__(self, name: str) -> type[Any]:
        self._load()
        if name not in self._parts:
            raise KeyError(self.unknown(name, f": one of {', '.join(self)} is needed"))
        return self._parts[name]

    def __iter__(self) -> Iterator[str]:
        self._load()
        return iter(sorted(self._parts))

    def __len__(self) -> int:
        self._load()
        return len(self._parts)

    def unknown(self, name: str, hint: str = "") -> str:
        """The message about a name that no part has.

        Args:
            hint: which names there are, such as `language.errors.suggestion` gives.
        """
        return f"unknown {self.kind} '{name}'{hint}"

    def discover(self) -> None:
        """Import the modules of the package that are not imported yet."""
        package = importlib.import_module(self.package)
        for module in pkgutil.iter_modules(package.__path__, f"{self.package}."):
            importlib.import_module(module.name)

    def _load(self) -> None:
        if not self._loaded:
            self._loaded = True  # a module of the package may itself ask for a name
            self.discover()
