"""The pages that are made from the code, by the modules that make them."""

from __future__ import annotations

import importlib

PAGES = ("settings", "language", "commands", "python")


def made(name: str) -> str:
    """The text of `docs/reference/NAME.md`."""
    return importlib.import_module(f"documentation.{name}").page()
