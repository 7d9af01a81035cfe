"""What a run leaves behind: metrics, figures, tables and files, all from plain NumPy arrays."""
