"""The pages that are made from the code, by their paths."""

from documentation import commands, language, python, settings

PAGES = {
    "docs/reference/settings.md": settings.page,
    "docs/reference/language.md": language.page,
    "docs/reference/commands.md": commands.page,
    "docs/reference/python.md": python.page,
}
