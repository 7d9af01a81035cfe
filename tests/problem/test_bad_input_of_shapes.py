"""Bad input to shapes, regions, hard conditions, unknowns, tables and integrals: exit code 2, key, place and reason."""

from __future__ import annotations

import numpy as np
import pytest
import yaml

from pinnkit.cli.check import check
from tests.domains.test_mesh_file import CUBE, SIDES, obj

PLANE = {
    "coordinates": {"x": [-1, 1], "y": [-1, 1]},
    "fields": ["u"],
    "equations": "laplacian(u) = 0",
    "conditions": {"rim": {"at": "boundary", "equations": "u = 0"}},
}
LINE = {
    "coordinates": {"x": [0, 1], "t": [0, 1]},
    "fields": ["u"],
    "equations": "u_t = u_xx",
    "conditions": {"start": {"at": "t = 0", "equations": "u = 0"}},
}
SPACE = PLANE["coordinates"] | {"z": [-1, 1]}
LEFT, RIGHT = ({"box": {"lower": [low, -1], "upper": [high, 1]}} for low, high in ((-1, 0.1), (0, 1)))
HALVES = {"left": LEFT, "right": RIGHT}


def disk(radius, x=0.0):
    return {"disk": {"center": [x, 0], "radius": radius}}


def on(**conditions):
    """The conditions of a problem, each a place and its equation."""
    return {"conditions": {name: {"at": at, "equations": one, **more} for name, (at, one, *rest) in conditions.items()
                           for more in (rest[0] if rest else {},)}}  # fmt: skip


def learned(**settings):
    return {"equations": "u_t = k*u_xx", "parameters": {"k": settings}}


