"""Quoting of paths and texts in Hydra's override syntax."""

from __future__ import annotations

import re

KEYS = ("resume", "problem_folder", "hydra.run.dir", "hydra.sweep.dir")
"""Whose value is the path of a folder."""


def quoted(path: object) -> str:
    r"""A text as Hydra's override grammar reads it back.

    >>> print(quoted("it's"), quoted("a b, c=d"))
    'it\'s' 'a b, c=d'
    """
    return "'" + re.sub(r"(\\*)('|$)", lambda found: found[1] * 2 + (found[2] and r"\'"), str(path)) + "'"


def unquoted(text: str) -> str:
    """What a text of an override stands for.

    >>> unquoted(quoted("it's")), unquoted("plain")
    ("it's", 'plain')
    """
    if len(text) < 2 or text[0] != text[-1] or text[0] not in "'\"":
        return text
    return re.sub(rf"(\\*)(\\{text[0]}|$)", lambda found: found[1][::2] + found[2][-1:], text[1:-1])


def with_quotes(override: str) -> str:
    r"""An override with its value quoted where it is a path that Hydra would read as something else.

    >>> print(with_quotes("resume=out/it's"), with_quotes("resume=out/1"), with_quotes("seed=1,2"))
    resume='out/it\'s' resume=out/1 seed=1,2
    """
    key, equals, value = override.partition("=")
    if key not in KEYS or re.fullmatch(r"[\w./:%+@~-]*", value, re.ASCII) or unquoted(value) != value:
        return override
    return f"{key}{equals}{quoted(value)}"
