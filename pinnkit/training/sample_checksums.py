"""Checksums of the samples that a run uses."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from pinnkit.problem.problem import Problem
from pinnkit.problem.shape_files import FILES
from pinnkit.references.table import Table


def sample_checksums(problem: Problem, reference: Any) -> dict[str, str]:
    """The SHA-256 of the samples of conditions, of tables, of a reference table, and of the files of shapes, by key.

    A run does not go on with others.
    """
    samples = {f"conditions.{one.name}.data": one.data for one in problem.conditions if one.data}
    samples |= {f"tables.{name}": one.columns for name, one in problem.tables.items()}
    if isinstance(reference, Table):
        samples["reference"] = {**reference.grid, **reference(reference.grid)}
    found = {}
    for key, columns in samples.items():
        sums = hashlib.sha256()
        for name in sorted(columns):
            sums.update(name.encode())
            sums.update(np.ascontiguousarray(columns[name]).tobytes())
        found[key] = sums.hexdigest()
    for name, described in (problem.config.get("shapes") or {}).items():
        for kind in FILES if isinstance(described, Mapping) else ():  # others are expressions of shapes, or names
            if kind in described:
                content = (problem.folder / described[kind]).read_bytes()
                found[f"shapes.{name}.{kind}"] = hashlib.sha256(content).hexdigest()
    return found
