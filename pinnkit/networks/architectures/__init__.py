"""Architectures of networks, one a file: their settings, and how they are built."""
