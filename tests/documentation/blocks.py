"""The code blocks of a page of documentation, and the marks that say how they are tested.

A block runs with the tests unless the line above it is one of

    <!-- test: slow -->                 it takes longer than some seconds: `pytest -m slow` runs it as it stands
    <!-- test: skip, REASON -->         it cannot run on any machine
    <!-- test: refused, PART OF THE MESSAGE -->   it shows a mistake, which is answered with a message that holds this

A block after the words "Save this as `NAME`" is written to a file of that name; Python in it runs where no later
command of the page names the file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(r"^(?P<indent> *)```(?P<language>\w+)[^\n]*\n(?P<text>.*?)^(?P=indent)```", re.DOTALL | re.MULTILINE)
MARK = re.compile(r"<!-- test: (\w+)(?:, (.+?))? -->")
SAVED = re.compile(r"[Ss]ave (?:this|it|that) as `([\w./-]+)`")
MARKS = ("slow", "skip", "refused")
TESTED = ("bash", "python", "yaml")


@dataclass(frozen=True)
class Block:
    """A block of code.

    Attributes:
        line: its first line in the page.
        mark: slow, skip, refused, or empty.
        reason: what follows the mark.
        file: the name under which it is saved, or empty.
    """

    page: str
    line: int
    language: str
    text: str
    mark: str = ""
    reason: str = ""
    file: str = ""

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


def blocks_of(page: Path, root: Path) -> list[Block]:
    """The blocks of a page that are tested or saved, in their order.

    Raises ValueError for a mark that is not known, or lacks its reason.
    """
    text, found, end = page.read_text(encoding="utf-8"), [], 0
    for match in BLOCK.finditer(text):
        between, end = text[end : match.start()], match.end()
        line = text.count("\n", 0, match.start()) + 2
        last = between.rstrip().rsplit("\n", 1)[-1].strip()
        mark = MARK.fullmatch(last)
        kind, reason = (mark[1], mark[2] or "") if mark else ("", "")
        name = page.relative_to(root).as_posix()
        if mark and (kind not in MARKS or (kind != "slow" and not reason)):
            raise ValueError(f"{name}:{line - 1}: write one of test: slow | skip, REASON | refused, MESSAGE")
        saved = SAVED.findall(between)
        file = saved[-1] if saved else ""
        code = re.sub(rf"^{match['indent']}", "", match["text"], flags=re.MULTILINE)
        if match["language"] in TESTED or file:
            found.append(Block(name, line, match["language"], code, kind, reason, file))
    return found
