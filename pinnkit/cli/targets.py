"""The code that configuration files may name: what Hydra would import and call."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pinnkit.language.errors import Report

FLAG = "--allow-target"
ALLOWED = frozenset(
    {
        "pinnkit.cli.multirun_summary.Summary",
        "hydra._internal.core_plugins.basic_launcher.BasicLauncher",
        "hydra._internal.core_plugins.basic_sweeper.BasicSweeper",
        "logging.Formatter",
        "logging.NullHandler",
        "logging.StreamHandler",
    }
)
"""By their whole names: below `hydra.` or `pinnkit.` stands much that calls what its arguments name."""

LAUNCHERS = frozenset(
    f"hydra_plugins.hydra_{name}"
    for name in (
        "joblib_launcher.joblib_launcher.JoblibLauncher",
        "submitit_launcher.submitit_launcher.LocalLauncher",
        "submitit_launcher.submitit_launcher.SlurmLauncher",
        "ray_launcher.ray_launcher.RayLauncher",
    )
)
"""What `hydra/launcher=NAME` on the command line allows, where no foreign `--config-dir` could set its commands."""

STREAMS = ("ext://sys.stdout", "ext://sys.stderr")
RESOLVERS = ("hydra", "now", "oc.env")
"""What ${name:...} may call; others, such as oc.create, make mappings out of text, which could hold a target."""


def check(config: Mapping[str, Any], allowed: Sequence[str], report: Report) -> None:
    """Refuse a composed configuration, Hydra's own part included, by which Hydra would run foreign code.

    Any file of a foreign `--config-dir` may write anywhere (`# @package _global_`). Hydra calls what stands under
    `_target_`, and Python's logging what its configuration names under `()`, `class` and as `ext://`.

    Args:
        config: as composed, nothing resolved.
        allowed: further targets, from the command line alone.
        report: gets the key, the target and the flag that allows it.
    """
    for key, name in _named(config):
        if name not in ALLOWED and name not in allowed:
            report.add(key, f"names '{name}' as code to run: if you trust it, add {FLAG} {name}")
    for key, name in _resolvers(config):
        if name not in RESOLVERS:
            report.add(key, f"calls ${{{name}:...}}: only {', '.join(RESOLVERS)} are taken, as others could make code")


def _leaves(config: Any, path: str = "") -> Iterator[tuple[str, str, Any]]:
    """Path, own key and value of every entry at any depth."""
    parts = config.items() if isinstance(config, Mapping) else enumerate(config) if isinstance(config, list) else ()
    for key, value in parts:
        where = f"{path}.{key}" if path else str(key)
        yield where, str(key), value
        yield from _leaves(value, where)


def _named(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Key and name of everything that would be called."""
    for where, key, value in _leaves(config):
        logs = where.startswith(("hydra.job_logging.", "hydra.hydra_logging."))
        if key == "_target_" or (logs and key in ("()", "class", ".")):
            yield where, str(value)
        elif logs and isinstance(value, str) and value.startswith(("ext://", "cfg://")) and value not in STREAMS:
            yield where, value


def _resolvers(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Key and name of every resolver that a text calls; one whose name is computed by ${."""
    for where, _, value in _leaves(config):
        if isinstance(value, str):
            for name, end in re.findall(r"\$\{\s*([^{}:$]*)([:}$]?)", value):
                if end in (":", "$"):
                    yield where, name.strip() if end == ":" else "${"
