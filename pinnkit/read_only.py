"""Pickles and copies of read-only mappings, of which problems are made."""

from __future__ import annotations

import copyreg
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any


def read_only(content: Mapping[Any, Any]) -> MappingProxyType[Any, Any]:
    """A mapping that cannot be changed."""
    return MappingProxyType(dict(content))


def _reduced(proxy: MappingProxyType[Any, Any]) -> tuple[Any, ...]:
    return read_only, (dict(proxy),)


def allow_pickles() -> None:
    """Let pickle and copy treat read-only mappings, which Python leaves to those who need it."""
    copyreg.pickle(MappingProxyType, _reduced)
