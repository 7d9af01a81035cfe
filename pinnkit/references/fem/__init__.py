"""Reference solutions by finite elements."""
