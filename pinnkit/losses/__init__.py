"""Residuals, their reduction and their weights."""
