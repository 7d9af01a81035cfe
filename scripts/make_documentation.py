"""Make the pages of docs/reference that come from the code, all or those that are named; see scripts/documentation."""

import sys
from pathlib import Path

from documentation.pages import PAGES, made

if __name__ == "__main__":
    for name in sys.argv[1:] or PAGES:
        path = Path(__file__).resolve().parents[1] / "docs" / "reference" / f"{name}.md"
        path.write_text(made(name), encoding="utf-8")
