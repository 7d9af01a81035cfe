"""Reference solutions: exact, manufactured, tabulated, and by spectral methods."""
