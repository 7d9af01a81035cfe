"""What each of several processes runs: small problems, one after the other; saves what was trained.

python -m torch.distributed.run --nproc-per-node R tests/runs/ranks.py FOLDER "PROBLEM OPTIMIZER STEPS [SHARDS]"...
"""

import math
import os
import sys
from pathlib import Path

import torch

import pinnkit
from pinnkit.problem.groups import is_equations
from pinnkit.problem.problem import Problem
from pinnkit.runs import environment
from pinnkit.sampling.settings import REDRAWS
from pinnkit.training.stages import Stage

BURGERS = {
    "coordinates": {"x": [-1, 1], "t": [0, 1]},
    "fields": ["u"],
    "conditions": {
        "initial": {"at": "t = 0", "equations": "u = -sin(pi*x)"},
        "ends": {"at": ["x = -1", "x = 1"], "equations": "u = 0"},
    },
}


class Breaking:
    """The heat equation's residual, infinite in a corner after twelve steps, until the rate is halved.

    The corner has few points, so that the losses of some processes stay finite. As a context it watches the rate.
    """

    def __enter__(self):
        self.steps, self.share, self.rate = 0, 1.0, Stage.set_learning_rate

        def watched(stage, optimizer, step, share=1.0):
            self.steps, self.share = self.steps + 1, share
            return self.rate(stage, optimizer, step, share)

        Stage.set_learning_rate = watched
        return self

    def __exit__(self, *_):
        Stage.set_learning_rate = self.rate

    def __call__(self, p):
        broken = self.share == 1.0 and self.steps > 12
        return p.u_t - 0.1 * p.u_xx + torch.where(p.x > (0.97 if broken else 2.0), math.inf, 0.0)


BREAKING = Breaking()
PROBLEMS = {
    "spread": {**BURGERS, "equations": {"heat": "u_t = 0.1 * u_xx"}},
    "front": {  # whose points, those of its start among them, are drawn by residual
        **BURGERS,
        "equations": {"forced": "u_t + u*u_x = 0.01*u_xx + 20*exp(-900*x^2)"},
        "conditions": {**BURGERS["conditions"], "initial": {"at": "t = 0", "equations": "u = 5*exp(-900*x^2)"}},
    },
    "rar_d": {**BURGERS, "equations": {"heat": "u_t = 0.1 * u_xx"}},
    "r3": {**BURGERS, "equations": {"heat": "u_t = 0.1 * u_xx"}},
    "family": {
        **BURGERS,
        "parameters": {"nu": {"range": [0.001, 0.1], "log": True}},
        "equations": {"forced": "u_t + u*u_x = nu*u_xx + 20*exp(-900*x^2)"},
    },
    "wide": {**BURGERS, "equations": {"forced": "u_t + u*u_x = 0.01*u_xx + 20*exp(-900*x^2)"}},
    "interface": {  # a network in each of two parts, one with points by residual
        "coordinates": {"x": [-1, 1]},
        "shapes": {"left": {"box": {"lower": [-1], "upper": [0]}}, "right": {"box": {"lower": [0], "upper": [1]}}},
        "fields": {"u": {"parts": ["left", "right"]}},
        "equations": {
            "left": {"equation": "-u_xx = 50*exp(-2000*(x + 0.4)^2)", "in": "left"},
            "right": {"equation": "u_xx = 0", "in": "right"},
        },
        "conditions": {
            "ends": {"at": "boundary", "equations": "u = 0"},
            "contact": {"at": "left", "equations": ["u.left = u.right", "u.left_n = 4*u.right_n"]},
        },
    },
    "l_shape": {  # with a hole; its points, and those on its boundary, are drawn by residual
        "coordinates": {"x": [-1, 1], "y": [-1, 1]},
        "shapes": {
            "corner": {"box": {"lower": [0, -1], "upper": [1, 0]}},
            "hole": {"disk": {"center": [-0.5, 0.5], "radius": 0.25}},
        },
        "domain": "box - corner - hole",
        "fields": ["u"],
        "equations": {"poisson": "laplacian(u) = 50*exp(-900*(x^2 + (y - 0.1)^2))"},
        "conditions": {
            "edges": {"at": ["box", "corner"], "equations": "u = 5*exp(-900*(x - 0.5)^2)"},
            "rim": {"at": "hole", "equations": "u_n = 0"},
        },
    },
    "breaking": {**BURGERS, "equations": {"heat": BREAKING}},
    "mesh": {  # points in a part from a file, drawn by residual, and normals on it
        "coordinates": {"x": [-1, 1], "y": [-1, 1], "z": [-1, 1]},
        "shapes": {"part": {"mesh": "part.obj"}},
        "domain": "part",
        "folder": Path(__file__).parent,
        "fields": ["u"],
        "equations": {"source": "laplacian(u) = 300*exp(-60*(x^2 + y^2 + z^2))"},
        "conditions": {"rim": {"at": "part", "equations": "u_n = n_x"}},
    },
    "exact": {  # whose conditions hold by construction, so that the equations alone are trained
        **BURGERS,
        "equations": {"heat": "u_t = 0.1 * u_xx"},
        "conditions": {name: {**one, "hard": True} for name, one in BURGERS["conditions"].items()},
    },
    "volterra": {  # an integral at each point, and one over all of them
        "coordinates": {"t": [0, 2]},
        "fields": ["v"],
        "equations": {"memory": "v_t + v = integral(exp(s - t)*v(t=s), s, 0, t)"},
        "conditions": {
            "start": {"at": "t = 0", "equations": "v = 1"},
            "mean": {"equations": "integral(v, t) = 1.2454211"},
        },
        "quadrature": 6,
    },
    "deflated": {**BURGERS, "equations": {"heat": "u_t = 0.1 * u_xx"}},  # leaves what "spread levels" has found
    "continued": {  # at three values of a parameter, on which a hard condition depends
        **BURGERS,
        "parameters": {"nu": 0.01},
        "equations": {"burgers": "u_t + u*u_x = nu*u_xx"},
        "conditions": {**BURGERS["conditions"], "initial": {"at": "t = 0", "equations": "u = nu*x", "hard": True}},
    },
    "inverse": {  # a learned parameter, and conditions at single points
        "coordinates": {"t": [0, 4]},
        "fields": ["u"],
        "parameters": {"k": {"learn": 0.5, "positive": True}},
        "equations": {"decay": "u_t = -k*u"},
        "conditions": {
            "start": {"at": "t = 0", "equations": "u = 1"},
            "end": {"at": "t = 4", "equations": "u = exp(-4)"},
        },
    },
}
WEIGHTINGS = {
    "causal": {"name": "causal", "every": 3, "terms": "ntk"},
    "attention": {"name": "residual_attention", "every": 3},
}
"""Of problems that are named with one, as front:causal."""
FIRST_ORDER = ("adam", "soap")
OPTIMIZERS = (
    *FIRST_ORDER, "lbfgs", "bfgs", "ssbfgs", "ssbroyden", "gauss_newton", "gauss_newton_cg", "engd_w", "spring"
)  # fmt: skip


