from __future__ import annotations

import numpy as np
import pytest

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
        ({"x": [0, "a"]}, "column x is no array of numbers: could not convert string to float: 'a'"),
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
    with pytest.raises(TableError, match=r"column u has shape \(3, 2\); the coordinates x, t ask for \(2, 3\)"):
        flatten({"x": np.zeros(2), "t": np.zeros(3), "u": np.zeros((3, 2))}, ("x", "t"))
