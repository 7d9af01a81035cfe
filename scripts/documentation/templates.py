"""The messages of the language as the code writes them: patterns of what is raised in `pinnkit/language`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pinnkit

RAISED = ("LanguageError", "NotRealError", "_mistake")
"""What makes a mistake of its first argument, the message."""


def templates(folder: Path | None = None) -> dict[str, str]:
    """Pattern of a message -> the place in the code that raises it, for all that hold words of their own."""
    found: dict[str, str] = {}
    for file in sorted((folder or Path(pinnkit.__file__).with_name("language")).glob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
            for call in ast.walk(function):
                if isinstance(call, ast.Call) and _name(call.func) in RAISED and call.args:
                    for pattern in _patterns(call.args[0], function):
                        if re.search(r"[a-z]{3}", pattern.replace(".*", "")):
                            found.setdefault(pattern, f"{file.name}:{call.lineno}")
    return found


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _patterns(node: ast.expr, function: ast.FunctionDef, depth: int = 0) -> Iterator[str]:
    """The patterns of an expression: several where it chooses; `.*` for what is not written here."""
    if isinstance(node, ast.Constant):
        yield re.escape(str(node.value))
    elif isinstance(node, ast.JoinedStr):
        whole = [""]
        for part in node.values:
            inner = part.value if isinstance(part, ast.FormattedValue) else part
            written = list(_patterns(inner, function, depth + 1)) if isinstance(inner, ast.Constant) else [".*"]
            whole = [before + one for before in whole for one in written]
        yield from whole
    elif isinstance(node, ast.IfExp):
        yield from _patterns(node.body, function, depth)
        yield from _patterns(node.orelse, function, depth)
    elif isinstance(node, ast.Name) and depth < 2:
        values = [
            one.value
            for one in ast.walk(function)
            if isinstance(one, ast.Assign) and any(_name(target) == node.id for target in one.targets)
        ]
        for value in values:
            yield from _patterns(value, function, depth + 1)
    else:
        yield ".*"
