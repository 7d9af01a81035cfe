"""Regions, parts of fields and interfaces that are refused: the key, the place and the reason."""

import pytest

from tests.problem.two_materials import PLATE, ROD, refused

LEFT = {"equation": "u_xx = 0", "in": "left"}
ONE = {"fields": ["u"], "conditions": {"ends": {"at": "boundary", "equations": "u = 0"}}, "exact": {}}


def box(lower, upper):
    return {"box": {"lower": [lower], "upper": [upper]}}


CASES = [
    ({"equations": {"a": {**LEFT, "on": "left"}}}, "equations.a.on", "unknown key 'on'"),
    ({"equations": {"a": LEFT}}, "equations", "none for u holds in right: write another with in: right"),
    (
        {"equations": {"a": LEFT, "b": {"equation": "u.right_xx = 0", "in": "left"}}},
        "equations.b",
        "holds in left, and u.right is a function in right alone: write u",
    ),
    (
        {"equations": "u.left_xx = 0"},
        "equations.equation",
        "holds everywhere, and u.left is a function in left alone: write u,",
    ),
    ({"equations": "u.lft_xx = 0"}, "equations", "'u.lft_xx': u has no part 'lft_xx'; did you mean 'left'?"),
    ({"equations": "x.left = 0"}, "equations", "attributes are not allowed: a '.' stands only in numbers"),
    ({**ONE, "equations": "u.left = 0"}, "equations", "attributes are not allowed: 'u' has no parts, as fields: {u:"),
    ({"fields": {"u": {"parts": ["left", "rigth"]}}}, "fields.u.parts", "no shape 'rigth'; did you mean 'right'?"),
    ({"fields": {"u": {"parts": ["left", "left"]}}}, "fields.u", "names the part 'left' twice"),
    ({"fields": {"u": {"parts": 3}}}, "fields.u", "3 is not a list of shapes: write u: {parts: [left, right]}"),
    (
        {"fields": {"u": {"parts": ["left", "right"], "complex": True}}},
        "fields.u.parts",
        "u is complex: only a real field of coordinates has parts",
    ),
    (
        {"fields": {"v": ["x"], "u": {"parts": ["left", "right"], "coordinates": ["v"]}}},
        "fields.u.parts",
        "u depends on v: only a real field of coordinates has parts",
    ),
    (
        {"shapes": {**ROD["shapes"], "right": "box - lft"}},
        "shapes.right",
        "there is no shape 'lft'; did you mean 'left'?",
    ),
    ({"fields": {"u": {"part": ["left"]}}}, "fields.u.part", "unknown key 'part'; did you mean 'parts'?"),
    (
        {"shapes": {"left": box(-1, 0), "right": box(-0.5, 1)}},
        "fields.u.parts",
        "left and right overlap, as at x = -0.",
    ),
    (
        {"shapes": {"left": box(-1, 0), "right": box(0.5, 1)}},
        "fields.u.parts",
        "left, right do not cover the domain: x = 0.",
    ),
    (
        {**ONE, "shapes": {"left": box(-1, 0), "right": box(0.5, 1)}},
        "equations",
        "none for u holds at x = 0.",
    ),
    (
        {**ONE, "shapes": {"left": box(-1, 0), "right": box(-0.5, 1)}},
        "equations.right",
        "holds in right, which overlaps left of left, as at x = -0.",
    ),
    (
        {"conditions": {"c": {"at": "x = -1", "equations": "u.right = 0"}}},
        "conditions.c.equations",
        "u.right has no one-sided value at this place: right does not touch it",
    ),
    (
        {"conditions": {"c": {"at": "boundary", "equations": "u.left = u.right"}}},
        "conditions.c.equations",
        "left and right meet at no point of this place",
    ),
    (
        {"conditions": {"c": {"at": "left", "equations": "u.left = u"}}},
        "conditions.c.equations",
        "holds u and u.left: write u.left, u.right throughout",
    ),
    (
        {"conditions": {"c": {"equations": "integral(u, x) = 1"}}},
        "conditions.c.equations",
        "integral(u, x, -1, 1) passes through several parts, or along their rims: write the integral of u.left or",
    ),
    ({"periodic": ["x"]}, "periodic", "x: u has a function of its own in left, which does not reach from end to end"),
    (
        {"conditions": {"c": {"at": "x = 1", "equations": "u.right = u.left(x=1)"}}},
        "conditions.c.equations",
        "evaluates u.left(x=1) at x = 1",
    ),
]


@pytest.mark.parametrize(("changes", "key", "message"), CASES)
def test_it_is_refused(changes, key, message):
    found = refused(ROD, **changes)
    assert message in found[key]


def test_a_region_across_parts_needs_an_equation_for_each():
    shapes = {**PLATE["shapes"], "lower": {"box": {"lower": [-1, -1], "upper": [1, 0]}}}
    equations = {"all": "laplacian(u) = 0", "more": {"equation": "u_x = 1", "in": "lower"}}
    found = refused(PLATE, shapes=shapes, equations=equations)
    told = "holds in lower, which lies in no single part of u (inner, outer): write one for each part, in: inner"
    assert told in found["equations.more"]
