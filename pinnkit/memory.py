"""The memory that a run may take."""

from __future__ import annotations

from pathlib import Path

import psutil

GROUP = Path("/sys/fs/cgroup")
"""The files of Linux with the memory limit of a group of processes, such as a container."""


def free_memory() -> float:
    """Bytes that are free on this machine, or to the group of processes that this one is in."""
    free = float(psutil.virtual_memory().available)
    try:
        limit = float((GROUP / "memory.max").read_text())  # "max" where there is none
        used = float((GROUP / "memory.current").read_text())
        facts = dict(line.split() for line in (GROUP / "memory.stat").read_text().splitlines())
        cached = sum(float(facts.get(name, 0)) for name in ("active_file", "inactive_file"))
    except (OSError, ValueError):
        return free
    return max(0.0, min(free, limit - used + cached))  # cached files are given back when memory is needed
