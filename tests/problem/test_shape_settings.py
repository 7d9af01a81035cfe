"""Shapes in a problem file: what they mean, and what is refused."""

import numpy as np
import pytest

from pinnkit.language.errors import ProblemError
from pinnkit.problem.problem import Problem

PLANE, SPACE = {"x": [-2, 2], "y": [-2, 2]}, {"x": [-2, 2], "y": [-2, 2], "z": [-2, 2]}


def problem(shape, coordinates=PLANE, **changes):
    return Problem(
        **{
            "coordinates": coordinates,
            "shapes": {"part": shape},
            "domain": "part",
            "fields": ["u"],
            "equations": "laplacian(u) = 1",
            "conditions": {"rim": {"at": "boundary", "equations": "u = 0"}},
        }
        | changes
    )


@pytest.mark.parametrize(
    ("shape", "coordinates", "measure", "boundary"),
    [
        ({"ellipse": {"center": [0, 0], "radii": [2, 1]}}, PLANE, 2 * np.pi, 9.688448220547675),
        ({"ellipse": {"center": [0, 0], "radii": [1, 1], "angle": "pi/3"}}, PLANE, np.pi, 2 * np.pi),
        ({"polygon": [[0, 0], [1, 0], [0, 1]]}, PLANE, 0.5, 2 + np.sqrt(2)),
        ({"polygon": {"points": [[0, 0], [0, "a"], [1, 0], [0, 0]]}}, PLANE, 0.5, 2 + np.sqrt(2)),
        ({"box": {"lower": [0, 0], "upper": [1, "2*a"]}}, PLANE, 2.0, 6.0),
        ({"box": {"lower": [-1], "upper": [1]}}, {"x": [-2, 2]}, 2.0, 2.0),
        ({"ball": {"center": [0, 0, 0], "radius": 1}}, SPACE, 4 * np.pi / 3, 4 * np.pi),
        ({"ball": {"center": [0] * 4, "radius": 1}}, SPACE | {"w": [-1, 1]}, np.pi**2 / 2, 2 * np.pi**2),
        ({"cylinder": {"axis": "z", "center": [0, 0, 0], "radius": 1, "height": 2}}, SPACE, 2 * np.pi, 6 * np.pi),
    ],
)  # fmt: skip
def test_measures_of_shapes_and_of_their_boundaries(shape, coordinates, measure, boundary):
    known = problem(shape, coordinates, parameters={"a": 1.0})
    assert known.domain.measure == pytest.approx(measure, rel=1e-12)
    assert sum(part.measure for part in known.conditions[0].places) == pytest.approx(boundary, rel=1e-12)


def test_faces_of_a_polygon():
    faces = {"left": {"at": "x = 0", "equations": "u_n = 0"}, "bottom": {"at": "y = 0", "equations": "u = 0"}}
    left, bottom = problem({"polygon": [[0, 0], [1, 0], [0, 1]]}, conditions=faces).conditions
    assert [place.measure for place in (*left.places, *bottom.places)] == [1.0, 1.0]
    points = np.zeros((1, 2))
    assert left.places[0].normals(points).tolist() == [[-1.0, 0.0]]
    assert bottom.places[0].normals(points).tolist() == [[0.0, -1.0]]


def test_a_corner_has_no_normal():
    with pytest.raises(ProblemError) as caught:
        problem(
            {"polygon": [[0, 0], [1, 0], [0, 1]]}, conditions={"c": {"at": {"x": 0, "y": 0}, "equations": "u_n = 0"}}
        )
    assert "normal" in caught.value.mistakes[0].message
    assert caught.value.mistakes[0].key == "conditions.c.equations"


