from __future__ import annotations

import os
import tracemalloc
import warnings
import zipfile

import numpy as np
import pytest

from pinnkit.problem import tables
from pinnkit.problem.tables import TableError, flatten, given, load


def written(folder, text, name="table.csv"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_csv_columns_by_name(tmp_path):
    table = load(written(tmp_path, "x, t ,u\n0,0.5,1e-3\n\n-1,.25, 7\n"))
    assert list(table) == ["x", "t", "u"]
    np.testing.assert_array_equal(table["x"], [0.0, -1.0])
    np.testing.assert_array_equal(table["t"], [0.5, 0.25])
    np.testing.assert_array_equal(table["u"], [1e-3, 7.0])
    assert all(values.dtype == np.float64 for values in table.values())


def test_csv_from_a_spreadsheet_with_a_byte_order_mark(tmp_path):
    np.testing.assert_array_equal(load(written(tmp_path, "\ufeffx,u\r\n1,2\r\n"))["x"], [1.0])


def test_npz_arrays_by_name_in_float64(tmp_path):
    path = tmp_path / "table.npz"
    np.savez(path, x=np.arange(3, dtype=np.int32), u=np.ones((3, 2), dtype=np.float32))
    table = load(path)
    np.testing.assert_array_equal(table["x"], [0.0, 1.0, 2.0])
    assert table["u"].shape == (3, 2)
    assert all(values.dtype == np.float64 for values in table.values())


def test_csv_and_npz_hold_the_same_table(tmp_path):
    values = np.random.default_rng(0).standard_normal((5, 2))
    np.savez(tmp_path / "table.npz", x=values[:, 0], u=values[:, 1])
    rows = "\n".join(f"{x!r},{u!r}" for x, u in values.tolist())
    one, other = load(tmp_path / "table.npz"), load(written(tmp_path, f"x,u\n{rows}\n"))
    for name in ("x", "u"):
        np.testing.assert_array_equal(one[name], other[name])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x,u\n0,1\n2,nan\n", "'table.csv': column u, entry 2 is nan, not a finite number"),
        ("x,u\n-inf,1\n", "column x, entry 1 is -inf, not a finite number"),
        ("x,u\n0,one\n", "'table.csv', row 1, column u: 'one' is not a number"),
        ("x,u\n0,1_000\n", "'table.csv', row 1, column u: '1_000' is not a number"),
        ("x,u\n0,\u0661\n", "'table.csv', row 1, column u: '\u0661' is not a number"),
        ("x,u\n0,1\n2\n", "'table.csv', row 2: 1 entries under 2 names"),
        ("x,u,x\n0,1,2\n", "names a column twice: x, u, x"),
        ("x,u\n", "has no rows below its line of names"),
        ("", "has no rows below its line of names"),
        (b"x,u\n\xff,1\n", "cannot be read as CSV text in UTF-8"),
        ("x\n" + "1" * 200_000 + "\n", "cannot be read as CSV text in UTF-8: field larger"),
    ],
)
def test_a_broken_csv_file_is_told_with_its_place(tmp_path, text, message):
    with pytest.raises(TableError) as caught:
        load(written(tmp_path, text))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": np.array([[0.0, 1.0], [np.inf, 2.0]])}, "column x, entry 2, 1 is inf"),
        ({"x": np.array(["a"])}, "array x holds <U1, not real numbers"),
        ({"x": np.array([1j])}, "array x holds complex128, not real numbers"),
        ({"x": np.zeros(0)}, "column x has no entries"),
        ({"x": np.array(np.nan)}, "column x, entry 1 is nan"),
    ],
)
def test_a_broken_npz_file_is_told(tmp_path, arrays, message):
    np.savez(tmp_path / "table.npz", **arrays)
    with pytest.raises(TableError) as caught:
        load(tmp_path / "table.npz")
    assert message in str(caught.value)


def test_npz_files_are_read_without_pickle(tmp_path):
    trace = tmp_path / "trace"

    class Hostile:
        def __reduce__(self):
            return (trace.touch, ())

    np.savez(tmp_path / "table.npz", x=np.array([Hostile()], dtype=object))
    assert not trace.exists()
    with pytest.raises(TableError, match="cannot be read as an NPZ file of plain arrays"):
        load(tmp_path / "table.npz")
    assert not trace.exists()


