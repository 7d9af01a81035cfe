"""The page of the Python interface: the public names, and the classes of which parts are made."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import pinnkit
from documentation.markdown import block, code, table
from pinnkit.domains.registry import SHAPES
from pinnkit.domains.shape import Shape
from pinnkit.losses.settings import WEIGHTINGS, Weighting
from pinnkit.networks.settings import NETWORKS, Network
from pinnkit.optimizers.settings import OPTIMIZERS, FirstOrder, LeastSquares, LineSearch, Optimizer
from pinnkit.reporting.exporters import EXPORTERS, Exporter
from pinnkit.runs.network_exporters import NETWORK_EXPORTERS, NetworkExporter
from pinnkit.sampling.settings import SAMPLERS, Sampling

HEAD = """\
# Python

`import pinnkit` shows these names; each is loaded when it is first asked for, so that problems are read and checked
without loading torch.

`python scripts/make_documentation.py` makes this page from the code.
"""
PARTS = """\
A part is a class that registers itself by a name: one file in its package, one configuration file, one test.
[CONTRIBUTING](../../CONTRIBUTING.md) shows how. A part from another package is registered by importing it before
`pinnkit.solve`, `NETWORKS.register("mine")(Mine)`, and then chosen by its name.
"""
REGISTRIES = (
    ("network", NETWORKS, (Network,), "network=NAME"),
    ("sampler", SAMPLERS, (Sampling,), "sampling=NAME"),
    ("weighting", WEIGHTINGS, (Weighting,), "weighting=NAME"),
    ("optimizer", OPTIMIZERS, (Optimizer, FirstOrder, LineSearch, LeastSquares), "optimizer=NAME"),
    ("shape", SHAPES, (Shape,), "shapes: {part: {NAME: ...}}"),
    ("exporter of solutions", EXPORTERS, (Exporter,), "pinnkit evaluate export=NAME"),
    ("exporter of networks", NETWORK_EXPORTERS, (NetworkExporter,), "pinnkit evaluate export=NAME"),
)
"""Kind of a part, its registry, its base classes, and how one is chosen."""
SECTION = re.compile(r"^(Args|Attributes|Returns|Raises|Yields):$", re.MULTILINE)


def page() -> str:
    """The page as Markdown."""
    parts = [HEAD]
    for name in pinnkit.__all__:
        parts += [f"## `pinnkit.{name}`", *_entry(name, getattr(pinnkit, name))]
    rows = [
        (
            kind,
            " ".join(code(f"{base.__module__}.{base.__name__}") for base in bases[:1]),
            code(registry.package),
            code(choice),
            ", ".join(registry),
        )
        for kind, registry, bases, choice in REGISTRIES
    ]
    parts += ["## Parts", PARTS, table(("part", "base class", "package", "chosen by", "there are"), rows)]
    for _, _, bases, _ in REGISTRIES:
        for base in bases:
            parts += [f"### `{base.__name__}`", *_entry(base.__name__, base)]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _entry(name: str, thing: Any) -> Iterator[str]:
    """The paragraphs of a public name."""
    if not callable(thing):
        yield "The version, a text."
        return
    yield block(f"{name}{_signature(thing)}", "py")
    yield markdown(inspect.getdoc(thing) or "")
    if inspect.isclass(thing):
        for member, value in vars(thing).items():
            if not member.startswith("_") or member == "__call__":
                yield from _member(name, member, value)


def _member(owner: str, name: str, value: Any) -> Iterator[str]:
    """The paragraphs of a method or a property with a text of its own."""
    function = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
    if not inspect.isfunction(function) or not function.__doc__:
        return
    shown = "" if isinstance(value, property) else _signature(function)
    yield f"**`{owner.lower() if name == '__call__' else f'{owner}.{name}'}{shown}`**"
    yield markdown(inspect.getdoc(function))


def _signature(thing: Any, width: int = 100) -> str:
    """Arguments as they are written, on lines of their own where they are many."""
    written = inspect.getmro(thing) if inspect.isclass(thing) else ()
    if inspect.isclass(thing) and not any("__init__" in vars(one) for one in written if one.__module__ != "builtins"):
        return ""  # what Python itself says of such a class differs between its versions
    signature = inspect.signature(thing)
    arguments = [one for one in signature.parameters.values() if one.name != "self"]
    shown = str(signature.replace(parameters=arguments)).replace("'", "").replace("<factory>", "...")
    shown = re.sub(r"<function [^>]*(<lambda>)? at 0x[0-9a-f]+>", "...", shown)  # an address differs from run to run
    if len(shown) <= width or (inspect.isfunction(thing) and "." in thing.__qualname__):
        return shown
    return re.sub(r", (?=\*?\*?\w+(?::|=|,))", ",\n    ", shown)


def markdown(text: str) -> str:
    """A docstring as Markdown: its sections are lists, its examples blocks.

    >>> print(markdown("Add.\\n\\nArgs:\\n    a, b: numbers,\\n        or two_names."))
    Add.
    <BLANKLINE>
    Args:
    <BLANKLINE>
    - `a, b`: numbers, or two\\_names.
    """
    pieces = []
    for paragraph in re.split(r"\n\s*\n", text):
        head, _, rest = paragraph.partition("\n")
        if SECTION.match(head.strip()):
            entries = re.split(r"\n(?=    \S)", f"\n{rest}")[1:]
            pieces += [head.strip(), "\n".join(f"- {_item(' '.join(entry.split()))}" for entry in entries)]
        elif paragraph.lstrip().startswith(">>>"):
            pieces.append(block(inspect.cleandoc(paragraph), "pycon"))
        elif paragraph.startswith("    "):
            pieces.append(block(inspect.cleandoc(paragraph)))
        else:
            pieces.append(_escaped(paragraph))
    return "\n\n".join(pieces)


def _item(entry: str) -> str:
    name, colon, meaning = entry.partition(": ")
    return f"`{name}`: {_escaped(meaning)}" if colon and re.fullmatch(r"[\w, .*]+", name) else _escaped(entry)


def _escaped(text: str) -> str:
    """A text whose signs mean nothing to Markdown, but for what stands between backticks."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if part.startswith("`") else re.sub(r"([*_<>|\[\]{}$])", r"\\\1", part) for part in parts)
