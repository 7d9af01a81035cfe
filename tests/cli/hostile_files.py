"""Files from strangers, and how they are read."""

from __future__ import annotations

from pathlib import Path

from pinnkit.cli.yaml_files import DEPTH, NODES, SIZE

ROOT = Path(__file__).resolve().parents[2]
PDE = ROOT / "conf" / "pde"
SECONDS = 1.0
"""Processor time within which each is answered."""

HEAT = """\
coordinates: {x: [-1, 1], t: [0, 1]}
fields: [u]
equations: u_t = 0.1*u_xx
conditions:
  initial: {at: t = 0, equations: u = sin(pi*x)}
  ends: {at: [x = -1, x = 1], equations: u = 0}
"""


LAUGHS = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{two}: &{two} [{', '.join([f'*{one}'] * 10)}]\n" for one, two in zip("abcdefgh", "bcdefghi", strict=True)
)
CHAIN = "a0: &a0 [1]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 500))
FILES: dict[str, tuple[str | bytes, str]] = {
    "target": (HEAT + "_target_: os.system\n", "_target_: a key such as '_target_' names code to run"),
    "target below": (
        HEAT + "exact: {u: [1, {_partial_: true}]}\n",
        "exact.u[2]._partial_: a key such as '_partial_' names code to run; a problem file holds data",
    ),
    "target by an alias": (HEAT + "name: &k _target_\nexact: {*k : os.system}\n", "exact._target_: a key such as"),
    "too large": (HEAT + "#" * SIZE, f"has {len(HEAT) + SIZE} bytes; the most is {SIZE}"),
    "laughs": (LAUGHS, f"its aliases (*name) stand for 111111 keys and values; the most is {NODES}"),
    "laughs by merging": (LAUGHS.replace("[", "{x: [").replace("]", "]}"), "its aliases (*name) stand for"),
    "chain of aliases": (CHAIN, f"its aliases (*name) stand for more than {DEPTH} levels"),
    "alias of itself": (HEAT + "exact: &a {u: *a}\n", "exact.u: is an alias of what it is part of"),
    "alias of itself as key": ("exact: &a {[*a]: 1}\n", "is an alias of what it is part of"),
    "deep lists": ("[" * 5000, f"is not YAML: nested deeper than {DEPTH}"),
    "deep mappings": ("a: " + "{a: " * 5000, f"nested deeper than {DEPTH}"),
    "deep blocks": ("? " * 5000, f"nested deeper than {DEPTH}"),
    "deep dashes": ("a:\n" + "- " * 5000, f"nested deeper than {DEPTH}"),
    "empty lines": (HEAT + "\n" * (SIZE - len(HEAT)), ""),
    "header": ("# @author Jane van Doe\n" + HEAT, "has a line '# @author'"),
    "package behind odd white space": ("\x85#\u2003@package _global_\n" + HEAT, "has a line '# @package'"),
    "merged defaults": ("<<: {defaults: [evil]}\n" + HEAT, "has a key '<<' at its top"),
    "merged defaults by tag": ("!!merge x: {defaults: [evil]}\n" + HEAT, "has a key '<<' at its top"),
    "long number": (HEAT + f"name: {'9' * 5000}\n", "name: has 5000 characters; a number has at most 400"),
    "sexagesimal number": (HEAT + f"name: 1{':59' * 9999}\n", "a number has at most 400"),
    "a number that vanishes": (HEAT + "name: 1e-400\n", "name: 1e-400 is nearer to zero than 1e-300; write 0"),
    "a float that vanishes": (HEAT + "exact: {u: -1.5e-400}\n", "exact.u: -1.5e-400 is nearer to zero than 1e-300"),
    "no int": (HEAT + "name: !!int x\n", "name: 'x' is no int"),
    "no bool": (HEAT + "name: !!bool x\n", "name: 'x' is no bool"),
    "no day": (HEAT + "name: !!timestamp 2001-13-45\n", "name: '2001-13-45' is no timestamp"),
    "tag": (HEAT + "name: !!python/object/apply:pathlib.PosixPath [a]\n", "could not determine a constructor"),
    "set": (HEAT + "name: !!set {a, b}\n", "could not determine a constructor for the tag"),
    "many references": (HEAT + f"name: '{'${' * 3000}'\n", "name: holds ${ more than 8 times"),
    "null characters": (b"a: \x00", "is not YAML"),
    "other coding": (HEAT.encode("utf-16"), "is not text in UTF-8"),
}


def foreign(folder: Path, where: str, text: str) -> list[str]:
    """A foreign configuration folder whose experiment or train.yaml holds a text; the words that choose it."""
    path = folder / "config" / ("experiment/evil.yaml" if where == "experiment" else "train.yaml")
    path.parent.mkdir(parents=True, exist_ok=True)
    if where == "experiment":
        path.write_text(f"# @package _global_\n{text}\n")
        return ["--config-dir", str(folder / "config"), "experiment=evil"]
    shipped = (ROOT / "conf" / "train.yaml").read_text()
    path.write_text(f"{shipped[: shipped.index('hydra:')]}\n{text}\n")
    return ["--config-dir", str(folder / "config")]
