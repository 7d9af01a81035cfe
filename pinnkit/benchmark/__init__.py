"""Timing one training step: the engines against each other, against other frameworks, and against a floor."""
