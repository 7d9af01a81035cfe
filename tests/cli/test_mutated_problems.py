"""Mutations of the shipped problems."""

from __future__ import annotations

import os
import random
import string
import tempfile
from collections import Counter
from pathlib import Path

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from pinnkit.cli.yaml_files import check
from pinnkit.language.errors import ProblemError
from pinnkit.runs.validation import read_and_check
from tests.cli.hostile_files import PDE, SECONDS
from tests.conftest import timed

EXAMPLES = 60 * int(os.environ.get("PINNKIT_FUZZ", "1"))
"""Mutated problem files."""


SHIPPED = [path.read_text() for path in sorted(PDE.glob("*/*.yaml")) if path.parent.name != "pinnacle"]
ODD = [
    "", "~", "[]", "{}", "0", "-1", "1e999", ".nan", ".inf", "1e308", "1:30", "0x7f", "yes", "2001-01-01", "'", '"',
    "[1, [2]]", "{a: b}", "{u: u}", "&a [*a]", "*a", "!!int x", "!!binary eA==", "? a", "<<", "|", ">", "- x", "$",
    "boundary", "[x = 0, t = 0]", "{x: 0}", "spectral", "x.csv", "/etc/passwd", "tables", "\u00b2", "\u202e", "${x}",
    "u_xxxxxxxx", "9**9**9", "(" * 70, "x" * 300, "__class__", "_target_: x", "u = u(x=x_y)", "max(u, 0)", "%", "@",
    "where: x > 2", "weight: -1", "learn: 1", "positive: 1", "[0, 1e-300]", "[-1e300, 1e300]", "[1, 0]", "[t, x]",
    "\U0001f600", "`", "box - box", "{disk: {center: [0, 0], radius: 1e999}}", "{level_set: exp(exp(9*x))}",
    "{polygon: [[0, 0], [1, 1], [1, 0], [0, 1]]}", "{mesh: ../../../etc/passwd}", "{outline: /dev/zero}",
    "{parts: [box]}", "integral(u, x, 0, integral(u, x))", "u.left.left", "{range: [0, .inf]}", "{learn: 1, min: 2}",
]  # fmt: skip
KEYS = ["coordinates", "fields", "parameters", "equations", "conditions", "exact", "reference", "periodic", "transform",
        "at", "data", "where", "weight", "learn", "x", "t", "u", "self", "folder", "name", "shapes", "domain", "in",
        "parts", "hard", "define", "tables", "quadrature", "range", "log", "min"]  # fmt: skip


def mutated(seed: int) -> str:
    """A shipped problem after one to three changes of characters, lines, keys or values."""
    chance = random.Random(seed)
    text = chance.choice(SHIPPED)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        text = chance.choice((_characters, _lines, _values, _values, _values))(text, chance)
    return text


def _characters(text: str, chance: random.Random) -> str:
    place, length = chance.randrange(len(text) + 1), chance.choice((0, 0, 1, 1, 2, 8))
    new = chance.choice([*string.printable, *ODD, ""])
    return text[:place] + new + text[place + length :]


def _lines(text: str, chance: random.Random) -> str:
    lines = text.splitlines(keepends=True) or [""]
    place = chance.randrange(len(lines))
    other = chance.choice(chance.choice(SHIPPED).splitlines(keepends=True))
    lines[place : place + 1] = chance.choice(
        ([], [lines[place]] * 2, [other], [lines[place], other], ["  " + lines[place]])
    )
    return "".join(lines)


def _values(text: str, chance: random.Random) -> str:
    """A key or a value of the mapping replaced, moved or removed; text again."""
    try:
        words = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, KeyError, IndexError, AttributeError):  # no YAML any more, or !!int x
        return text
    spots = [
        (part, key) for part in _containers(words) for key in (part if isinstance(part, dict) else range(len(part)))
    ]
    if not spots or len(spots) > 500:
        return text
    texts = [(part, key) for part, key in spots if isinstance(part[key], str)]
    part, key = chance.choice(texts if texts and chance.random() < 0.6 else spots)
    other, name = chance.choice(spots)
    try:
        odd = yaml.safe_load(chance.choice(ODD))
    except (yaml.YAMLError, ValueError):
        odd = None
    if isinstance(part, dict) and chance.random() < 0.3:
        part[chance.choice(KEYS)] = part.pop(key)
    elif isinstance(part[key], str) and chance.random() < 0.5:
        part[key] = _characters(part[key], chance)
    else:
        part[key] = chance.choice((odd, odd, chance.choice(ODD), yaml.safe_load(yaml.safe_dump(other[name]))))
    return yaml.safe_dump(words, sort_keys=False, allow_unicode=True)


def _containers(words: object, depth: int = 0) -> list:
    parts = list(words.values()) if isinstance(words, dict) else words if isinstance(words, list) else []
    inner = [one for part in parts if depth < 12 for one in _containers(part, depth + 1)]
    return ([words] if isinstance(words, dict | list) else []) + inner


def answered(text: str, folder: Path) -> str:
    """The refusal of a problem file as the commands would give it, or an empty text."""
    path = folder / "mine.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        check(path, f"pde/{path.name}")
        pde = OmegaConf.to_container(OmegaConf.load(path), resolve=False)  # as Hydra reads it
        read_and_check({"pde": pde, "problem_folder": str(PDE)})
    except (
        ProblemError,
        OmegaConfBaseException,
        yaml.YAMLError,
    ) as error:  # `configuration` puts the last two in words
        return str(error) or repr(error)
    return ""


def test_a_mutated_problem_file_is_accepted_or_refused_in_words():
    counts: Counter[str] = Counter()
    slowest = (0.0, "")

    @settings(
        max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(st.integers(0, 2**62))
    def answer(seed: int) -> None:
        nonlocal slowest
        text = mutated(seed)
        taken, said = timed(SECONDS, answered, text, Path(folder))
        slowest = max(slowest, (taken, text))
        counts["refused" if said else "accepted"] += 1

    with tempfile.TemporaryDirectory() as folder:
        answer()
    print(f"\n{dict(counts)}, slowest {slowest[0]:.2f} s")
    assert counts["refused"] > counts["accepted"] > 0
