"""Shapes that points are drawn from."""
