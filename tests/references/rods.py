"""Small problems in one space coordinate and time."""

from __future__ import annotations

from pinnkit.problem.problem import Problem

ROD = {"x": [-1, 1], "t": [0, 1]}
SINE = {"at": "t = 0", "equations": "u = sin(pi*x)"}
ENDS = {"at": ["x = -1", "x = 1"], "equations": "u = 0"}
TIME = {"t": [0, 1]}
ONE = {"start": {"at": "t = 0", "equations": ["u = 1"]}}


def problem(equations, conditions, coordinates=ROD, fields=("u",), **words) -> Problem:
    return Problem(
        coordinates=coordinates,
        fields=fields if isinstance(fields, dict) else list(fields),
        equations=equations,
        conditions=conditions,
        **words,
    )


def heat(**words) -> Problem:
    return problem("u_t = 0.1*u_xx", {"initial": SINE, "ends": ENDS}, **words)


def start(*equations: str) -> dict:
    return {"at": "t = 0", "equations": list(equations)}
