"""Formats in which a solution is written for other programs, one a file."""
