"""Settings of a small run."""

import csv

SMALL = [
    "network.width=8",
    "network.depth=2",
    "sampling.equations=100",
    "sampling.conditions=20",
    "sampling.redraw_every=25",
    "phases=[{name: adam, steps: 20}, ssbroyden]",
    "callbacks=quiet",
]


def rows_of(path):
    return list(csv.DictReader(path.read_text().splitlines()))
