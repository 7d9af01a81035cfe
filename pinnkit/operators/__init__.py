"""Partial derivatives of networks: nested autograd, traced graphs, Taylor mode."""
