"""Make the pages of docs/reference that come from the code; see scripts/documentation."""

from pathlib import Path

from documentation.pages import PAGES

if __name__ == "__main__":
    for path, page in PAGES.items():
        (Path(__file__).resolve().parents[1] / path).write_text(page(), encoding="utf-8")
