"""The shipped problems as objects: their list, and reading one by its name."""

from __future__ import annotations

from pathlib import Path

import yaml

from pinnkit.language.errors import Mistake, ProblemError, suggestion
from pinnkit.problem.problem import Problem
from pinnkit.runs import shipped
from pinnkit.runs.configuration import parse


def list_problems(*words: str) -> dict[str, str]:
    """The shipped problems that fit all words: name -> description.

    Args:
        words: each a kind (`elliptic`), or a part of a name or a description, in any case; none: every problem.

    >>> list_problems("parabolic", "rod")["heat"]
    'A rod that cools with its ends kept at zero.'
    """
    found = {}
    for name, path in shipped.problems().items():
        description = described(path)
        text = f"{path.parent.name} {name} {description}".lower()
        if all(word.lower() in text for word in words):
            found[name] = description
    return found


def described(path: Path) -> str:
    """The description in a problem file, on one line."""
    return " ".join(str(yaml.safe_load(path.read_text(encoding="utf-8")).get("description", "")).split())


def read_problem(name: str | Path) -> Problem:
    """The problem in a YAML file, or a shipped one by its name.

    Data files that it names are looked for beside the file. Nothing in it is executed.

    Args:
        name: the path of a file (.yaml or .yml), or a name of `list_problems`.

    Raises:
        TypeError: it is neither.
        ProblemError: there is no such file or problem, or it has mistakes: all of them, each with its key.

    >>> read_problem("heat").coordinates
    ('x', 't')
    """
    if not isinstance(name, str | Path):
        raise TypeError(f"name: that of a shipped problem or the path of a file is needed, and {name!r} was given")
    known = shipped.problems()
    path = known[str(name)] if str(name) in known else Path(name)
    if not path.is_file():
        is_path = path.suffix in (".yaml", ".yml") or len(path.parts) > 1
        message = f"there is no file '{path}'" if is_path else f"no shipped problem is called '{name}'"
        raise ProblemError([Mistake("name", message + ("" if is_path else suggestion(str(name), known)))])
    try:
        config = parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ProblemError([Mistake("name", f"'{path}' cannot be read: {error}")]) from None
    if config is None:
        raise ProblemError([Mistake("name", f"'{path}' is no mapping in YAML: write key: value, such as fields: [u]")])
    return Problem(folder=shipped.data_folder(path), **{str(key): value for key, value in config.items()})
