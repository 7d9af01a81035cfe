"""The error of the finite element reference, and the packages that it needs."""

from __future__ import annotations

import importlib.util

from pinnkit.references.unsupported import UnsupportedProblem

METHOD = "fem"
PACKAGES = {"gmsh": "gmsh", "skfem": "scikit-fem"}


def unsupported(reason: str) -> UnsupportedProblem:
    """The error that says why this reference cannot treat a problem."""
    return UnsupportedProblem(reason, METHOD)


class MissingPackage(ValueError):
    """A package of the extra `fem` is not installed."""


def check_packages() -> None:
    """Raise MissingPackage, with what to install, where gmsh or scikit-fem is missing."""
    missing = [name for module, name in PACKAGES.items() if importlib.util.find_spec(module) is None]
    if missing:
        raise MissingPackage(f'reference=fem needs {" and ".join(missing)}: pip install "pinnkit[fem]"')
