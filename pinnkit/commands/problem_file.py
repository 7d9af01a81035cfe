"""What a problem file may be: one mapping of plain data."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import yaml

from pinnkit.language.errors import Report

QUOTE = "inside {...} and [...] YAML takes a comma for a separator: quote an expression that has one"


def find(choice: str, folders: Sequence[Path | None]) -> Path | None:
    """The file of the problem `pde=choice` in the first of the configuration folders that has one."""
    paths = [folder / "pde" / f"{choice}.yaml" for folder in folders if folder is not None]
    return next((path.resolve() for path in paths if path.is_file()), None)


def check(path: Path) -> None:
    """Refuse a file that is no mapping, or that would change more than the problem.

    Hydra lets any file of a group choose other files (`defaults`) and write outside its own key (`@package`), so that
    it could name code to run. A problem may come from a stranger: it gets neither.

    Raises:
        ProblemError: naming the file and the rule.
    """
    report = Report()
    key = f"pde/{path.name}"
    try:
        text = path.read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except UnicodeDecodeError:
        report.add(key, "is not text in UTF-8")
    except yaml.YAMLError as error:
        text = str(error).replace("<unicode string>", path.name)
        report.add(key, f"is not YAML: {text}" + (f"\n{QUOTE}" if " flow " in text else ""))
    else:
        if re.search(r"^\s*#\s*@package", text, re.MULTILINE):
            report.add(key, "has a line '# @package': a problem file describes one problem and changes nothing else")
        if root is None:
            report.add(key, "is empty: write coordinates, fields, equations and conditions")
        elif not isinstance(root, yaml.MappingNode):
            report.add(key, "is no mapping: write key: value, such as fields: [u]")
        elif any(name.value == "defaults" for name, _ in root.value):
            report.add(key, "has a key 'defaults': a problem file stands alone; write its words out")
    report.raise_if_any()