@pytest.mark.parametrize("content", [b"", b"junk", b"\x93NUMPY junk"])
def test_what_is_no_npz_archive_is_refused(tmp_path, content):
    with pytest.raises(TableError, match=r"'table\.npz' cannot be read as an NPZ file"):
        load(written(tmp_path, content, "table.npz"))
    np.save(tmp_path / "single.npy", np.zeros(3))
    with pytest.raises(TableError, match="it is no zip archive"):
        load((tmp_path / "single.npy").rename(tmp_path / "single.npz"))


def test_a_damaged_npz_archive_is_refused(tmp_path):
    path = tmp_path / "table.npz"
    np.savez_compressed(path, x=np.random.default_rng(0).random(1000))
    content = bytearray(path.read_bytes())
    content[500:600] = bytes(100)
    with pytest.raises(TableError, match="cannot be read as an NPZ file"):
        load(written(tmp_path, bytes(content), "table.npz"))


def test_missing_files_and_other_kinds_are_refused(tmp_path):
    with pytest.raises(TableError, match=r"there is no file '.*table\.csv'"):
        load(tmp_path / "table.csv")
    with pytest.raises(TableError, match=r"'table\.xlsx' is neither a \.csv nor an \.npz file"):
        load(tmp_path / "table.xlsx")


def test_a_table_may_be_written_out():
    table = given({"x": [0, 1], "u": (2.5, 3)})
    np.testing.assert_array_equal(table["u"], [2.5, 3.0])
    assert table["x"].dtype == np.float64


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"x": [0, "a"]}, "column x is no array of numbers: it holds texts"),
        ({"x": [[1], [1, 2]]}, "column x is no array of numbers"),
        ({"x": None}, "the table: column x, entry 1 is nan"),
        ({"x": [1, np.nan]}, "the table: column x, entry 2 is nan, not a finite number"),
        ({"x": []}, "the table: column x has no entries"),
    ],
)
def test_a_table_that_is_written_out_follows_the_same_rules(words, message):
    with pytest.raises(TableError) as caught:
        given(words)
    assert message in str(caught.value)


def test_columns_with_a_row_for_each_point_stay_as_they_are():
    columns = {"x": np.array([0.0, 1.0]), "t": np.array([[2.0], [3.0]]), "u": np.array([4.0, 5.0])}
    flat = flatten(columns, ("x", "t"))
    assert {name: values.tolist() for name, values in flat.items()} == {"x": [0, 1], "t": [2, 3], "u": [4, 5]}


def test_axes_of_a_grid_are_spread_over_its_points():
    x, t = np.linspace(-1, 1, 4), np.array([0.0, 0.5, 2.0])
    u = np.sin(x)[:, None] * np.exp(t)[None, :]
    flat = flatten({"t": t, "u": u, "x": x}, ("x", "t"))
    assert all(values.shape == (12,) for values in flat.values())
    np.testing.assert_array_equal(flat["u"], np.sin(flat["x"]) * np.exp(flat["t"]))
    assert len(set(zip(flat["x"], flat["t"], strict=True))) == 12


def test_sizes_that_do_not_fit_and_missing_coordinates_are_refused():
    with pytest.raises(TableError, match="there is no column t; columns are x, u"):
        flatten({"x": np.zeros(2), "u": np.zeros(2)}, ("x", "t"))
    with pytest.raises(
        TableError, match=r"column u has shape \(3, 2\): .* x, t as axes and the others in shape \(2, 3\), or"
    ):
        flatten({"x": np.zeros(2), "t": np.zeros(3), "u": np.zeros((3, 2))}, ("x", "t"))


