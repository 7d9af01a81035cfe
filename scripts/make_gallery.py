"""The gallery of the documentation, made from run folders: docs/gallery.md and docs/images/gallery/NAME.png.

usage: python scripts/make_gallery.py RUN_FOLDER ... [--docs docs]

Each run is one of a shipped problem, which a folder with the problem's name holds, or whose configuration names it. Of
several runs of one problem the last one given counts. Problems without a run are listed with their command alone.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from pinnkit.problem.problem import Problem
from pinnkit.reporting.artifacts import RunFolder
from pinnkit.reporting.atomic import write_text
from pinnkit.reporting.overview import draw_overview, save_small
from pinnkit.reporting.planes import Planes
from pinnkit.runs import planes, shipped
from pinnkit.runs.shipped_problems import described

TITLES = {
    "ode": "Ordinary differential equations", "elliptic": "Elliptic equations", "parabolic": "Diffusion and reaction",
    "hyperbolic": "Waves and transport", "dispersive": "Dispersive waves", "fluids": "Flows", "solids": "Solids",
    "inverse": "Inverse problems", "pinnacle": "The PINNacle benchmark",
}  # fmt: skip
SHOWN = {"darcy_inverse": "k"}
"""The field that is drawn, where it is not the first."""
HIDDEN = ("hydra.", "callbacks", "logger", "overwrite", "resume")
"""Overrides that do not change a solution."""
HEAD = """# Gallery

Every shipped problem, by `scripts/make_gallery.py` from runs of some seconds
([random features](methods/features.md)) to a few minutes (trained networks), on two cores that many other programs
shared. Error, time and verdict are those of the very run that is shown: relative L2 errors against an independent
reference, and seconds of training. Settings other than the defaults are in the command; of several runs of
a problem the one with the smallest error is here. Some are unfinished, with errors of 10 % and more, and are marked
**not solved yet**. On cores of its own a run of the same time gets further; [results/problems.md](results/problems.md)
has the errors of the defaults, `pinnkit train pde=NAME`, after longer runs. Defaults change between versions, so that a
command need not repeat its picture to the digit.

A picture has the field on the left or above, and its error on a scale of its own beside or below it; of complex fields
modulus and phase; of one coordinate all fields with the reference dashed, and the size of their errors.
[Figures and animations](guides/figures.md) shows one of each kind, with what it says, and how to make others.
"""
UNSOLVED = 0.1
"""The relative error from which on a run counts as not solved."""


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--docs", type=Path, default=Path(__file__).resolve().parent.parent / "docs")
    arguments = parser.parse_args(argv)
    runs = {str(_config(path)["pde"]["name"]): RunFolder(path) for path in arguments.runs}
    images = arguments.docs / "images" / "gallery"
    images.mkdir(parents=True, exist_ok=True)
    for name, run in runs.items():
        save_small(overview(run), images / f"{name}.png")
        print(f"{name}: {(images / f'{name}.png').stat().st_size // 1024} kB", flush=True)
    write_text(arguments.docs / "gallery.md", page({name: run.read_metrics() for name, run in runs.items()}))
    return 0


def overview(run: RunFolder) -> Any:
    """The picture of a run, from its solution.npz; of three dimensions and time from its network."""
    config, arrays = _config(run.path), run.read_solution()
    folder = Path(shipped.located(config["problem_folder"])) if config.get("problem_folder") else Path()
    problem = Problem(folder=folder, **config["pde"])
    coordinates = {name: arrays[name] for name in problem.coordinates}
    grid = planes.grid(problem, coordinates, next(iter(arrays.values())).ndim == len(coordinates))
    fields = {one.name: arrays[one.name] for one in problem.unknowns}
    references = {name: arrays[f"{name}_reference"] for name in fields if f"{name}_reference" in arrays}
    return draw_overview(grid, fields, references, SHOWN.get(problem.name), _planes(run, problem))


def _planes(run: RunFolder, problem: Problem) -> Planes | None:
    if len(problem.coordinates) < 4 or len(problem.space) != 3:
        return None
    import pinnkit
    from pinnkit.runs import evaluation

    grid = planes.planes_grid(problem)
    inside = evaluation.inside_domain(problem, grid)
    found = evaluation.predict(pinnkit.load(run.path).module, grid.coordinates)
    return Planes(grid, evaluation.blanked(found, inside))


def page(metrics: Mapping[str, Mapping[str, Any]]) -> str:
    """The text of gallery.md from the metrics of each problem that was run."""
    files = shipped.problems()
    parts = [HEAD]
    for kind in sorted({path.parent.name for path in files.values()}, key=list(TITLES).index):
        parts.append(f"## {TITLES[kind]}\n")
        for name, path in files.items():
            if path.parent.name == kind:
                parts.append(entry(name, described(path), metrics.get(name)))
    return "\n".join(parts)


def entry(name: str, description: str, metrics: Mapping[str, Any] | None) -> str:
    """The part of one problem."""
    title = f"### {name}\n\n{description}\n"
    if metrics is None:
        return f"{title}\n`pinnkit train pde={name}`\n"
    errors = ", ".join(f"{field} {error:.1e}" for field, error in metrics["relative_l2"].items() if error is not None)
    learned = ", ".join(
        f"{one} = {found['value']:.4g}" + (f" (exact {found['exact']:.4g})" if "exact" in found else "")
        for one, found in metrics["learned"].items()
    )
    facts = [f"error: {errors}" if errors else "no reference"]
    facts += [f"learned: {learned}"] if learned else []
    facts += [f"{metrics['train_time_s']:.0f} s, {metrics['steps']} steps"]
    facts += [f"verdict: {metrics['verdict']}"] if metrics.get("verdict") else []
    wrong = [error for error in metrics["relative_l2"].values() if error is not None and error >= UNSOLVED]
    facts += ["**not solved yet**"] if wrong or metrics.get("verdict") == "unsolved" else []
    return f"{title}\n![{name}](images/gallery/{name}.png)\n\n{'; '.join(facts)}\n\n`{command(name, metrics)}`\n"


def command(name: str, metrics: Mapping[str, Any]) -> str:
    """What repeats a run."""
    words = [word for word in metrics.get("overrides", []) if not word.startswith((*HIDDEN, "pde="))]
    return " ".join(["pinnkit", "train", f"pde={name}", *words])


def _config(path: Path) -> dict[str, Any]:
    return yaml.safe_load(RunFolder(path).read_config())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
