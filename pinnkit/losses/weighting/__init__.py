"""Strategies for the weights of the losses, one a file."""