def npz(path, **members: bytes):
    """An archive with the members as they are."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return path


def header(shape: str, dtype: str = "<f8") -> bytes:
    text = f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


def refused_without_memory(path) -> str:
    """What is said against a table; what it claims was never allocated."""
    tracemalloc.start()
    try:
        with pytest.raises(TableError) as caught:
            load(path)
        assert tracemalloc.get_traced_memory()[1] < 5e7
    finally:
        tracemalloc.stop()
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (header(f"({10**15},)"), "which is not there"),
        (header("(1000000, 1000000, 1000000)") + bytes(80), "which is not there"),
        (header("(-1,)") + bytes(80), "which is not there"),
        (header("(-1, -10)") + bytes(80), "which is not there"),
        (header("(11,)") + bytes(80), "the header of x.npy says (11,) float64, which is not there"),
        (header("(True,)") + bytes(8), "the header of x.npy says (True,)"),
        (header("(False, True)") + bytes(8), "the header of x.npy says (False, True)"),
        (header("(2,"), "cannot be read as an NPZ file"),
        (header("(" * 3000), "cannot be read as an NPZ file"),
        (header("(2,)", "no type") + bytes(16), "cannot be read as an NPZ file"),
        (header("(2,)", "|O") + bytes(16), "cannot be read as an NPZ file"),
        (b"\x93NUMPY\x09\x00" + bytes(80), "cannot be read as an NPZ file"),
        (b"just text", "cannot be read as an NPZ file"),
        (b"", "cannot be read as an NPZ file"),
    ],
)
def test_an_array_whose_header_lies_is_refused(tmp_path, content, message):
    said = refused_without_memory(npz(tmp_path / "table.npz", x=content))
    assert said.startswith("'table.npz' cannot be read as an NPZ file")
    assert message in said


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "BYTES", 1_000_000)
    np.savez_compressed(tmp_path / "table.npz", x=np.zeros(70_000), u=np.zeros(70_000))
    assert (tmp_path / "table.npz").stat().st_size < 3000
    assert "asks for 1.12e+06 bytes" in refused_without_memory(tmp_path / "table.npz")
    np.savez_compressed(tmp_path / "table.npz", x=np.zeros(200_000, dtype=np.int8))  # 1.6e6 bytes as float64
    assert refused_without_memory(tmp_path / "table.npz") == "'table.npz' asks for 1.6e+06 bytes; the most is 1e+06"
    np.savez_compressed(tmp_path / "table.npz", x=np.zeros(120_000))
    assert len(load(tmp_path / "table.npz")["x"]) == 120_000


def test_a_directory_that_lies_about_a_size_gives_no_more_than_it_says(tmp_path):
    """The size of the unpacked member in the archive's directory is changed, in both of its places."""
    path = npz(tmp_path / "table.npz", x=header("(1000,)") + bytes(8000))
    content = path.read_bytes()
    size = zipfile.ZipFile(path).infolist()[0].file_size
    for claimed, message in ((208, "cannot be read as an NPZ file"), (2_000_000_001, "asks for 2e+09 bytes")):
        path.write_bytes(content.replace(size.to_bytes(4, "little"), claimed.to_bytes(4, "little")))
        assert zipfile.ZipFile(path).infolist()[0].file_size == claimed
        assert message in refused_without_memory(path)


def test_a_large_csv_file_is_refused_by_its_size(tmp_path):
    path = written(tmp_path, "x,u\n0,1\n")
    os.truncate(path, tables.BYTES + 1)  # sparse: it takes no space
    assert refused_without_memory(path) == "'table.csv' asks for 2e+09 bytes; the most is 2e+09"


def test_axes_whose_grid_has_no_values_are_refused_before_it_is_built():
    axis = np.zeros(100_000)
    with pytest.raises(TableError, match=r"column u has shape \(3,\)"):
        flatten({"x": axis, "t": axis[1:], "u": np.zeros(3)}, ("x", "t"))
    with pytest.raises(
        TableError, match=r"the grid of its coordinates, \(100000, 99999\), takes more than 2e\+09 bytes"
    ):
        flatten({"x": axis, "t": axis[1:]}, ("x", "t"))


def test_random_damage_to_an_archive_is_told(tmp_path):
    """Every outcome is a table or a TableError, whatever bytes are changed."""
    path = tmp_path / "table.npz"
    refused = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy's, of a header from Python 2; zipfile's, of a name twice
        for save in (np.savez, np.savez_compressed):
            save(path, x=np.arange(6.0), u=np.arange(6, dtype=np.float32))
            content = path.read_bytes()
            chance = np.random.default_rng(0)
            for _ in range(300):
                damaged = bytearray(content)
                for place in chance.integers(0, len(content), chance.integers(1, 4)):
                    damaged[place] = chance.integers(0, 256)
                path.write_bytes(damaged)
                try:
                    load(path)
                except TableError as error:
                    refused += len(str(error)) > 20
    assert refused > 300


@pytest.mark.parametrize(
    "values", [["1_0"], ["2"], [True, False], [1.0, "2"], [None], [10**400], [1j], [[0.0], [0.0, 1.0]]]
)
def test_a_written_table_holds_numbers_alone(values):
    with pytest.raises(TableError, match=r"column u(, entry 1 is (inf|nan)| is no array of numbers)"):
        given({"u": values})


def test_a_written_table_may_hold_any_number():
    np.testing.assert_array_equal(given({"u": [1, 2.5, 10**20]})["u"], [1.0, 2.5, 1e20])
