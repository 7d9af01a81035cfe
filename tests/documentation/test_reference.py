"""The pages that are made from the code are as the code is, and leave nothing out."""

from __future__ import annotations

import dataclasses
import re
import typing
from typing import get_type_hints

import pytest

from documentation import settings
from documentation.pages import PAGES, made
from pinnkit.cli.evaluate import Request
from pinnkit.cli.sweep import Sweep
from pinnkit.reading import classes
from pinnkit.settings import Settings
from tests.conftest import ROOT, composed

KINDS = [Settings, Request, Sweep]
for one in dataclasses.fields(Settings):
    hint = typing.get_type_hints(Settings)[one.name]
    KINDS += list(classes(one).values()) or ([hint] if dataclasses.is_dataclass(hint) else [])


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_as_the_code_makes_it(name):
    text = (ROOT / "docs" / "reference" / f"{name}.md").read_text(encoding="utf-8")
    assert text == made(name), "run python scripts/make_documentation.py"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_setting_says_what_it_is(kind):
    hints = typing.get_type_hints(kind)
    silent = [
        field.name
        for field in dataclasses.fields(kind)
        if not settings.text(kind, field.name)
        and not classes(field)
        and not dataclasses.is_dataclass(hints[field.name])
    ]
    assert silent == [], "write a text below these fields of the class"


def leaves(part, name):
    """The keys of a settings class, with those of the classes within it."""
    hints = get_type_hints(part)
    for one in dataclasses.fields(part):
        inner = hints[one.name]
        yield from leaves(inner, f"{name}.{one.name}") if dataclasses.is_dataclass(inner) else [f"{name}.{one.name}"]


def test_the_page_of_the_settings_has_every_key_that_a_configuration_takes_and_no_other():
    """The keys come from the composed files, and for parts besides the default ones from their classes."""
    page = (ROOT / "docs/reference/settings.md").read_text()
    own, _, _ = page.partition("## `pinnkit evaluate`")
    named = set(re.findall(r"^\| `([\w./]+)` \|", own, re.MULTILINE))
    found = {
        f"{key}.{inner}" if inner else key
        for key, value in composed([]).items()
        if key not in ("pde", "logger")  # of which the default has not all keys
        for inner in (value if isinstance(value, dict) else [""])
    }
    found |= set(leaves(get_type_hints(Settings)["logger"], "logger"))
    for group in dataclasses.fields(Settings):
        for part in classes(group).values() if group.name not in ("phases", "stages") else ():
            found |= set(leaves(part, group.name))
    tags = {"network.name", "sampling.method", "optimizer.name", "weighting.name"}
    command_line = {"pde", "experiment", "hydra.run.dir", "hydra.sweep.dir", "hydra/launcher"}
    assert named == (found - tags) | command_line
    assert all(f"The key `{tag}`" in page for tag in tags)
