"""Training runs: what is set up, what is trained and recovered, and what is left in the run folder."""
