"""The error of an engine that cannot be used."""

from __future__ import annotations


class EngineUnsupported(RuntimeError):
    """An engine cannot be used for this run; the text says why."""
