"""`python scripts/benchmark_step.py`: the training step of every engine and, with --peers, of other frameworks."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark import step_table
from benchmark.step_problems import CASES, save_points
from pinnkit.operators.settings import ENGINES

HERE = Path(__file__).resolve().parent
SCRIPTS, ROOT = HERE.parents[:2]
SCRATCH = Path("outputs") / "benchmark_step"

PEERS: Mapping[str, tuple[str, ...]] = {
    "DeepXDE pytorch": ("deepxde_step", "--variant", "pytorch"),
    "DeepXDE jax": ("deepxde_step", "--variant", "jax"),
    "PINA": ("pina_step", "--variant", "plain"),
    "PINA fast": ("pina_step", "--variant", "fast"),
    "PINA compiled": ("pina_step", "--variant", "compiled"),
    "TorchPhysics": ("torchphysics_step",),
    "JAX reverse": ("jax_step", "--variant", "reverse"),
    "JAX forward": ("jax_step", "--variant", "forward"),
    "JAX taylor": ("jax_step", "--variant", "taylor"),
}


@dataclass(frozen=True)
class Work:
    """What all programs do: a problem at a size."""

    problem: str
    width: int
    depth: int
    points: int
    dtype: str

    def arguments(self) -> list[str]:
        size = ["--width", str(self.width), "--depth", str(self.depth), "--dtype", self.dtype]
        return ["--problem", self.problem, *size]


@dataclass(frozen=True)
class Program:
    """A program of its own: an interpreter, a module and its arguments; `path` is where the module is looked for."""

    name: str
    python: str
    path: Path
    arguments: tuple[str, ...]

    def shown(self) -> str:
        """The command as a person in the repository would type it."""
        return f"PYTHONPATH={self.path.relative_to(ROOT)} python -m {shlex.join(self.arguments)}"

    def run(self, timeout: float) -> dict[str, Any]:
        """The figures of one run, or why there are none."""
        known = os.environ.get("PYTHONPATH")
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(self.path), *([known] if known else [])])}
        try:
            done = subprocess.run(
                [self.python, "-m", *self.arguments], capture_output=True, text=True, env=environment, timeout=timeout
            )
        except subprocess.TimeoutExpired:
            return {"error": f"no result after {timeout:g} s"}
        lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
        if done.returncode == 0 and lines:
            return json.loads(lines[-1])
        message = [line for line in done.stderr.splitlines() if line.strip()] or ["nothing was printed"]
        return {"error": f"exit {done.returncode}: {message[-1].strip()}"}


def programs(work: Work, options: argparse.Namespace) -> list[Program]:
    """The bare matrix products, pinnkit's engines and, where they are asked for, the peers."""
    timing = ["--steps", str(options.steps), "--seconds", f"{options.seconds:g}"]
    common = [*work.arguments(), *timing, "--threads", str(options.threads), "--device", options.device]
    ours = [*common, "--points", str(work.points)]
    found = [Program(step_table.PRODUCTS, sys.executable, SCRIPTS, ("benchmark.matrix_products", *ours))]
    for engine in ENGINES:
        words = ("benchmark.step_run", "--engine", engine, *ours)
        found.append(Program(f"{step_table.OURS}{engine}", sys.executable, SCRIPTS, words))
    if options.peers:
        data = SCRATCH / f"{work.problem}_{work.points}.npz"
        data.parent.mkdir(parents=True, exist_ok=True)
        save_points(CASES[work.problem].problem(), work.points, 0, data)
        for name, (module, *variant) in PEERS.items():
            words = (f"peers.{module}", *variant, *common, "--data", str(data))
            found.append(Program(name, options.peers_python, HERE, words))
    return found


def measure(field: Sequence[Program], rounds: int, timeout: float) -> dict[str, list[dict[str, Any]]]:
    """All rounds, each through all programs; one that fails does not run again."""
    results: dict[str, list[dict[str, Any]]] = {one.name: [] for one in field}
    for number in range(1, rounds + 1):
        for one in field:
            if any("error" in result for result in results[one.name]):
                continue
            result = one.run(timeout)
            results[one.name].append(result)
            message = result.get("error") or f"{result['ms_per_step']:.3g} ms a step"
            print(f"  round {number}: {one.name}: {message}", flush=True)
    return results


