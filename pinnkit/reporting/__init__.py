"""Run folders, metrics, figures, tables and exports from NumPy arrays."""
