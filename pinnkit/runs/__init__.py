"""Training runs: checks, settings as used, setup, training, recovery, results, and loading."""
