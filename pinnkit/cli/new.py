"""`pinnkit new`: a commented problem file to start from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from pinnkit.cli.entry import FAILED, FINISHED, asks_help, report_error
from pinnkit.cli.invocation import as_typed

HELP = """
Write a commented problem file to start from: a heat equation that trains as it stands.

usage: python scripts/new.py NAME

  NAME    the name of the problem; the file is NAME.yaml in this folder, or FOLDER/NAME.yaml

example:
  python scripts/new.py rod

`pinnkit check rod.yaml` prints it as understood, and `pinnkit train rod.yaml` solves it.
Exit codes: 0 written, 2 the file is there already or the name cannot be one, 1 it cannot be written.
"""
TEMPLATE = """\
# A problem of pinnkit: `pinnkit check {name}.yaml` prints it as understood, `pinnkit train {name}.yaml` solves it.
description: Heat in a rod whose ends are kept at zero.

# Names and ranges, in the order of the network's inputs; t is time. [0, pi] and [-a, a] with a parameter a work too.
coordinates: {{x: [0, 1], t: [0, 1]}}

# Unknown functions, of all coordinates: [u, v]. Of some alone: {{u: [x, t], k: [x]}}; complex: {{h: complex}}.
fields: [u]

# Numbers by name. To be found from data: {{alpha: {{learn: 0.5, positive: true}}}}; a family of problems, with the
# parameter as an input of the network: {{alpha: {{range: [0.01, 1], log: true}}}}.
parameters: {{alpha: 0.1}}

# left = right, or what is to be zero; one, a list, or named. Derivatives: u_x, u_xxt, laplacian(u), diff(a*u_x, x).
equations:
  heat: u_t = alpha*u_xx

# Each says where (at) and what (equations). `hard: true` holds it exactly; else it is a term of the loss with a weight.
# Places: t = 0, [x = 0, x = 1], boundary (all but the faces of t), the name of a shape. Normal derivative: u_n.
conditions:
  start: {{at: t = 0, equations: u = sin(pi*x), hard: true}}
  ends: {{at: boundary, equations: u = 0, hard: true}}
  # samples: {{data: samples.csv}}            # measured values of u, in columns x, t, u

# A part of the plane or of space, instead of the whole box of the ranges:
# shapes: {{hole: {{disk: {{center: [0.5, 0.5], radius: 0.2}}}}}}
# domain: box - hole

# What the error is measured against: a closed form here, or `reference: spectral`, `reference: fem`, or a table's file.
# Without one, delete the line: the run says how well the equations hold, and no more.
exact: {{u: exp(-alpha*pi^2*t)*sin(pi*x)}}
"""


def new(argv: Sequence[str]) -> int:
    """Write NAME.yaml; returns the exit code: 0, 2 for a mistake, 1 where it cannot be written."""
    if asks_help(argv, HELP):
        return FINISHED
    if len(argv) != 1:
        return report_error("command line: write one name, as in 'pinnkit new rod'")
    path = Path(argv[0]).with_suffix(".yaml") if argv[0].endswith((".yaml", ".yml")) else Path(f"{argv[0]}.yaml")
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", path.stem):
        return report_error(f"new: '{path.stem}' is no name of a problem: letters, digits and _, a letter first")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(TEMPLATE.format(name=path.stem))
    except FileExistsError:
        return report_error(f"new: {path} is there already; choose another name")
    except OSError as error:
        report_error(f"new: {path} cannot be written: {error.strerror or error}")
        return FAILED
    print(as_typed(f"written to {path}; python scripts/check.py {path} prints it as understood"))
    return FINISHED
