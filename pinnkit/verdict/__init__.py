"""Verdict on a run: whether its answer can be trusted, decided from plain numbers."""
