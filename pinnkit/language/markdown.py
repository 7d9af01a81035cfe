"""Texts in Markdown, for notebooks and boards."""

from __future__ import annotations

import re

ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;", "$": "&#36;", "\n": " "}


def without_markup(text: str) -> str:
    r"""A text on one line in which no sign is markup: neither of Markdown, nor of HTML, nor of mathematics.

    >>> without_markup("a <b> *c* | d_1")
    'a &lt;b&gt; \\*c\\* &#124; d\\_1'
    """
    for sign, shown in ENTITIES.items():
        text = text.replace(sign, shown)
    return re.sub(r"([\\`*_\[\]])", r"\\\1", text)
