"""Samplers: sequences of points of the unit cube, one a file."""
