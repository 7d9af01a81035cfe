"""Mesh files: the formats that are read, and what is refused of strangers' files."""

import struct

import numpy as np
import pytest

from pinnkit.domains import mesh_file
from pinnkit.domains.mesh_file import MeshError, parse, read
from tests.domains.test_mesh import CUBE, SIDES


def binary_stl(vertices, faces) -> bytes:
    rows = [np.concatenate([np.zeros(3), vertices[face].ravel()]).astype("<f4").tobytes() + b"\0\0" for face in faces]
    return bytes(80) + struct.pack("<I", len(rows)) + b"".join(rows)


def text_stl(vertices, faces) -> bytes:
    lines = ["solid part"]
    for face in faces:
        corners = [f"vertex {x:.9g} {y:.9g} {z:.9g}" for x, y, z in vertices[face]]
        lines += ["facet normal 0 0 0", "outer loop", *corners, "endloop", "endfacet"]
    return "\n".join([*lines, "endsolid part", ""]).encode()


def obj(vertices, faces) -> bytes:
    """With a material that is not there, groups, texture indices, and comments."""
    lines = ["# a part", "mtllib /etc/passwd", "o part", *(f"v {x:.9g} {y:.9g} {z:.9g}" for x, y, z in vertices)]
    lines += [
        "vn 0 0 1",
        "vt 0 0",
        "g side",
        "usemtl steel",
        *(f"f {a + 1}/1/1 {b + 1}//1 {c + 1}" for a, b, c in faces),
    ]
    return "\n".join(lines).encode()


def load(path):
    return parse(path.name, read(path))


@pytest.mark.parametrize(("name", "write"), [("a.stl", binary_stl), ("b.STL", text_stl), ("c.obj", obj)])
def test_each_format_gives_the_same_mesh(name, write, tmp_path):
    (tmp_path / name).write_bytes(write(CUBE, SIDES))
    vertices, faces = load(tmp_path / name)
    np.testing.assert_array_equal(vertices, CUBE)  # each corner once, in the order of their coordinates
    np.testing.assert_array_equal(np.sort(faces, axis=1), np.sort(SIDES, axis=1))


def test_faces_of_four_corners_and_indices_from_the_end(tmp_path):
    (tmp_path / "a.obj").write_bytes(b"v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nf 1 2 3 4\nf -1 -2 -3\nf 1 1 2\n")
    vertices, faces = load(tmp_path / "a.obj")
    corners = vertices[faces].tolist()
    assert corners[0] == [[0, 0, 0], [1, 0, 0], [1, 1, 0]]
    assert corners[1] == [[0, 0, 0], [1, 1, 0], [0, 1, 0]]
    assert corners[2] == [[0, 1, 0], [1, 1, 0], [1, 0, 0]]
    assert len(faces) == 3  # without the face that is a line


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.ply", b"ply", "'a.ply' is neither an .stl nor an .obj file"),
        ("a.stl", None, "there is no file"),
        ("a.stl", b"hello", "'a.stl' is no STL file: it neither begins with 'solid'"),
        ("a.stl", binary_stl(CUBE, SIDES)[:-1], "is no STL file"),
        ("a.stl", bytes(84), "'a.stl' holds no triangles"),
        ("a.stl", binary_stl(CUBE * 0, SIDES), "'a.stl' has no triangle with an area"),
        ("a.obj", obj(CUBE * 1e200, SIDES), "'a.obj' holds a coordinate beyond 1e+50: choose other units"),
        ("a.stl", b"solid a\nendsolid a\n", "'a.stl' holds no triangles"),
        ("a.stl", binary_stl(np.where(CUBE == 1, np.nan, CUBE), SIDES), "holds a coordinate that is not finite"),
        (
            "a.stl",
            b"solid a\nvertex 0 0 x\nvertex 0 0 1\nvertex 1 0 0",
            "cannot be read as an STL file: could not convert",
        ),
        ("a.stl", b"solid a\nvertex 0 0 1\nvertex 1 0 0", "has 2 vertices: three for each facet are needed"),
        ("a.obj", b"o nothing\n", "'a.obj' holds no triangles"),
        ("a.obj", b"\0", "'a.obj' holds no triangles"),
        ("a.obj", b"v 1 2\n", "'a.obj' has a line 1 that is no vertex or face: 'v 1 2'"),
        ("a.obj", b"v 0 0 0\nf 1 2 x\n", "has a line 2 that is no vertex or face"),
        ("a.obj", b"v 0 0 0\nf 1 2 3\n", "has a face with a vertex that is not there"),
        ("a.obj", b"v 0 0 0\nf -1 -2 -3\n", "has a face with a vertex that is not there"),
        ("a.obj", b"v 0 0 0\nf 1 2 0\n", "has a line 2 that is no vertex or face"),
        ("a.obj", b"v 0 0 1e999\nv 0 0 0\nv 1 0 0\nf 1 2 3\n", "holds a coordinate that is not finite"),
        ("a.obj", b"f 1 2 " + b"9" * 30 + b"\n", "'a.obj' cannot be read as an OBJ file"),
    ],
)
def test_what_is_no_mesh_is_refused(name, content, message, tmp_path):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(MeshError) as caught:
        load(tmp_path / name)
    assert message in str(caught.value)


def test_sizes_are_bounded(tmp_path, monkeypatch):
    for name, write in (("a.stl", binary_stl), ("b.stl", text_stl), ("c.obj", obj)):
        (tmp_path / name).write_bytes(write(CUBE, SIDES))
        with monkeypatch.context() as patched:
            patched.setattr(mesh_file, "FACES", 10)
            with pytest.raises(MeshError, match=f"'{name}' has 1. triangles; the most is 10"):
                load(tmp_path / name)
        with monkeypatch.context() as patched:
            patched.setattr(mesh_file, "BYTES", 300)
            with pytest.raises(MeshError, match=f"'{name}' has more than 300 bytes"):
                load(tmp_path / name)
