"""Wrong values anywhere in the words of unknowns and tables are refused in words, or accepted."""

import copy
import random

import yaml

from pinnkit.language.errors import ProblemError
from pinnkit.problem.problem import Problem

WORDS = yaml.safe_load("""
coordinates: {x: [0, 1], t: [0, 1]}
fields: {u: [x, t], f: {coordinates: [u], range: [0, 1]}, k: {coordinates: [x], min: 0.1, max: 10}}
parameters: {c: {learn: 1, min: 0.5, max: 2}, nu: {range: [0.1, 1], log: true}}
define: {half: log(2)/c, re: 1/nu}
tables: {q: {file: {x: [0, 0.3, 0.6, 1], q: [1, 2, 3, 4]}, columns: [x], smooth: cubic}}
equations: {reaction: "u_t = nu*diff(k*u_x, x) + f - half*u + q"}
conditions: {start: {at: t = 0, equations: u = q}}
""")
VALUES = [
    None, -1, "x", "u", "q", [], {}, [1], ["nu"], {"x": 1}, True, float("nan"), "1/0", [[1]], {"learn": 1}, [1, 2],
    {"range": [0, 1]}, {"min": 1, "max": 0}, b"x", 10**400,
]  # fmt: skip


def places(node, at=()):
    """The keys on the way to every part of some words."""
    for key in node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ():
        yield (*at, key)
        yield from places(node[key], (*at, key))


def test_wrong_values_are_refused_in_words():
    rng, refused = random.Random(0), 0
    for place in places({key: WORDS[key] for key in ("fields", "parameters", "define", "tables")}):
        for value in rng.sample(VALUES, 5):
            words = copy.deepcopy(WORDS)
            part = words
            for key in place[:-1]:
                part = part[key]
            part[place[-1]] = value
            try:
                Problem(**words)
            except ProblemError:
                refused += 1
    assert refused > 100
