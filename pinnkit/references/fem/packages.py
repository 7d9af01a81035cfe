"""Packages that finite elements need."""

from __future__ import annotations

import importlib.util

PACKAGES = {"gmsh": "gmsh", "skfem": "scikit-fem"}


class MissingPackage(ValueError):
    """A package of the extra `fem` is not installed."""


def check_packages() -> None:
    """Raise MissingPackage, with what to install, where gmsh or scikit-fem is missing."""
    missing = [name for module, name in PACKAGES.items() if importlib.util.find_spec(module) is None]
    if missing:
        raise MissingPackage(f'reference=fem needs {" and ".join(missing)}: pip install "pinnkit[fem]"')
