"""One training step in other frameworks, each a program of its own that needs no part of pinnkit."""
