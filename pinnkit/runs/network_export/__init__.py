"""Formats that hold the network, or values at points of their own, one a file."""