HARD = {"hard": True}
NO_NORMAL = "corners, points and lines inside and times have none"
CASES = {
    "a difference that leaves nothing": (
        PLANE | {"shapes": {"a": disk(0.5), "b": disk(0.7)}, "domain": "a - b"},
        "domain: nothing is left here: what is cut out covers all of it\n    a - b\n      ^",
    ),
    "an intersection that leaves nothing": (
        PLANE | {"shapes": {"a": disk(0.2, -0.5), "b": disk(0.2, 0.5)}, "domain": "a & b"},
        "domain: nothing is left here: the two have no part in common\n    a & b\n      ^",
    ),
    "a polygon that crosses itself": (
        PLANE | {"shapes": {"a": {"polygon": [[0, 0], [1, 1], [1, 0], [0, 1]]}}, "domain": "a"},
        "shapes.a.polygon.points: edge 1 ((0, 0) to (1, 1)) and edge 3 ((1, 0) to (0, 1)) cross or touch at (0.5, 0.5)",
    ),
    "a mesh that is not watertight": (
        PLANE | {"coordinates": SPACE, "shapes": {"a": {"mesh": "open.obj"}}, "domain": "a"},
        "shapes.a.mesh: 'open.obj' is not watertight: 3 of its 18 edges have a face on one side alone",
    ),
    "a level set that is never negative": (
        PLANE | {"shapes": {"a": {"level_set": "x^2 + y^2 + 1"}}, "domain": "a"},
        "shapes.a.level_set: is negative at none of 66049 points of the box; the least value is 1, at x = 0, y = 0",
    ),
    "a shape without a boundary in the domain": (
        PLANE | {"shapes": {"a": disk(0.3), "b": disk(0.2)}, "domain": "box - a"} | on(rim=("b", "u_n = 0")),
        "conditions.rim.at: no part of the boundary of 'b' lies in the domain, (x, y) in box - a\n",
    ),
    "a box that bounds nothing": (
        PLANE | {"shapes": {"a": disk(0.3)}, "domain": "a"} | on(rim=("box", "u_n = 0")),
        "conditions.rim.at: the box does not bound the domain, (x, y) in the disk of radius 0.3 about (0, 0); write b",
    ),
    "a place that an inequality leaves without points": (
        PLANE | {"shapes": {"a": disk(0.3)}, "domain": "box - a"} | on(rim=("a", "u = 0", {"where": "x > 0.5"})),
        "conditions.rim.where: holds at no point of the condition's place",
    ),
    "parts that overlap": (
        PLANE | {"shapes": HALVES, "fields": {"u": {"parts": ["left", "right"]}}},
        "fields.u.parts: left and right overlap, as at x = 0.0",
    ),
    "regions that overlap": (
        PLANE | {"shapes": HALVES, "equations": {name: {"equation": "u_xx = 0", "in": name} for name in HALVES}},
        "equations.right: holds in right, which overlaps left of left, as at x = 0.0",
    ),
    "a part of the domain without an equation": (
        PLANE | {"shapes": HALVES, "equations": {"a": {"equation": "u_xx = 0", "in": "left"}}},
        "equations: none for u holds at x = 0.2739, y = -0.4604: those with u hold in left alone.",
    ),
    "a region outside the domain": (
        PLANE | {"shapes": {"a": disk(0.2, -0.5), "b": disk(0.2, 0.5)}, "domain": "a",
                 "equations": {"c": "u_xx = 0", "d": {"equation": "u_yy = 0", "in": "b"}}},
        "equations.d.in: the shape 'b' has no part in the domain",
    ),
    "a name that no shape has, in the domain": (
        PLANE | {"shapes": {"hole": disk(0.5)}, "domain": "box - hule"},
        "domain: there is no shape 'hule'; did you mean 'hole'?\n    box - hule\n          ^",
    ),
    "a name that no shape has, as a place": (
        PLANE | {"shapes": {"hole": disk(0.5)}, "domain": "box - hole"} | on(rim=(["box", "hule"], "u = 0")),
        "conditions.rim.at: unknown place 'hule'; did you mean 'hole'?",
    ),
    "a name that no shape has, of a region": (
        PLANE | {"shapes": {"left": LEFT}, "equations": {"a": {"equation": "u_xx = 0", "in": "lft"}}},
        "equations.a.in: there is no shape 'lft'; did you mean 'left'?",
    ),
    "a name that no shape has, of an integral": (
        PLANE | {"shapes": {"hole": disk(0.5)}, "equations": "u_xx = integral(u, hule)"},
        "equations: there is no coordinate and no shape 'hule'; did you mean 'hole'?",
    ),
    "a shape that is made of itself": (
        PLANE | {"shapes": {"a": "box - b", "b": "a", "c": LEFT}, "domain": "a"},
        "shapes.a: uses 'b', which is not defined before: it is made of shapes and earlier names\n    box - b\n",
    ),
    "a region of a shape with a mistake": (
        PLANE | {"shapes": {"a": disk(-1)}, "equations": {"c": {"equation": "u_xx = 0", "in": "a"}}},
        "shapes.a.disk.radius: is -1: a number above zero is needed",
    ),
    "a shape that a range would move": (
        PLANE | {"shapes": {"a": disk("k")}, "domain": "a", "equations": {"c": {"equation": "u_xx = k", "in": "a"}},
                 "parameters": {"k": {"range": [0.1, 0.2]}}},
        "shapes: hold k, which has a range: the domain is one and the same for all its values",
    ),
    "a shape that a learned number would move": (
        PLANE | {"shapes": {"a": disk("k")}, "domain": "a", "equations": "u_xx = k", "parameters": {"k": {"learn": 1}}},
        "shapes.a.disk.radius: k is learned, so it cannot shape a domain",
    ),
    "a domain of a problem in time alone": (
        LINE | {"coordinates": {"t": [0, 1]}, "equations": "u_t = u", "domain": "a"},
        "domain: a problem without space has no shapes: its domain is the range of t",
    ),
    "the normal of a corner": (
        PLANE | on(c=({"x": 1, "y": 1}, "u_n = 0"), rim=("boundary", "u = 0")),
        "conditions.c.equations: 'u_n' uses the outward normal,",
    ),
    "the normal of a point": (
        PLANE | on(c=({"x": 0, "y": 0}, "u = n_x"), rim=("boundary", "u = 0")),
        f"over one: {NO_NORMAL}\n    u = n_x\n        ^",
    ),
    "hard conditions that meet with other values": (
        PLANE | on(a=("x = -1", "u = 0", HARD), b=("y = -1", "u = x", HARD)),
        "conditions.b.hard: gives u = -1 at x = -1, y = -1, where the hard condition 'a' gives 0, 1 away",
    ),
    "a table that does not cover the domain": (
        PLANE | {"equations": "u_xx = q", "tables": {"q": {"file": "short.csv"}}},
        "tables.q: does not cover the domain: it has x from -1 to 0.5, and the domain reaches from -1 to 1",
    ),
    "a table without a file": (
        PLANE | {"equations": "diff(q*u_x, x) = q_xx", "tables": {"q": {"file": "none.csv", "columns": ["x"]}}},
        "tables.q: there is no file",
    ),
    "an integral with a bound outside the domain": (
        LINE | {"equations": "u_t = u_xx + integral(u, x, 0, 2)"},
        "equations.equation: integral(u, x, 0, 2) leaves the domain: at x = 0.637, t = 0.2698 it evaluates u at x = 1",
    ),
    "an integral that leaves a shape": (
        PLANE | {"shapes": {"d": disk(0.5)}, "domain": "d", "equations": "u_xx = integral(u, x, -1, 1)"},
        "equations.equation: integral(u, x, -1, 1) leaves the domain: at x = ",
    ),
    "a start below its bound": (
        LINE | learned(learn=0.05, min=0.1),
        "parameters.k: starts at 0.05, but a bounded parameter starts above 0.1",
    ),
    "a start above its bound": (
        LINE | learned(learn=11, min=0.1, max=10),
        "parameters.k: starts at 11, but a bounded parameter starts between 0.1 and 10",
    ),
    "a number that is learned and has a range": (
        LINE | learned(learn=1, range=[0, 2]),
        "parameters.k: is to be learned and has a range: a learned parameter is one number",
    ),
}  # fmt: skip
"""The words of each problem, and what the message holds."""


@pytest.fixture
def checked(tmp_path, conf, capsys):
    """`pinnkit check` of some words: the exit code and what it writes."""

    def run(words):
        (tmp_path / "open.obj").write_bytes(obj(CUBE - 0.5, SIDES[1:]))
        (tmp_path / "short.csv").write_text("x,q\n" + "".join(f"{x},1\n" for x in np.linspace(-1, 0.5, 7)))
        (tmp_path / "mine.yaml").write_text(yaml.safe_dump(words, sort_keys=False))
        code = check([str(tmp_path / "mine.yaml")], conf)
        return code, capsys.readouterr().err

    return run


@pytest.mark.parametrize("case", CASES)
def test_it_is_refused_once_with_its_key_place_and_reason(case, checked):
    words, message = CASES[case]
    code, said = checked(words)
    assert code == 2
    assert message in said
    assert said.count("pinnkit: ") == 1
    mistakes = [line for line in said.splitlines() if not line.startswith(("    ", "warning: "))]
    assert len(mistakes) == 1, "what follows from a mistake is told too"


def test_a_complex_equation_without_the_imaginary_unit_is_a_warning(checked, caplog):
    code, said = checked(LINE | {"fields": {"u": "complex"}})
    assert code == 0, said
    told = "equations.equation: is complex and holds no i: is one missing, as in i*h_t? It reads u_t = u_xx"
    assert told in caplog.text
