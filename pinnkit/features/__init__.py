"""Random features that solve a problem, correct a trained network, and tell its error."""