def works(options: argparse.Namespace) -> Iterator[Work]:
    for problem in options.problems:
        points = options.points or CASES[problem].points // (8 if options.quick else 1)
        for width in options.widths:
            for dtype in options.dtypes:
                yield Work(problem, width, options.depth, points, dtype)


def benchmark(argv: Sequence[str]) -> int:
    """Time every work that the options ask for; step.md and step.json are written after each."""
    options = read(argv)
    report: dict[str, Any] = {
        "date": time.strftime("%Y-%m-%d"),
        "command": shown(argv),
        "machine": {"cpus": os.cpu_count(), "model": cpu_model(), "system": platform.system()},
        "threads": options.threads,
        "versions": {"python": platform.python_version()},
        "works": [],
    }
    options.output.mkdir(parents=True, exist_ok=True)
    for work in works(options):
        print(f"{work.problem}, {work.depth} x {work.width}, {work.points} points, {work.dtype}", flush=True)
        field = programs(work, options)
        results = measure(field, options.rounds, options.timeout)
        for result in (result for several in results.values() for result in several):
            note_versions(report["versions"], result.pop("versions", {}))
            report["machine"] |= {"device": result.pop("device")} if "device" in result else {}
        found = {
            "rows": step_table.rows(results),
            "commands": {one.name: one.shown() for one in field},
            "rounds": results,
        }
        report["works"].append({**vars(work), **found})
        (options.output / "step.json").write_text(json.dumps(report, indent=1) + "\n")
        (options.output / "step.md").write_text(step_table.markdown(report))
    return 0


def note_versions(known: dict[str, str], message: Mapping[str, str]) -> None:
    """Add a program's versions; another one of a package that is known already belongs to the peers' interpreter."""
    for name, number in message.items():
        known[name if known.get(name, number) == number else f"{name} (peers)"] = number


def read(argv: Sequence[str]) -> argparse.Namespace:
    def listed(kind: type = str) -> Any:
        return lambda text: [kind(part) for part in text.split(",")]

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    parser = argparse.ArgumentParser(prog="benchmark_step.py", description=__doc__)
    parser.add_argument("--problems", type=listed(), default=list(CASES), help=f"of {','.join(CASES)}")
    parser.add_argument("--widths", type=listed(int), help="default: 64")
    parser.add_argument("--depth", type=int, default=4, help="hidden layers")
    parser.add_argument("--dtypes", type=listed(), default=["float32"], help="of float32,float64")
    parser.add_argument("--points", type=int, help="points of the equations; default: each problem's own")
    parser.add_argument("--rounds", type=int, help="default: 5")
    parser.add_argument("--steps", type=int, help="measured steps of a round; default: 60")
    parser.add_argument("--seconds", type=float, default=30.0, help="measured time after which a round ends early")
    parser.add_argument("--timeout", type=float, default=900.0, help="seconds after which a process has failed")
    parser.add_argument("--threads", type=int, default=cores, help="default: all")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--peers", action="store_true", help="time the other frameworks too")
    parser.add_argument("--peers-python", default=sys.executable, help="the interpreter that has them; default: this")
    parser.add_argument("--quick", action="store_true", help="width 20, an eighth of the points, one round of 20 steps")
    parser.add_argument("--output", type=Path, default=Path("docs") / "results")
    options = parser.parse_args(argv)
    for name in options.problems:
        if name not in CASES:
            parser.error(f"there is no problem '{name}': choose of {', '.join(CASES)}")
    quick = options.quick
    options.widths = options.widths or [20 if quick else 64]
    options.rounds = options.rounds or (1 if quick else 5)
    options.steps = options.steps or (20 if quick else 60)
    return options


def shown(argv: Sequence[str]) -> str:
    """The command without the place of the peers' interpreter, which is this machine's own."""
    words = list(argv)
    for number, word in enumerate(words[:-1]):
        if word == "--peers-python":
            words[number + 1] = "PYTHON"
    words = ["--peers-python=PYTHON" if word.startswith("--peers-python=") else word for word in words]
    return shlex.join(["python", "scripts/benchmark_step.py", *words])


def cpu_model() -> str:
    """The processor's name, as Linux tells it."""
    message = Path("/proc/cpuinfo")
    lines = message.read_text().splitlines() if message.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"
