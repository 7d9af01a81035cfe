"""The shapes that a problem may name, one kind a file; the fields of its class are its settings."""
