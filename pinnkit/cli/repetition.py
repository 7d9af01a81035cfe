"""Overrides of what a run has chosen by the values that they change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

CHOSEN_BY = {
    "optimizer": ("phases",),
    "sampling.equations": ("sampling.equations_by_residual", "sampling.equations_doublings"),
    "sampling.conditions": ("sampling.conditions_doublings",),
    "sampling.redraw": ("sampling.residual_power", "sampling.residual_power_late", "sampling.residual_floor"),
    "sampling.residual_power": ("sampling.residual_power_late",),
}
"""Keys of config.yaml, and those with what a run has chosen by them."""


def without_former_choices(config: dict[str, Any], overrides: Sequence[str], saved: bool) -> dict[str, Any]:
    """A composed configuration in which the command line counts more than what files say in its place.

    `phases` or `stages` on the command line take the place of a file's optimizer. In the configuration of a former run
    null takes the place of what that run chose by a value that the command line sets; a run chooses it again.

    Args:
        overrides: of the command line.
        saved: whether the configuration is that of a former run.
    """
    named = {override.partition("=")[0].lstrip("+~").partition("@")[0] for override in overrides}

    def given(key: str) -> bool:
        return any(one == key or one.startswith(f"{key}.") for one in named)

    for key in ("phases", "stages"):
        if given(key) and not given("optimizer") and config.get(key) is not None:
            config = {**config, "optimizer": {"name": "auto"}}
    if given("stages") and not given("phases") and config.get("stages") is not None:
        config = {**config, "phases": None}
    if not saved or config.get("resume"):
        return config
    for key, chosen in CHOSEN_BY.items():
        if given(key):
            for one in chosen:
                config = config if given(one) else _without(config, one.split("."))
    return config


def _without(config: Mapping[str, Any], path: Sequence[str]) -> dict[str, Any]:
    first, *rest = path
    part = config.get(first)
    return {**config, first: _without(part, rest) if rest and isinstance(part, Mapping) else None if not rest else part}
