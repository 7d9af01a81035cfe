"""Estimated errors beside true ones, and errors before and after polishing, as a page.

Rows are kept beside the page, so that it can be made in several sittings; a run that is made again replaces its rows.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmark.accuracy import code
from benchmark.estimates_run import STAGES, rows
from benchmark.estimates_table import misleads, page
from pinnkit.reporting.atomic import write_text
from pinnkit.runs.shipped_problems import list_problems


def benchmark(argv: Sequence[str], scripts: Path) -> int:
    """Make rows and the page; 1 where an estimate misleads, else 0."""
    parser = argparse.ArgumentParser(prog="benchmark_estimates.py", description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=scripts.parent / "docs" / "results")
    parser.add_argument("--steps", type=int, nargs="+", default=STAGES, help="the stages of a training")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--merge", type=Path, nargs="*", default=[], help="rows of other machines to take in")
    parser.add_argument("--page", action="store_true", help="make the page from the rows alone")
    parser.add_argument("problems", nargs="*", metavar="NAME")
    options = parser.parse_args(argv)
    file = options.out / "estimates.json"
    kept: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    for other in options.merge:
        kept |= json.loads(other.read_text())
    names = [] if options.page else options.problems or sorted(list_problems())
    for seed in options.seeds:
        for name in names:
            with tempfile.TemporaryDirectory() as folder:
                for row in rows(name, seed, options.steps, Path(folder)):
                    kept[_key(name, row)] = {**row, "code": code(scripts.parent, "pinnkit", "conf")}
                    print(json.dumps({"problem": name, **row}), flush=True)
                    write_text(file, json.dumps(kept, indent=1) + "\n")
    write_text(file, json.dumps(kept, indent=1) + "\n")
    write_text(options.out / "estimates.md", page(kept))
    return int(any(misleads(row) for row in kept.values()))


def _key(name: str, row: Mapping[str, Any]) -> str:
    stage = f" {row['stage']}" if row["method"] == "network" else ""
    return f"{name} {row['method']}{stage} {row['seed']}"
