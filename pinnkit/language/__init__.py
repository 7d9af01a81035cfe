"""The problem language: text to checked SymPy expressions, and those to array programs."""
