"""Problems with hard conditions of every kind."""

from pinnkit.language.errors import Report
from pinnkit.problem.hard.ansatz import ansatz_of
from pinnkit.problem.problem import Problem

HEAT = {
    "name": "rod",
    "coordinates": {"x": [-1, 1], "t": [0, 1]},
    "fields": ["u"],
    "equations": {"heat": "u_t = 0.1 * u_xx"},
    "conditions": {
        "initial": {"at": "t = 0", "equations": "u = 2 + sin(pi*x)", "hard": True},
        "ends": {"at": ["x = -1", "x = 1"], "equations": "u = 2", "hard": True},
    },
    "exact": {"u": "2 + exp(-0.1*pi^2*t) * sin(pi*x)"},
}
WAVE = {
    "name": "string",
    "coordinates": {"x": [0, 1], "t": [0, 1]},
    "fields": ["u"],
    "equations": {"wave": "u_tt = u_xx"},
    "conditions": {
        "shape": {"at": "t = 0", "equations": "u = sin(pi*x)", "hard": True},
        "motion": {"at": "t = 0", "equations": "u_t = x", "hard": True},
        "ends": {"at": "x = 0", "equations": "u = 0", "hard": True},
        "moved": {"at": "x = 1", "equations": "2*u = 2*t", "hard": True},
    },
}
SQUARE = {
    "name": "square",
    "coordinates": {"x": [0, 2], "y": [0, 1]},
    "fields": ["u"],
    "equations": {"poisson": "laplacian(u) = x*u"},
    "conditions": {
        "sides": {"at": ["x = 0", "x = 2"], "equations": "u = y^2 + x", "hard": True},
        "lid": {"at": "y = 1", "equations": "u = 1 + x + x*(2 - x)", "hard": True},
        "base": {"at": "y = 0", "equations": "u = x", "hard": True},
    },
}
DISK = {
    "name": "membrane",
    "coordinates": {"x": [-1, 1], "y": [-1, 1], "t": [0, 1]},
    "shapes": {"part": {"disk": {"center": [0, 0], "radius": 1}}},
    "domain": "part",
    "fields": ["u"],
    "equations": "u_t = laplacian(u)",
    "conditions": {
        "rim": {"at": "part", "equations": "u = x + t", "hard": True},
        "start": {"at": "t = 0", "equations": "u = x + 1 - x^2 - y^2", "hard": True},
    },
}


ELLIPSE = {
    **DISK,
    "name": "oval",
    "coordinates": {"x": [-1, 1], "y": [-1, 1]},
    "shapes": {"part": {"ellipse": {"center": [0, 0], "radii": [1, 0.5]}}},
    "equations": "laplacian(u) = u^2",
    "conditions": {"rim": {"at": "part", "equations": "u = exp(x)*y", "hard": True}},
}
CHANNEL = {
    "name": "channel",
    "coordinates": {"x": [0, 2], "y": [-1, 1]},
    "fields": ["u", "v", "p"],
    "equations": ["laplacian(u) = p_x", "laplacian(v) = p_y", "u_x + v_y = 0"],
    "conditions": {
        "walls": {"at": ["y = -1", "y = 1"], "equations": ["u = 0", "v = 0"], "hard": True},
        "seam": {"at": "x = 0", "equations": ["u(x=0) = u(x=2)", "v(x=0) = v(x=2)"], "hard": True},
        "inlet": {"at": "x = 0", "equations": "p = 1"},
        "outlet": {"at": "x = 2", "equations": "p = 0"},
    },
}
PLATE = {
    "name": "plate",
    "coordinates": {"x": [0, 1], "y": [0, 1]},
    "fields": ["u"],
    "equations": {"plate": "laplacian(laplacian(u)) = 1"},
    "conditions": {
        "edge": {"at": "boundary", "equations": "u = sin(x*y)", "hard": True},
        "clamp": {"at": "boundary", "equations": "u_n = 0"},
    },
}
CORNER = {
    "name": "corner",
    "coordinates": {"x": [-1, 1], "y": [-1, 1]},
    "shapes": {"cut": {"box": {"lower": [0, 0], "upper": [1, 1]}}},
    "domain": "box - cut",
    "fields": ["u"],
    "equations": {"poisson": "laplacian(u) = -1"},
    "conditions": {"edge": {"at": "boundary", "equations": "u = 1 + x", "hard": True}},
}
RING = {
    "name": "ring",
    "coordinates": {"x": [-1, 1], "y": [-1, 1]},
    "shapes": {"hole": {"disk": {"center": [0.2, 0], "radius": 0.3}}},
    "domain": "box - hole",
    "fields": ["u"],
    "equations": {"poisson": "laplacian(u) = u"},
    "conditions": {
        "outer": {"at": "box", "equations": "u = y", "hard": True},
        "rim": {"at": "hole", "equations": "u = 1 + x", "hard": True},
    },
}
BLOB = {
    **RING,
    "name": "blob",
    "shapes": {"part": {"level_set": "x^2 + y^4 - 0.5"}},
    "domain": "part",
    "conditions": {"rim": {"at": "part", "equations": "u = 1 + x", "hard": True}},
}
WEDGE = {**BLOB, "name": "wedge", "shapes": {"part": {"polygon": {"points": [[-1, -1], [1, -1], [0, 0], [0, 1]]}}}}
INNER = {
    "name": "inner",
    "coordinates": {"x": [-1, 1], "y": [-1, 1], "t": [0, 1]},
    "shapes": {"wire": {"disk": {"center": [0, 0], "radius": 0.3}}},
    "domain": "box",
    "fields": ["u"],
    "equations": {"heat": "u_t = laplacian(u)"},
    "conditions": {
        "wire": {"at": "wire", "equations": "u = 1 + t", "hard": True},
        "edge": {"at": "boundary", "equations": "u = x*t", "hard": True},
    },
}
PROBLEMS = [HEAT, WAVE, SQUARE, DISK, ELLIPSE, CHANNEL, PLATE, CORNER, RING, BLOB, WEDGE, INNER]
NAMES = [words["name"] for words in PROBLEMS]


def hard(at, equations, **more):
    return {"at": at, "equations": equations, "hard": True, **more}


def made(words):
    report = Report()
    found = ansatz_of(words if isinstance(words, Problem) else Problem(**words), report)
    report.raise_if_any()
    return found
