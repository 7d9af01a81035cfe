"""The pages that are made from the code, by their paths."""

from documentation import commands, settings

PAGES = {"docs/reference/settings.md": settings.page, "docs/reference/commands.md": commands.page}
