"""Pages of the repository in the documentation: links out of `docs/`, and files for language models.

Pages link to each other, and to files of the repository, as they lie in folders. Here links to README.md lead to the
first page, those to CONTRIBUTING.md and CHANGELOG.md to pages that are these files; to other files there are no links.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

LINK = re.compile(r"(?<!!)\[([^\]\[]+)\]\((?!\w+:|#)([^)\s#]+)(#[^)\s]*)?\)")
CODE = re.compile(r"(^ *```.*?^ *```|`[^`\n]+`)", re.DOTALL | re.MULTILINE)
PATTERN = re.compile(r"^[\w/]+\*\n", re.MULTILINE)
"""An entry of a list of contents; one that no page fits would be a warning."""
FILES = {"contributing": "CONTRIBUTING.md", "changelog": "CHANGELOG.md"}
"""Pages whose text is a file of the repository."""
INSTEAD = {"README.md": "index.md"} | {file: f"{page}.md" for page, file in FILES.items()}


def read(app: Sphinx, page: str, source: list[str]) -> None:
    """Put a page's text in the place of what its file holds."""
    docs = Path(app.srcdir)
    text, folder = source[0], (docs / page).parent
    if page in FILES:
        folder = docs.parent
        text = (folder / FILES[page]).read_text(encoding="utf-8")
        app.env.note_dependency(str(folder / FILES[page]))  # the page is made anew when its file changes
    if page == app.config.root_doc:
        text = with_pages(text, docs)
    source[0] = linked(text, folder, (docs / page).parent, docs)


def with_pages(text: str, docs: Path) -> str:
    """A text without those patterns in its lists of contents that add no page to the patterns before them."""
    seen: set[Path] = set()

    def kept(entry: re.Match[str]) -> str:
        new = {path.with_suffix("") for path in docs.glob(entry[0].strip())} - seen
        seen.update(new)
        return entry[0] if new else ""

    return PATTERN.sub(kept, text)


def linked(text: str, folder: Path, target: Path, docs: Path) -> str:
    """A text that was written in one folder, with the links that it needs in another; code stays as it is."""

    def replaced(match: re.Match[str]) -> str:
        words, path, anchor = match[1], os.path.normpath(folder / match[2]), match[3] or ""
        outside = os.path.relpath(path, docs.parent)
        if outside in INSTEAD:
            path = str(docs / INSTEAD[outside])
        if not path.startswith(f"{docs}{os.sep}") and os.path.exists(path):
            return words
        return f"[{words}]({os.path.relpath(path, target)}{anchor})"

    spans = [match.span() for match in CODE.finditer(text)]
    return LINK.sub(lambda match: match[0] if _within(match, spans) else replaced(match), text)


def _within(match: re.Match[str], spans: list[tuple[int, int]]) -> bool:
    return any(start <= match.start() and match.end() <= end for start, end in spans)


def write_for_models(app: Sphinx, failed: Exception | None) -> None:
    """Write llms-full.txt: every page as Markdown, the first one first."""
    if failed is not None or app.builder.name != "html":
        return
    docs = Path(app.srcdir)
    pages = sorted(app.env.found_docs, key=lambda page: (page != app.config.root_doc, page))
    texts = [docs / f"{page}.md" for page in pages]
    whole = "\n\n".join(f"<!-- {file.name} -->\n{file.read_text(encoding='utf-8')}" for file in texts if file.exists())
    (Path(app.outdir) / "llms-full.txt").write_text(whole, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("source-read", read)
    app.connect("build-finished", write_for_models)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
