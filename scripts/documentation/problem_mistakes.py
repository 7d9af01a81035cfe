"""Mistakes in problem files, with what to do about each."""

from __future__ import annotations

import re
from typing import Any

import yaml

from pinnkit.language.errors import ProblemError
from pinnkit.problem.checks import check
from pinnkit.problem.problem import Problem

BASE = """\
coordinates: {x: [-1, 1], t: [0, 1]}
fields: [u]
parameters: {alpha: 0.1}
equations: {heat: u_t = alpha * u_xx}
conditions:
  initial: {at: t = 0, equations: u = sin(pi*x)}
  ends: {at: [x = -1, x = 1], equations: u = 0}
exact: {u: exp(-alpha*pi^2*t) * sin(pi*x)}
"""
PLANE = """\
coordinates: {x: [-1, 1], y: [-1, 1]}
fields: [u]
shapes: {hole: {disk: {center: [0, 0], radius: 0.5}}}
domain: box - hole
equations: {poisson: laplacian(u) = 1}
conditions: {rim: {at: boundary, equations: u = 0}}
"""

MEASURED = re.compile(r"the residual is [^(]+ \(")
"""What differs in its last digits between machines."""

MISTAKES = (
    ("equatoins: u = 0", "The nearest key is proposed."),
    ("coordinates: null", "Name the coordinates with their ranges."),
    ("coordinates: {x: [1, 0], t: [0, 1]}", "The lower end comes first."),
    ("coordinates: {x: 3, t: [0, 1]}", "Write both ends."),
    ("fields: null", "Name the unknown functions."),
    ("fields: [u, x]", "Each name is declared once."),
    ("fields: {u: x}", "A field's coordinates are a list."),
    ("fields: {u: [x, tt]}", "The nearest coordinate is proposed."),
    ("fields: {u: {coordinates: [x, t], complx: true}}", "The nearest word is proposed."),
    ("fields: {u: [x, t], k: [x]}", "Use the field in an equation, or leave it out."),
    ("parameters: {alpha: x}", "A parameter is a number; what varies stands under `define`."),
    ("parameters: {alpha: {positive: true}}", "Write the start of what is to be learned."),
    ("parameters: {alpha: {learn: -2, positive: true}}", "The start lies within the bounds."),
    ("parameters: {alpha: {learn: 1, positiv: true}}", "The nearest word is proposed."),
    ("parameters: {alpha: 0.1, beta: {learn: 1}}", "Use it in an equation, or leave it out."),
    ("parameters: {alpha: {range: [0, 1], log: true}}", "The logarithm needs a range above zero."),
    ("define: {a: b, b: 1}", "A definition uses earlier names."),
    ("equations: []", "Write an equation."),
    ("equations: 5", "Write `left = right`."),
    ("equations: alpha = x", "An equation holds a field."),
    ("equations: {a b: u = 0}", "Use letters, digits, `_` and `-`."),
    ("equations: {heat: u_y = 0}", "Derivatives are by coordinates."),
    ("equations: {heat: {equation: u_t = u_xx, wieght: 2}}", "The nearest word is proposed."),
    ("equations: {heat: {equation: u_t = u_xx, weight: -1}}", "A weight is 0 or more."),
    ("equations: {objective: u_t = alpha * u_xx}", "Give another name."),
    ("conditions: [u = 0]", "Name each condition."),
    ("conditions: {a: u = 0}", "Say where, and what."),
    ("conditions: {a: {equations: u = 0}}", "Say where, by `at` or `data`."),
    ("conditions: {a: {at: t = 0}}", "Say what holds there."),
    ("conditions: {a: {at: t = 5, equations: u = 0}}", "The place lies in the domain."),
    ("conditions: {a: {at: boundry, equations: u = 0}}", "The nearest place is proposed."),
    ("conditions: {a: {at: {z: 0}, equations: u = 0}}", "A place names coordinates."),
    ("conditions: {a: {at: t = 0, where: x > 5, equations: u = 0}}", "The part must not be empty."),
    ("conditions: {a: {at: t = 0, equations: u = 0, hard: maybe}}", "Write true or false."),
    ("conditions: {a: {at: t = 0, where: x > 0, equations: u = 0, hard: true}}", "Leave `hard` or `where` out."),
    ("conditions: {a: {data: none.csv}}", "The file lies beside the problem's."),
    ("conditions: {heat: {at: t = 0, equations: u = 0}}", "Each equation and condition has a name of its own."),
    ("exact: {v: x}", "Give the solution of a field or of a learned parameter."),
    ("exact: {u: u}", "Write it in coordinates and parameters."),
    ("exact: {u: exp(-t) * sin(pi*x)}", "The equation, its residual and the place are named: one of the two is wrong."),
    ("exact: {u: exp(-alpha*pi^2*t) * sin(2*pi*x) * 4}", "The equation or the condition that it misses is named."),
    ("periodic: [y]", "Name coordinates."),
    ("transform: {u: softplos}", "The nearest transform is proposed."),
    ("transform: {v: exp}", "Name a field."),
    ("reference: spectrl", "Write `spectral`, `fem` or the name of a table."),
    ("quadrature: 1", "Write a whole number from 2 to 200."),
    ("name: 5", "Write a text."),
    ("shapes: {part: {disk: {center: [0, 0], radius: 1}}}", "A disk lies in two space coordinates."),
    ("domain: box - hole", "Name the shape under `shapes`."),
    ("tables: {q: {file: none.csv}}", "The file lies beside the problem's."),
)  # fmt: skip
"""Lines that change `BASE`, each to a mistake."""

PLANE_MISTAKES = (
    ("shapes: {hole: {disk: {center: [0, 0]}}}", "Give all settings of the shape."),
    ("shapes: {hole: {disc: {center: [0, 0], radius: 0.5}}}", "The nearest shape is proposed."),
    ("shapes: {hole: {disk: {center: [0, 0], radius: -1}}}", "A radius is above zero."),
    ("shapes: {hole: {disk: {center: [0, 0], radius: 0.5, raduis: 1}}}", "The nearest word is proposed."),
    ("domain: box - hale", "The nearest shape is proposed."),
    ("domain: hole - box", "Something of the domain must be left."),
    ("domain: box * hole", "Shapes are combined by `+`, `-` and `&`."),
    ("equations: {left: {equation: laplacian(u) = 1, in: hole}}", "A region lies in the domain."),
    ("conditions: {rim: {at: hoel, equations: u = 0}}", "The nearest place is proposed."),
    ("conditions: {rim: {at: {x: 0, y: 0}, equations: u = 0}}", "The place lies in the domain."),
)
"""Lines that change `PLANE`, each to a mistake."""


def answers(line: str, base: str = BASE) -> list[str]:
    """The messages, with their keys, about a problem that a line changes; none where it is right."""
    words: dict[str, Any] = {**yaml.safe_load(base), **yaml.safe_load(line)}
    try:
        found = check(Problem(**words)).mistakes
    except ProblemError as error:
        found = error.mistakes
    return [f"{one.key}: {MEASURED.sub('the residual is SIZE at PLACE (', one.message)}" for one in found]
