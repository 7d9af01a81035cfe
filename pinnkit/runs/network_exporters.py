"""Exporters that evaluate the network themselves, beside those of tables, and their registry."""

from __future__ import annotations

import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pinnkit.language.errors import Mistake, ProblemError
from pinnkit.reading import type_error
from pinnkit.registry import Registry
from pinnkit.reporting.exporters import EXPORTERS

if TYPE_CHECKING:
    from pinnkit.references.choose import Reference
    from pinnkit.runs.evaluation import Evaluation  # torch, which naming a format does not load
    from pinnkit.training.module import PINN

NETWORK_EXPORTERS = Registry("exporter", "pinnkit.runs.network_export")


@dataclass(frozen=True)
class Subject:
    """What is exported.

    Attributes:
        found: the fields as they were evaluated.
        reference: of which the fields' errors are measured.
        metadata: what describes the solution, of `export_metadata`.
        per_coordinate: points along each coordinate, for formats that hold values; None: a default.
    """

    module: PINN
    found: Evaluation
    reference: Reference | None
    metadata: Mapping[str, Any]
    per_coordinate: int | None = None


@dataclass(frozen=True)
class NetworkExporter(ABC):
    """A format for which the network is evaluated at points of its own, or which holds the network itself.

    Attributes:
        name: the format's name, `export=NAME`.
        packages: module -> package that it needs, of the extra of this name.
    """

    name: ClassVar[str]
    packages: ClassVar[Mapping[str, str]] = {}

    @abstractmethod
    def save(self, folder: Path, subject: Subject) -> Path:
        """Write into the folder; the path of the file to open.

        Raises:
            ProblemError: what the problem has cannot be written in this format.
        """


def formats() -> list[str]:
    """The names of all formats."""
    return sorted([*EXPORTERS, *NETWORK_EXPORTERS])


def check_format(name: str) -> None:
    """Refuse a format that there is not.

    Raises:
        ProblemError: naming those that there are.
    """
    if complaint := type_error(name, str, {"choices": formats()}):
        raise ProblemError([Mistake("export", f"{name!r}: {complaint}")])


def check_packages(name: str) -> None:
    """Make sure that what a format needs is installed.

    Raises:
        ProblemError: it is not; the message says what to install.
    """
    packages = NETWORK_EXPORTERS[name].packages if name in NETWORK_EXPORTERS else {}
    missing = [package for module, package in packages.items() if importlib.util.find_spec(module) is None]
    if missing:
        message = f'{name} needs {" and ".join(missing)}: pip install "pinnkit[{name}]"'
        raise ProblemError([Mistake("export", message)])