def settings(problem, optimizer, steps, ranks, shards, weighting=""):
    """A small run; points are drawn anew in it, and their number is no multiple of the ranks."""
    return {
        "network": {"width": 64, "depth": 1} if problem == "wide" else {"width": 8, "depth": 2},
        "sampling": {
            "equations": 1025 if problem == "wide" else 101,
            "conditions": 21,
            "redraw_every": 4,
            "batch": 31 if optimizer in FIRST_ORDER else None,
            "redraw": problem if problem in REDRAWS else "rad",
        },
        **_sequence(optimizer),
        "continuation": {"nu": [0.1, 0.03]} if problem == "continued" else None,
        "operators": {"engine": "compiled" if problem == "wide" else "autograd"},
        "trainer": {"max_steps": steps, "devices": ranks, "shards": shards},
        "checkpoint": {"every_steps": 8},
        **({"weighting": WEIGHTINGS[weighting]} if weighting else {}),
        "callbacks": {"progress": False, "figures": False},
        "logger": {"tensorboard": False},
    }


def _sequence(optimizer):
    """The stages of an optimizer alone, or of two levels, or of two windows of time.

    SPRING has the damping that the kernel of more points than parameters needs, if its rounding is to stay small.
    """
    if optimizer == "levels":
        return {"stages": [{"name": "ssbroyden", "steps": 5}, "level", "ssbroyden"]}
    if optimizer == "windows":
        return {"windows": 2, "phases": ["ssbroyden"]}
    return {"phases": [{"name": optimizer, **({"damping": 1e-4} if optimizer == "spring" else {})}]}


def solved(name, ranks, folder):
    """Solve "PROBLEM OPTIMIZER STEPS [SHARDS]".

    Gives the trained parameters (n,), the points of the last draw, and which groups have them by residual.
    """
    problem, optimizer, *numbers = name.split()
    problem, _, weighting = problem.partition(":")
    steps, shards = (*map(int, numbers), None)[:2]
    words = settings(problem, optimizer, steps, ranks, shards, weighting)
    run = folder / f"{problem}_{optimizer}{weighting}"
    if problem == "deflated":
        words["deflation"] = [str(folder / "spread_levels")]
    resume = (run / "checkpoints" / "last.ckpt").exists()
    with BREAKING:
        module = pinnkit.solve(Problem(name=problem, **PROBLEMS[problem]), run, words, resume=resume).module
    batches = module.trainer.datamodule.batches()
    group = next(name for name in batches if is_equations(name))
    shards = [shard[group] for shard in module.ranks.share(batches)]
    return {
        "parameters": torch.cat([one.detach().flatten() for one in module.model.trainable().values()]),
        "points": batches[group].coordinates,
        "conditions": torch.cat(
            [batches[group].coordinates[:0]] + [one.coordinates for name, one in batches.items() if name != group]
        ),
        "by_residual": sorted(module.trainer.datamodule.by_residual),
        "own": torch.cat(
            [one.coordinates if one.shares is None else one.coordinates[one.shares[:, 0] > 0] for one in shards]
        ),
    }


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    ranks = int(os.environ.get("WORLD_SIZE", 1))
    found = {name: solved(name, ranks, folder) for name in sys.argv[2:]}
    torch.save(found, folder / f"rank{environment.rank() or 0}.pt")