@pytest.mark.parametrize(
    ("shape", "key", "message"),
    [
        ({"polygon": [[0, 0], [2, 0], [1, 0], [0, 1]]}, "polygon.points", "edge 1 ((0, 0) to (2, 0)) and edge 2"),
        ({"polygon": [[0, 0], [2, 0], [1, 1], [1, 0], [0, 1]]}, "polygon.points", "cross or touch at (1, 0)"),
        ({"polygon": [[0, 0], [1, 0], [1, 0], [0, 1]]}, "polygon.points", "corners 2 and 3 are the same"),
        ({"polygon": [[0, 0], [1, 0]]}, "polygon.points", "has 2 corners: 3 to 2000 are needed"),
        ({"polygon": [[0, 0], [1, 0], [0, 1, 2]]}, "polygon.points", "corner 3 has 3 numbers"),
        ({"polygon": [[0, 0]] * 2001}, "polygon.points", "has 2001 entries; the most is 2000"),
        ({"polygon": "wing"}, "polygon.points", "'wing' is not a list of points: write [[0, 0], [1, 0], [0, 1]]"),
        ({"polygon": [1, 2, 3]}, "polygon.points", "1 is not a list of numbers: write [0, 0]"),
        ({"ellipse": {"center": [0, 0], "radii": [1]}}, "ellipse.radii", "has 1 numbers: write two"),
        ({"ellipse": {"center": [0, 0], "radii": [1, 0]}}, "ellipse.radii", "are 1 and 0: numbers above zero"),
        ({"ellipse": {"center": [0, 0], "radii": [1, 1e-9]}}, "ellipse.radii", "of like size"),
        ({"ellipse": {"radii": [1, 1]}}, "ellipse.center", "is missing"),
        ({"box": {"lower": [0, 0], "upper": [1, 0]}}, "box.upper", "is 0 in y, where lower is 0"),
        ({"box": {"lower": [0], "upper": [1, 1]}}, "box.lower", "has 1 numbers: write one for each of x, y"),
        ({"box": [0, 1]}, "box", "is not a mapping of settings: write {box: {lower: [0.5, -2], upper: [2, 1]}}"),
        ({"ball": {"center": [0, 0], "radius": 1}}, "ball", "a ball has three or more coordinates, and a disk two"),
        ({"cylinder": {"axis": "x", "center": [0, 0], "radius": 1, "height": 1}}, "cylinder", "three space coord"),
        ({"polygon": [[0, 0], [1, 0], [0, "a"]]}, "polygon.points", "a is learned, so it cannot"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(shape, key, message):
    with pytest.raises(ProblemError) as caught:
        problem(shape, parameters={"a": {"learn": 1.0}}, equations="laplacian(u) = a")
    assert message in {mistake.key: mistake.message for mistake in caught.value.mistakes}[f"shapes.part.{key}"]


def test_a_place_named_after_a_shape_with_a_mistake_is_no_mistake_of_its_own():
    with pytest.raises(ProblemError) as caught:
        problem({"polygon": [[0, 0]]}, conditions={"rim": {"at": "part", "equations": "u_n = 0"}})
    assert [mistake.key for mistake in caught.value.mistakes] == ["shapes.part.polygon.points"]


@pytest.mark.parametrize(
    ("settings", "key", "message"),
    [
        ({"axis": "w"}, "axis", "is 'w': one of x, y, z is needed"),
        ({"axis": 1}, "axis", "1 is not a text"),
        ({"height": 0}, "height", "is 0: a number above zero is needed"),
        ({"height": 1e200}, "height", "is 1e+200: numbers of shapes lie between 1e-50 and 1e+50; choose other units"),
        ({"radius": 1e-300}, "radius", "is 1e-300: numbers of shapes lie between 1e-50 and 1e+50; choose other units"),
        ({"radius": -1}, "radius", "is -1: a number above zero is needed"),
        ({"center": [0, 0]}, "center", "has 2 numbers: write one for each of x, y, z"),
    ],
)
def test_what_is_wrong_with_a_cylinder_is_named(settings, key, message):
    good = {"axis": "z", "center": [0, 0, 0], "radius": 1, "height": 2}
    with pytest.raises(ProblemError) as caught:
        problem({"cylinder": good | settings}, SPACE)
    assert {one.key: one.message for one in caught.value.mistakes} == {f"shapes.part.cylinder.{key}": message}


@pytest.mark.parametrize(
    ("kind", "meant"), [("circle", "disk"), ("Sphere", "ball"), ("rectangle", "box"), ("triangle", "polygon")]
)
def test_other_names_of_shapes_are_known(kind, meant):
    """Parts of a shape with a mistake, and of a domain that cannot be read, are no mistakes of their own."""
    with pytest.raises(ProblemError) as caught:
        problem({kind: {"center": [0, 0]}}, fields={"u": {"parts": ["part"]}})
    assert {one.key: one.message for one in caught.value.mistakes} == {
        "shapes.part": f"unknown shape '{kind}'; write {meant}"
    }


def test_parts_of_a_domain_with_a_mistake_are_not_judged():
    half = {"box": {"lower": [0, -2], "upper": [2, 2]}}
    shapes = {"part": half, "rest": "box - part"}
    with pytest.raises(ProblemError) as caught:
        problem(half, shapes=shapes, domain="box and part", fields={"u": {"parts": ["part", "rest"]}})
    assert [one.key for one in caught.value.mistakes] == ["domain"]


def test_a_misspelt_integral_needs_no_place():
    with pytest.raises(ProblemError) as caught:
        problem({"box": {"lower": [0, 0], "upper": [1, 1]}}, conditions={"mean": {"equations": "int(u, domain) = 0"}})
    assert [one.message for one in caught.value.mistakes] == ["unknown function 'int'; did you mean 'integral'?"]
