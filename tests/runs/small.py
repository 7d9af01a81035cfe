"""A run of a second: what the tests of run folders, checkpoints and signals train."""

from pathlib import Path

import pinnkit
from pinnkit.cli.train import train
from pinnkit.problem.problem import Problem

CONF = Path(__file__).resolve().parents[2] / "conf"
DECAY = {
    "name": "decay",
    "coordinates": {"t": [0, 1]},
    "fields": ["u"],
    "parameters": {"rate": 1.0},
    "equations": {"decay": "u_t = -rate*u"},
    "conditions": {"start": {"at": "t = 0", "equations": "u = 1"}},
    "exact": {"u": "exp(-rate*t)"},
}
QUICK = {
    "network": {"width": 5, "depth": 1},
    "sampling": {"equations": 20},
    "operators": {"engine": "autograd"},
    "phases": ["ssbroyden"],
    "trainer": {"max_steps": 10},
    "callbacks": {"progress": False, "figures": False, "evaluate_every": 5},
    "logger": {"tensorboard": False},
}
WORDS = [
    "pde=decay", "network.width=5", "network.depth=1", "sampling.equations=20", "operators=autograd",
    "optimizer=ssbroyden", "trainer.max_steps=10", "callbacks=quiet", "callbacks.figures=false", "logger=none",
]  # fmt: skip
YAML = """
coordinates: {t: [0, 1]}
fields: [u]
parameters: {rate: 1.0}
equations: {decay: u_t = -rate*u}
conditions: {start: {at: t = 0, equations: u = 1}}
exact: {u: exp(-rate*t)}
"""


def solved(folder, words=DECAY, settings=QUICK, **options):
    """A run from Python."""
    return pinnkit.solve(Problem(**words), folder, settings, **options)


def command(folder, *words, flags=()):
    """The exit code of train.py, in this process, from a folder that holds pde/decay.yaml."""
    (folder / "pde").mkdir(exist_ok=True)
    if not (folder / "pde" / "decay.yaml").exists():
        (folder / "pde" / "decay.yaml").write_text(YAML)
    return train([*flags, "--config-dir", str(folder), *words], CONF)


def content(folder):
    """Every file below a folder, but its lock."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != ".pinnkit.lock")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
