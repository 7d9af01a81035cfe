"""Fixtures of the tests of engines."""

import pytest

from pinnkit.engines import evaluator as tested


@pytest.fixture
def unrecorded(monkeypatch):
    """Steps run as they are: neither recorded nor compiled."""
    monkeypatch.setattr(tested, "record_graph", lambda step, inputs: step)
    monkeypatch.setattr(tested, "compile_graph", lambda step, inputs: step)
