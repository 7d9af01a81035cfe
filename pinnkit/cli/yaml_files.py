"""Checks of YAML files from others: one mapping of plain data, of a bounded size."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from pinnkit.language.errors import Mistake, ProblemError, Report
from pinnkit.language.tokens import SMALLEST_NUMBER, vanishes

QUOTE = "inside {...} and [...] YAML takes a comma for a separator: quote an expression that has one"
SIZE = 1_000_000
"""Bytes that a file may have; tables of numbers stand in files of their own."""
NODES = 100_000
"""Keys and values that it may hold, aliases (*name) written out."""
DEPTH = 30
"""How deeply lists and mappings may be nested, aliases written out."""
NUMBER = 400
"""Characters of a number."""
PLAIN = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
"""What YAML, or OmegaConf, reads as a number."""
REFERENCES = 8
"""How many ${ a text may hold: OmegaConf reads them, and the time and the depth it takes grow with them."""

TAG = "tag:yaml.org,2002:"
SCALARS = ("str", "int", "float", "bool", "null", "timestamp", "value")
TAGS = (*SCALARS, "seq", "map", "merge")
UNREADABLE = (ValueError, KeyError, IndexError, AttributeError, OverflowError)
"""What PyYAML raises of !!int x and !!bool x."""


class _Loader(yaml.SafeLoader):
    """Composes nodes as PyYAML does, up to a depth and a number of them."""

    depth = 0
    count = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self.depth += 1
        self.count += 1
        if self.depth > DEPTH:
            raise yaml.MarkedYAMLError(None, None, f"nested deeper than {DEPTH}", self.peek_event().start_mark)
        if self.count > NODES:
            raise yaml.MarkedYAMLError(None, None, f"more than {NODES} keys and values", self.peek_event().start_mark)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def find(choice: str, folders: Sequence[Path | None]) -> Path | None:
    """The file of the problem `pde=choice` in the first of the configuration folders that has one."""
    name = f"pde/{choice.removesuffix('.yaml')}.yaml"
    paths = [located(folder, name) for folder in folders if folder is not None]
    return next((path.resolve() for path in paths if path.is_file()), None)


def options(folders: Sequence[Path], group: str) -> list[str]:
    """The names of a group's files; problems may lie in a folder for each kind."""
    pattern = "**/*.yaml" if group == "pde" else "*.yaml"
    return sorted({path.stem for folder in folders for path in (folder / group).glob(pattern) if path.is_file()})


def located(folder: Path, name: str) -> Path:
    """The file `name` of a configuration folder; a problem `pde/NAME.yaml` may lie in a folder of its kind there.

    Raises:
        ProblemError: several kinds have a problem of this name.
    """
    path = folder / name
    group, _, file = name.partition("/")
    if group != "pde" or "/" in file or path.exists():
        return path
    found = [kind / file for kind in sorted((folder / group).glob("*/")) if (kind / file).is_file()]
    if len(found) > 1:
        choices = " or ".join(f"pde={one.parent.name}/{one.stem}" for one in found)
        raise ProblemError([Mistake("pde", f"'{found[0].stem}' is the name of {len(found)} problems: write {choices}")])
    return found[0] if found else path


def check(path: Path, key: str) -> None:
    """Refuse a problem file that is no mapping of plain data, or that would change more than the problem.

    Hydra lets any file of a group choose other files (`defaults`) and write outside its own key (`@package`), so that
    it could name code to run. A problem may come from a stranger: it gets neither, nor a key such as `_target_`.

    Args:
        key: what the file is called in messages.

    Raises:
        ProblemError: naming the file, the key and the rule.
    """
    read(path, key, problem=True)


def read(path: Path, key: str, problem: bool = False) -> str:
    """The text of a YAML file that holds one mapping of plain data, or nothing.

    What its aliases stand for is counted before anything is built from them.

    Args:
        key: what the file is called in messages.
        problem: whether it describes a problem, and may do nothing else.

    Raises:
        ProblemError: naming the file, the key and the rule.
    """
    report = Report()
    try:
        with path.open("rb") as file:
            content = file.read(SIZE + 1)
        if len(content) > SIZE:
            size = path.stat().st_size
            report.add(key, f"has {size} bytes; the most is {SIZE}: put numbers into a table, a .csv or .npz file")
            report.raise_if_any()
        text = content.decode("utf-8")
        root = yaml.compose(text, Loader=_Loader)
    except OSError as error:
        report.add(key, f"cannot be read: {error.strerror}")
    except UnicodeDecodeError as error:
        report.add(key, f"is not text in UTF-8: byte {error.start} is {content[error.start]:#04x}; save it as UTF-8")
    except yaml.YAMLError as error:
        message = str(error).replace("<unicode string>", path.name)
        report.add(key, f"is not YAML: {message}" + (f"\n{QUOTE}" if " flow " in message else ""))
    else:
        if root is not None and not isinstance(root, yaml.MappingNode):
            report.add(key, "is no mapping: write key: value, such as fields: [u]")
        elif problem:
            _check_problem(root, text, key, report)
        if isinstance(root, yaml.MappingNode):
            found = Report()
            _Tree(found, problem).measure(root, "")
            for one in found.mistakes:
                report.add(one.key if problem else f"{key}: {one.key}", one.message)
    report.raise_if_any()
    return text


def value(text: str) -> Any:
    """The value of an argument KEY=TEXT.

    Raises:
        yaml.YAMLError: it cannot be read.
    """
    if len(text) > NUMBER:
        raise yaml.YAMLError(f"{len(text)} characters; the most is {NUMBER}")
    try:
        return yaml.safe_load(text)
    except UNREADABLE as error:
        raise yaml.YAMLError(str(error)) from error


def _check_problem(root: yaml.MappingNode | None, text: str, key: str, report: Report) -> None:
    headers = (re.match(r"#\s*(@\w*)", line.strip()) for line in text.splitlines())
    if header := next(filter(None, headers), None):
        report.add(key, f"has a line '# {header[1]}': a problem file describes one problem and changes nothing else")
    if root is None:
        report.add(key, "is empty: write coordinates, fields, equations and conditions")
    else:
        _check_names(root, key, report)


def _check_names(root: yaml.MappingNode, key: str, report: Report) -> None:
    for name, _ in root.value:
        if name.value == "defaults":
            report.add(key, "has a key 'defaults': a problem file stands alone; write its keys out")
        if name.tag == f"{TAG}merge":
            report.add(key, "has a key '<<' at its top: write the keys of a problem out")


class _Tree:
    """The nodes of a file, each looked at once, however often aliases repeat it."""

    def __init__(self, report: Report, problem: bool) -> None:
        self.report, self.problem = report, problem
        self.known: dict[int, tuple[int, int]] = {}  # id of a node -> how many nodes it stands for, how deep they go
        self.open: set[int] = set()

    def measure(self, node: yaml.Node, path: str) -> tuple[int, int]:
        """How many nodes a node stands for with its aliases written out, and how deep; what is wrong is reported."""
        if id(node) in self.open:
            self.report.add(path, "is an alias of what it is part of: such a value has no end")
            return 1, 1
        if id(node) in self.known:
            return self.known[id(node)]
        self.open.add(id(node))
        self._check(node, path)
        parts = [self.measure(part, key) for part, key in self._parts(node, path)]
        self.open.remove(id(node))
        count, depth = 1 + sum(part[0] for part in parts), 1 + max((part[1] for part in parts), default=0)
        if count > NODES or depth > DEPTH:
            what = f"{count} keys and values; the most is {NODES}" if count > NODES else f"more than {DEPTH} levels"
            self.report.add(path or "aliases", f"its aliases (*name) stand for {what}")
            count, depth = 1, 1  # told once
        self.known[id(node)] = count, depth
        return count, depth

    def _parts(self, node: yaml.Node, path: str) -> Iterator[tuple[yaml.Node, str]]:
        """The nodes right below a node, each with the path of its key."""
        if isinstance(node, yaml.SequenceNode):
            yield from ((part, f"{path}[{number}]") for number, part in enumerate(node.value, start=1))
        elif isinstance(node, yaml.MappingNode):
            for name, value in node.value:
                label = str(name.value)[:60] if isinstance(name, yaml.ScalarNode) else "?"
                key = f"{path}.{label}" if path else label
                if self.problem and label.startswith("_"):
                    self.report.add(key, f"a key such as '{label}' names code to run; a problem file holds data")
                yield name, key
                yield value, key

    def _check(self, node: yaml.Node, path: str) -> None:
        kind = node.tag.removeprefix(TAG)
        if kind not in TAGS or ((kind in SCALARS) != isinstance(node, yaml.ScalarNode) and kind != "merge"):
            self.report.add(path, f"could not determine a constructor for the tag '{node.tag}': write plain data")
        elif not isinstance(node, yaml.ScalarNode):
            return
        elif node.value.count("${") > REFERENCES:
            self.report.add(path, f"holds ${{ more than {REFERENCES} times: write texts out")
        elif node.style is None and PLAIN.fullmatch(node.value) and len(node.value) <= NUMBER and vanishes(node.value):
            self.report.add(path, f"{node.value} is nearer to zero than {SMALLEST_NUMBER:g}; write 0")
        elif kind in ("int", "float", "bool", "timestamp"):
            if len(node.value) > NUMBER:
                self.report.add(path, f"has {len(node.value)} characters; a number has at most {NUMBER}")
                return
            try:
                yaml.constructor.SafeConstructor().construct_object(node)
            except UNREADABLE:
                self.report.add(path, f"'{node.value[:60]}' is no {kind}")
