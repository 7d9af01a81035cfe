"""Independent solutions that errors are measured against."""
