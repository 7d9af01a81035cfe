"""The memory of a command over its time, measured from outside."""

import re
import sys

from benchmark import memory

GROWS = "import time\nheld = []\nfor _ in range(25):\n    held.append(bytearray(4_000_000))\n    time.sleep(0.1)\n"


def test_growth_is_seen_and_the_exit_code_is_that_of_the_command(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "EVERY", 0.1)
    monkeypatch.setattr(memory, "SETTLED", 0.5)
    words = ["--out", str(tmp_path), "--", sys.executable, "-c", GROWS + "raise SystemExit(5)"]
    assert memory.benchmark(words, tmp_path) == 5
    page = (tmp_path / "memory.md").read_text()
    growth = float(re.search(r"Growth: ([+-][\d.]+) MB a minute", page)[1])
    assert 800 < growth < 3000  # 4 MB in a little more than 0.1 s
    assert (tmp_path / "memory.png").stat().st_size > 1000
